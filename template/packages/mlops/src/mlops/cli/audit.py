"""The audit log: whether it is whole, and what it says."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops.cli.options import environment_option, json_option, settings_for
from mlops.console import emit, show, show_table
from mlops.errors import ConfigError, Hold, Refused
from mlops.platforms import open_platform

if TYPE_CHECKING:
    from mlops.governance.audit.entry import Entry
    from mlops.governance.audit.verify import Verified
    from mlops.settings.loading import LoadedSettings

_ACTS = (
    "gate",
    "register",
    "release",
    "switch",
    "rollback",
    "approval",
    "retraining",
    "alarm",
    "deletion",
    "acceptance",
)
_SEE = "docs/audit.md says what to do"


@click.command()
@environment_option
@json_option
def verify(environment: str | None, as_json: bool) -> None:
    """Check every line, the chain and its anchor; exit 1 if it is broken, 4 without a line.

    Names each line that was changed, removed, inserted or reordered, and acts without an outcome.
    """
    from mlops.governance.audit.record import verified

    settings = settings_for(environment)
    platform = open_platform(settings)
    found = verified(platform, settings)
    place = platform.audit().place()
    if as_json:
        emit({"place": place, **found.to_dict()})
    if not found.count and found.whole:
        raise Hold(f"there is no audit log yet in {place}", "the first act begins it")
    _show_found(found, place)
    if not found.whole:
        kinds = ", ".join(f"{each.kind.value} (line {each.number})" for each in found.findings[:5])
        raise Refused(f"the audit log in {place} is broken: {kinds}", _SEE)


@click.command("show")
@click.option("--model-version", type=int, help="Only what is about this version.")
@click.option("--act", type=click.Choice(_ACTS), help="Only this kind of act.")
@click.option("--serves", is_flag=True, help="What serves now, as the log tells it.")
@environment_option
@json_option
def show_log(
    model_version: int | None,
    act: str | None,
    serves: bool,
    environment: str | None,
    as_json: bool,
) -> None:
    """Show the acts in their order; exit 4 without one."""
    settings = settings_for(environment)
    if serves:
        _show_serving(settings, as_json)
        return
    entries = _chosen(settings, model_version, act)
    if as_json:
        emit({"schema": 1, "entries": [each.to_dict() for each in entries]})
        return
    rows = [_row(each) for each in entries]
    show_table("Audit log (UTC)", ("line", "time", "where", "act", "outcome", "about", "who"), rows)


@click.command()
@click.option(
    "--csv",
    "target",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="File to write, for a spreadsheet.",
)
@click.option("--model-version", type=int, help="Only what is about this version.")
@click.option("--act", type=click.Choice(_ACTS), help="Only this kind of act.")
@environment_option
def export(
    target: Path, model_version: int | None, act: str | None, environment: str | None
) -> None:
    """Write the acts to a CSV file; exit 4 without one."""
    from mlops.files import write_text
    from mlops.governance.audit.table import to_csv

    entries = _chosen(settings_for(environment), model_version, act)
    write_text(target, to_csv(entries))
    show(f"{len(entries):,} lines: {target}")


@click.command()
@click.option("--reason", required=True, help="What was found out about it; it is kept in the log.")
@environment_option
def accept(reason: str, environment: str | None) -> None:
    """Accept what `verify` finds, so that the log goes on.

    The findings stay named for ever.
    """
    from mlops.governance.audit.accept import accept_findings

    if not reason.strip():
        raise ConfigError("--reason is empty", "say what was found out")
    settings = settings_for(environment)
    found = accept_findings(open_platform(settings), settings, reason.strip())
    if not found:
        show("nothing is wrong with the audit log, so nothing was accepted")
        return
    show(f"accepted: {', '.join(each.sentence for each in found)}")


def _chosen(
    settings: "LoadedSettings", model_version: int | None, act: str | None
) -> "list[Entry]":
    from mlops.governance.audit.entry import Act
    from mlops.governance.audit.log import read_entries
    from mlops.governance.audit.table import chosen

    store = open_platform(settings).audit()
    wanted = Act(act) if act else None
    entries = chosen(read_entries(store), version=model_version, act=wanted)
    if not entries:
        raise Hold(f"the audit log in {store.place()} has no such line")
    return entries


def _show_serving(settings: "LoadedSettings", as_json: bool) -> None:
    from mlops.governance.audit.log import read_entries
    from mlops.governance.audit.replay import serves_now

    store = open_platform(settings).audit()
    found = serves_now(read_entries(store))
    if not found:
        raise Hold(f"the audit log in {store.place()} tells of nothing that serves")
    if as_json:
        emit({"schema": 1, "serves": [each.to_dict() for each in found]})
        return
    rows = [
        (each.environment, each.endpoint, each.words(), f"{each.since:%Y-%m-%d %H:%M}", each.number)
        for each in found
    ]
    show_table("What serves, by the log", ("where", "endpoint", "versions", "since", "line"), rows)


def _show_found(found: "Verified", place: str) -> None:
    style = "" if found.whole else "bold red"
    said = "whole" if found.whole else "broken"
    show(f"{place}: {found.count:,} lines, {said}", style)
    for each in found.findings:
        show(f"{each.kind.value}: {each.sentence}", "bold red")
    for each in found.accepted:
        show(f"accepted: {each.kind.value}: {each.sentence}", "yellow")
    for remark in found.remarks:
        show(f"remark: {remark}", "yellow")
    for entry in found.open_acts:
        show(
            f"without an outcome: line {entry.number}, {entry.act.value} in {entry.environment}, "
            f"{entry.time:%Y-%m-%d %H:%M} UTC: it was cut off, or goes on",
            "yellow",
        )


def _row(entry: "Entry") -> tuple[object, ...]:
    from mlops.governance.audit.table import about

    return (
        entry.number,
        f"{entry.time:%m-%d %H:%M}",
        entry.environment[:8],
        entry.act.value,
        (entry.outcome or entry.phase.value)[:12],
        about(entry),
        entry.actor.name[:12],
    )
