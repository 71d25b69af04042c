"""Train the model that serves again, if what was found is reason enough."""

import os
from typing import TYPE_CHECKING

import click

from mlops.ci.job import set_output
from mlops.cli.interrupts import tells_what_serves
from mlops.cli.options import environment_option, json_option, settings_for
from mlops.cli.release import rehearsal_option
from mlops.console import emit, progress, show, show_table
from mlops.errors import Hold, MlopsError, PlatformError, Refused
from mlops.hints import typed
from mlops.platforms import open_platform

if TYPE_CHECKING:
    from mlops.monitoring.retraining.command import Retrained

_REMEDIES = {
    "stopped": "docs/retraining.md says what to look at, and how to go on",
    "outdated": f"if what serves now is to be trained again: {typed('retrain --cause TEXT')}",
    "not enough": f"{typed('drift')} and {typed('feedback')} look at what there is",
}


@click.command()
@click.option("--cause", metavar="TEXT", help="Train again because of this, whatever was found.")
@click.option("--dry-run", is_flag=True, help="Decide alone: nothing is kept, told or trained.")
@rehearsal_option
@environment_option
@json_option
@tells_what_serves
def retrain(
    cause: str | None, dry_run: bool, rehearsal: bool, environment: str | None, as_json: bool
) -> None:
    """Train the model that serves again, if drift, performance or age are reason enough.

    What the gate and the A/B test refuse is not released. Exit 1 if it is refused or has stopped, 3
    if it failed or somebody could not be told, 4 if nothing can be told.
    """
    from mlops.monitoring.retraining.command import retrain
    from mlops.monitoring.retraining.steps import steps_of
    from mlops.ops.telling import hearers_of

    settings = settings_for(environment)
    platform = open_platform(settings)
    steps = steps_of(platform, hearers_of(platform, settings, os.environ), rehearsal=rehearsal)
    by_hand = cause.strip() or None if cause else None
    with progress("retrain") as report:
        found = retrain(platform, settings, steps, report, by_hand=by_hand, dry_run=dry_run)
    set_output("verdict", found.outcome)
    if found.candidate is not None:
        set_output("candidate", found.candidate.line())
    _show(found)
    if as_json:
        emit(found.to_dict())
    if error := _error(found):
        raise error


def _show(found: "Retrained") -> None:
    rows = [
        ("outcome", found.outcome),
        ("cause", found.cause),
        ("why", found.reason),
    ]
    if found.model_version is not None:
        rows.append(("served when decided", f"version {found.model_version}"))
    if found.lost:
        rows.append(("of which nothing was heard", ", ".join(found.lost)))
    if found.candidate is not None:
        rows.append(("candidate", f"{found.candidate.id}, of commit {found.candidate.commit}"))
    if found.new_version is not None:
        rows.append(("its version", str(found.new_version)))
    show_table(f"Retraining at {found.endpoint}", ("", ""), rows)
    for deed in found.told:
        subject = f" ({deed.subject})" if deed.subject else ""
        style = "bold red" if deed.failed else ""
        show(f"{deed.cause}: {deed.kind.value}: {deed.outcome}: {deed.reason}{subject}", style)
    if found.manifest is not None and found.outcome == "retrain":
        show(
            "the pipeline trains it: gh workflow run ml-cicd.yml --ref main --field "
            f"candidate=@{found.manifest}"
        )


def _error(found: "Retrained") -> MlopsError | None:
    """Return the error by which the command ends, if it does."""
    kind = {0: None, 1: Refused, 3: PlatformError, 4: Hold}[found.exit_code]
    if kind is None:
        return None
    untold = "".join(
        f", {each.kind.value} of {each.subject or each.cause} failed: {each.reason}"
        for each in found.untold
    )
    return kind(f"{found.outcome}: {found.reason}{untold}", _REMEDIES.get(found.outcome, ""))
