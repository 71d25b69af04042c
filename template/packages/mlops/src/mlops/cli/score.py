"""Score raw data with a registered version, without a request."""

from datetime import date
from pathlib import Path

import click

from mlops.cli.options import data_dir_option, environment_option, folder, json_option, settings_for
from mlops.console import emit, progress, show, show_table
from mlops.data.source import locate
from mlops.errors import MlopsError
from mlops.platforms import open_platform
from mlops.settings.loading import LoadedSettings


def settings_as_of(
    environment: str | None, reference_date: str | None
) -> tuple[LoadedSettings, date]:
    """Return the settings and the day that counts as today: an option's, or conf's.

    Raises:
        ConfigError: a setting is not valid, or the option is no day.
    """
    overrides = {} if reference_date is None else {"data.reference_date": reference_date}
    settings = settings_for(environment, overrides)
    return settings, settings.reference_date


reference_date_option = click.option(
    "--reference-date",
    metavar="YYYY-MM-DD",
    help="Features as of this day, from the rows until then; default: the one of conf, or today.",
)


@click.command()
@data_dir_option
@click.option(
    "--output", type=folder, required=True, help="Folder of predictions to write, or to go on with."
)
@click.option("--model-version", type=int, help="Default: the one that the endpoint serves.")
@reference_date_option
@environment_option
@json_option
def score(
    data_dir: Path | None,
    output: Path,
    model_version: int | None,
    reference_date: str | None,
    environment: str | None,
    as_json: bool,
) -> None:
    """Predict for each key of raw data, by the version that serves.

    Parquet files with one row a key. Called again after an interruption, it goes on.
    """
    from mlops.scoring.job import Request
    from mlops.scoring.job import score as score_data
    from mlops.scoring.raw_data import AsOf
    from mlops.scoring.served import named_version, served_version

    settings, day = settings_as_of(environment, reference_date)
    with progress("scoring") as report:
        platform = open_platform(settings)
        endpoint = platform.endpoint(settings.endpoint_name)
        if model_version is None:
            served = served_version(platform, endpoint, settings.values.environment)
        else:
            served = named_version(platform, model_version)
        request = Request(
            data=locate(settings, data_dir),
            model=served.version.folder,
            output=output,
            as_of=AsOf(day, settings.clock().date(), fresh=reference_date is None),
            deployment=served.deployment,
        )
        scored = score_data(request, settings, report)
        try:
            endpoint.keep_scored(Path(scored.events))
        except MlopsError as error:
            show(f"warning: nothing will watch these predictions: {error}", style="yellow")
    for name, why in scored.left_out.items():
        show(f"warning: left out {name}: {why}", style="yellow")
    if as_json:
        emit(scored.to_dict())
        return
    rows = [
        ("keys", f"{scored.rows:,}"),
        ("files", f"{scored.parts}" + (f", {scored.kept} made before" if scored.kept else "")),
        ("model version", scored.model_version),
        ("as of", scored.reference_date),
        ("events", scored.events),
    ]
    show_table("Scored", ("", ""), rows)
    click.echo(scored.output)
