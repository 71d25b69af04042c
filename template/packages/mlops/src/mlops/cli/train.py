"""From data to a run whose model is judged."""

from pathlib import Path

import click

from mlops.artifacts.candidate import read_candidate
from mlops.artifacts.run_folder import RunFolder
from mlops.ci.job import set_output
from mlops.cli.options import (
    data_dir_option,
    environment_option,
    json_option,
    run_option,
    settings_for,
)
from mlops.cli.tables import show_checks, show_cross_validation, show_metrics
from mlops.console import emit, progress, show
from mlops.errors import Refused
from mlops.platforms import open_platform


@click.command()
@data_dir_option
@click.option(
    "--candidate",
    "manifest",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Manifest of `retrain`: train that candidate, at its commit, on all the data.",
)
@environment_option
@json_option
def train(
    data_dir: Path | None, manifest: Path | None, environment: str | None, as_json: bool
) -> None:
    """Train and evaluate a model; print the run id."""
    from mlops.steps.candidate import keep_with, require_its_code, settings_of_candidate

    candidate = None if manifest is None else read_candidate(manifest)
    asked = None if candidate is None else settings_of_candidate(candidate)
    settings = settings_for(environment, asked)
    if candidate is not None:
        require_its_code(candidate, settings)
    with progress("training") as report:
        run = open_platform(settings).train(data_dir, report)
    if candidate is not None:
        keep_with(run, candidate)
    folder = RunFolder(run.folder)
    evaluation, training = folder.evaluation.results(), folder.model.training()
    set_output("run_id", run.run_id)
    for warning in training.get("warnings", []):
        show(f"warning: {warning}", style="yellow")
    cross_validation = training.get("cross_validation")
    if as_json:
        told = {"cross_validation": cross_validation} if cross_validation else {}
        emit({"run_id": run.run_id, "folder": str(run.folder), "evaluation": evaluation, **told})
        return
    if cross_validation:
        show_cross_validation(cross_validation)
    show_metrics(evaluation)
    click.echo(run.run_id)


def _limits(
    _context: click.Context, _option: click.Parameter, given: tuple[str, ...]
) -> dict[str, float]:
    """Return the limit of each metric that is given as METRIC=LIMIT."""
    limits = {}
    for text in given:
        metric, _, limit = text.partition("=")
        try:
            limits[metric] = float(limit)
        except ValueError:
            raise click.BadParameter(f"{text!r} is not METRIC=LIMIT, such as mae=30") from None
    return limits


@click.command()
@run_option
@click.option(
    "--threshold-f1", type=click.FloatRange(0, 1), help="Overrides F1's limit, the sample's too."
)
@click.option(
    "--threshold",
    "thresholds",
    metavar="METRIC=LIMIT",
    multiple=True,
    callback=_limits,
    help="Overrides a metric's limit, the sample's too, such as mae=30; may be repeated.",
)
@environment_option
@json_option
def evaluate(
    run_id: str,
    threshold_f1: float | None,
    thresholds: dict[str, float],
    environment: str | None,
    as_json: bool,
) -> None:
    """The gate: judge a run's model; exit 1 if it is refused."""
    from mlops.governance.gate import judge_run

    limits = thresholds if threshold_f1 is None else {"f1": threshold_f1, **thresholds}
    overrides = {
        f"gate.{section}.{metric}": limit
        for section in ("thresholds", "sample_thresholds")
        for metric, limit in limits.items()
    }
    settings = settings_for(environment, overrides)
    platform = open_platform(settings)
    with progress("judging"):
        verdict = judge_run(platform, platform.run(run_id), settings)
    if as_json:
        emit(verdict.to_dict())
    show_checks("The gate's verdict", verdict.checks)
    if verdict.champion_note:
        show(verdict.champion_note)
    for warning in verdict.warnings:
        show(f"warning: {warning}")
    set_output("passed", str(verdict.passed).lower())
    if not verdict.passed:
        raise Refused(verdict.refusal)
