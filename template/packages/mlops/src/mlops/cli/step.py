"""The steps of the pipeline, each from folder to folder."""

from pathlib import Path

import click

from mlops.artifacts.documents import VALIDATION_RESULTS
from mlops.artifacts.version_folder import find_version
from mlops.cli.options import data_dir_option, environment_option, folder, settings_for
from mlops.cli.score import reference_date_option, settings_as_of
from mlops.console import show
from mlops.data.findings import DATA_REFUSED
from mlops.data.source import locate
from mlops.errors import ConfigError, Refused
from mlops.steps.provenance import as_dict, git_state, told_git_state


@click.command()
@data_dir_option
@click.option(
    "--source",
    "told",
    default="",
    metavar="KIND:NAME",
    help="What --data-dir is, for a job: folder:PATH or asset:NAME:VERSION.",
)
@click.option("--output", type=folder, required=True, help="Folder to write: the validated data.")
@environment_option
def validate(data_dir: Path | None, told: str, output: Path, environment: str | None) -> None:
    """Raw data in, validated data out."""
    from mlops.steps import validate as validate_step

    settings = settings_for(environment)
    report = validate_step.run(locate(settings, data_dir, told), output, settings)
    if not report.passed:
        for finding in report.failures:
            show(finding.sentence(values=settings.values.data.show_values), style="red")
        raise Refused(DATA_REFUSED, f"{output / VALIDATION_RESULTS.name} holds every failure")


@click.command()
@click.option("--validated", type=folder, required=True, help="Folder that `validate` wrote.")
@click.option("--output", type=folder, required=True, help="Folder to write: the prepared data.")
@environment_option
def prepare(validated: Path, output: Path, environment: str | None) -> None:
    """Validated data in; features, labels, training part and holdout out."""
    from mlops.steps import prepare as prepare_step

    prepare_step.run(validated, output, settings_for(environment))


@click.command()
@click.option("--prepared", type=folder, required=True, help="Folder that `prepare` wrote.")
@click.option("--output", type=folder, required=True, help="Folder to write: the model.")
@click.option(
    "--git-commit", metavar="COMMIT", help="The code's commit, or none; default: asked of git."
)
@click.option(
    "--git-dirty", type=bool, help="Were there uncommitted changes? Default: asked of git."
)
@environment_option
def fit(
    prepared: Path,
    output: Path,
    git_commit: str | None,
    git_dirty: bool | None,
    environment: str | None,
) -> None:
    """Prepared data in, model and baseline out."""
    from mlops.steps import fit as fit_step

    settings = settings_for(environment)
    if (git_commit is None) != (git_dirty is None):
        raise ConfigError("--git-commit and --git-dirty belong together", "give both or neither")
    if git_commit is None or git_dirty is None:
        git = git_state(settings.project.root)
    else:
        git = told_git_state(git_commit, git_dirty)
    fit_step.run(prepared, output, settings, as_dict(git))


@click.command()
@click.option("--prepared", type=folder, required=True, help="Folder that `prepare` wrote.")
@click.option("--model", type=folder, required=True, help="Folder that `fit` wrote.")
@click.option("--output", type=folder, required=True, help="Folder to write: the evaluation.")
@environment_option
def evaluate(prepared: Path, model: Path, output: Path, environment: str | None) -> None:
    """Prepared data and model in, metrics and plots out."""
    from mlops.steps import evaluate as evaluate_step

    evaluate_step.run(prepared, model, output, settings_for(environment))


@click.command()
@data_dir_option
@click.option("--model", type=folder, required=True, help="Folder of a registered version.")
@click.option("--output", type=folder, required=True, help="Folder to write: the predictions.")
@click.option("--events", type=folder, required=True, help="Folder to write: their events.")
@reference_date_option
@environment_option
def score(
    data_dir: Path | None,
    model: Path,
    output: Path,
    events: Path,
    reference_date: str | None,
    environment: str | None,
) -> None:
    """Raw data and a version in, predictions out."""
    from mlops.scoring import job
    from mlops.scoring.raw_data import AsOf

    settings, day = settings_as_of(environment, reference_date)
    request = job.Request(
        data=locate(settings, data_dir),
        model=find_version(model),
        output=output,
        as_of=AsOf(day, settings.clock().date(), fresh=reference_date is None),
        events=events,
    )
    scored = job.score(request, settings, show)
    for name, why in scored.left_out.items():
        show(f"warning: left out {name}: {why}", style="yellow")
