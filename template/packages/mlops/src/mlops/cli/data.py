"""Make, check and register raw data."""

import re
from pathlib import Path

import click

from mlops.artifacts.data_source import SAMPLE
from mlops.artifacts.documents import VALIDATION_RESULTS
from mlops.ci.job import set_output, summarise
from mlops.cli.options import data_dir_option, environment_option, folder, json_option, settings_for
from mlops.console import emit, progress, show
from mlops.data.source import locate, write_sample
from mlops.errors import ConfigError, Refused
from mlops.files import write_json
from mlops.hints import typed
from mlops.platforms import open_platform


@click.command()
@click.option("--size", type=click.IntRange(min=1), help="How many entities to generate.")
@click.option("--seed", type=int, help="The same seed gives the same data.")
@click.option("--drift", type=click.FloatRange(0, 1), help="0 none, 1 a strong change.")
@click.option("--output", type=folder, default="data", show_default=True, help="Folder to write.")
@environment_option
@json_option
def make(
    size: int | None,
    seed: int | None,
    drift: float | None,
    output: Path,
    environment: str | None,
    as_json: bool,
) -> None:
    """Write a sample data set."""
    settings = settings_for(environment)
    sample = settings.values.data.sample
    if output.exists() and any(path.name != "sample.parquet" for path in output.iterdir()):
        raise ConfigError(f"--output: {output} holds other files", "name an empty folder")
    with progress("generating data"):
        path = write_sample(
            settings,
            output,
            sample.size if size is None else size,
            sample.seed if seed is None else seed,
            sample.drift if drift is None else drift,
        )
    if as_json:
        emit({"path": str(path), "reference_date": settings.reference_date})
    else:
        show(f"wrote {path}; next: {typed(f'run --data-dir {output}')}")


@click.command()
@data_dir_option
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=VALIDATION_RESULTS.name,
    show_default=True,
    help="File for the results.",
)
@environment_option
@json_option
def validate(data_dir: Path | None, output: Path, environment: str | None, as_json: bool) -> None:
    """Check raw data against the contract; exit 1 if it is refused."""
    from mlops.steps.validate import rules_of, validate_folder

    settings = settings_for(environment)
    values = settings.values.data.show_values
    with progress("validating"):
        source = locate(settings, data_dir)
        report, _ = validate_folder(source.folder, settings.use_case.contract(), rules_of(settings))
    results = report.to_dict(values=values)
    write_json(output, results)
    if as_json:
        emit(results)
    summarise(
        f"Data: {report.rows:,} rows, {'passed' if report.passed else 'refused'}",
        ("", "what was found"),
        [
            *(("failure", finding.sentence(values=values)) for finding in report.failures),
            *(("warning", finding.sentence(values=values)) for finding in report.warnings),
        ],
    )
    for finding in report.warnings:
        show(f"warning: {finding.sentence(values=values)}", style="yellow")
    for finding in report.failures:
        show(finding.sentence(values=values), style="red")
    if not report.passed:
        raise Refused(f"the data in {source.folder} is refused", f"{output} holds every failure")
    generated = source.kind == SAMPLE
    what = "generated sample data (--data-dir checks a folder)" if generated else str(source.folder)
    show(f"{report.rows:,} rows of {what} passed; see {output}", style="green")


@click.command()
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of Parquet or CSV files to upload.",
)
@click.option(
    "--path",
    metavar="URI",
    help="Folder that is there already, such as azureml://datastores/lake/paths/transactions.",
)
@click.option("--name", required=True, help="What the data are called, such as transactions.")
@environment_option
@json_option
def register(
    data_dir: Path | None, path: str | None, name: str, environment: str | None, as_json: bool
) -> None:
    """Give a folder of raw data a version in the cloud, on which jobs there can train."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}", name):
        raise ConfigError(f"--name: {name!r} may hold only letters, digits, dots, _ and -")
    if (data_dir is None) == (path is None):
        raise ConfigError("either --data-dir or --path must be given")
    platform = open_platform(settings_for(environment))
    asset: str | None = None
    with progress("registering data") as report:
        if data_dir is not None:
            asset = platform.register_data(data_dir, name, report)
        elif path is not None:
            asset = platform.register_stored_data(path, name, report)
    set_output("data_asset", asset or "")
    if as_json:
        emit({"data_asset": asset})
    elif asset is None:
        how = typed(f"train --data-dir {data_dir}")
        show(f"nothing to register: on this machine {how} reads it")
    else:
        show(f"conf names it with azure.data_asset: {asset}")
        click.echo(asset)
