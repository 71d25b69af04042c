"""From data to a run whose model is judged."""

from pathlib import Path

import click

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
@environment_option
@json_option
def train(data_dir: Path | None, environment: str | None, as_json: bool) -> None:
    """Train and evaluate a model; print the run id."""
    settings = settings_for(environment)
    with progress("training") as report:
        run = open_platform(settings).train(data_dir, report)
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


@click.command()
@run_option
@click.option(
    "--threshold-f1", type=click.FloatRange(0, 1), help="Overrides F1's limit, the sample's too."
)
@environment_option
@json_option
def evaluate(
    run_id: str, threshold_f1: float | None, environment: str | None, as_json: bool
) -> None:
    """The gate: judge a run's model; exit 1 if it is refused."""
    from mlops.governance.gate import judge_run

    limits = ("gate.thresholds.f1", "gate.sample_thresholds.f1")
    overrides = {} if threshold_f1 is None else dict.fromkeys(limits, threshold_f1)
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
