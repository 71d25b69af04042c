"""The audit log: whether it is whole, and what it says."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops.cli.options import environment_option, folder, json_option, settings_for
from mlops.console import emit, show, show_table
from mlops.errors import ConfigError, Hold, PlatformError, Refused
from mlops.hints import typed
from mlops.platforms import open_platform

if TYPE_CHECKING:
    from mlops.governance.audit.entry import Entry
    from mlops.governance.audit.verify import Finding, Verified
    from mlops.ops.audit_branch.branch import AuditBranch
    from mlops.platforms.auditing import AuditStore
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
    "collection",
)
_SEE = "docs/audit.md says what to do"
_AGAIN = "docs/audit.md#on-github-alone"


_NAMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def _branch_name(
    _context: click.Context, _option: click.Parameter, value: str | None
) -> str | None:
    if value is not None and not _NAMED.fullmatch(value):
        raise click.BadParameter(f"{value!r} is no name of letters, digits, hyphens, underscores")
    return value


branch_option = click.option(
    "--branch",
    metavar="NAME",
    callback=_branch_name,
    help="The log in this branch of the remote origin, in the platform's place.",
)


@click.command()
@branch_option
@environment_option
@json_option
def verify(branch: str | None, environment: str | None, as_json: bool) -> None:
    """Check every line, the chain and its anchor; exit 1 if it is broken, 4 without a line.

    Names each line that was changed, removed, inserted or reordered, and acts without an outcome.
    """
    settings = settings_for(environment)
    found, place = _verified(settings, branch)
    if as_json:
        emit({"place": place, **found.to_dict()})
    if not found.count and found.whole:
        raise Hold(f"there is no audit log yet in {place}", "the first act begins it")
    _show_found(found, place)
    _require_whole(found, place)


def _require_whole(found: "Verified", place: str) -> None:
    if not found.whole:
        kinds = ", ".join(f"{each.kind.value} (line {each.number})" for each in found.findings[:5])
        raise Refused(f"the audit log in {place} is broken: {kinds}", _SEE)


@click.command("show")
@click.option("--model-version", type=int, help="Only what is about this version.")
@click.option("--act", type=click.Choice(_ACTS), help="Only this kind of act.")
@click.option("--serves", is_flag=True, help="What serves now, as the log tells it.")
@branch_option
@environment_option
@json_option
def show_log(
    model_version: int | None,
    act: str | None,
    serves: bool,
    branch: str | None,
    environment: str | None,
    as_json: bool,
) -> None:
    """Show the acts in their order; exit 1 if the log is broken, 4 without one."""
    settings = settings_for(environment)
    store = _store(settings, branch)
    if serves:
        _show_serving(store, as_json)
    else:
        _show_acts(_chosen(store, model_version, act), as_json)
    _require_whole(*_verified(settings, branch))


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
@branch_option
@environment_option
def export(
    target: Path,
    model_version: int | None,
    act: str | None,
    branch: str | None,
    environment: str | None,
) -> None:
    """Write the acts to a CSV file; exit 4 without one."""
    from mlops.files import write_text
    from mlops.governance.audit.table import to_csv

    entries = _chosen(_store(settings_for(environment), branch), model_version, act)
    write_text(target, to_csv(entries))
    show(f"{len(entries):,} lines: {target}")


@click.command()
@click.option("--reason", required=True, help="What was found out about it; it is kept in the log.")
@branch_option
@environment_option
def accept(reason: str, branch: str | None, environment: str | None) -> None:
    """Accept what `verify` finds, so that the log goes on.

    The findings stay named for ever.
    """
    if not reason.strip():
        raise ConfigError("--reason is empty", "say what was found out")
    found = _accepted(settings_for(environment), branch, reason.strip())
    if not found:
        show("nothing is wrong with the audit log, so nothing was accepted")
        return
    show(f"accepted: {', '.join(each.sentence for each in found)}")


@click.command()
@click.option(
    "--collected", type=folder, required=True, help="The folder with the logs that jobs left."
)
@click.option(
    "--branch",
    metavar="NAME",
    default="audit",
    show_default=True,
    callback=_branch_name,
    help="The branch of the remote origin that keeps them; it is made if there is none.",
)
@environment_option
@json_option
def publish(collected: Path, branch: str, environment: str | None, as_json: bool) -> None:
    """Add the lines of a run's logs to a branch, each once.

    Exit 1 if a log or the branch is broken: what can be read is added all the same. Exit 3 if
    nothing could be added, 4 if there is no log.
    """
    from mlops.ci.job import summarise
    from mlops.ops.audit_branch.collected import collected_in
    from mlops.ops.audit_branch.publish import publish as add

    settings = settings_for(environment)
    logs = collected_in(collected, settings)
    if not logs:
        raise Hold(f"there is no audit log in {collected}", "no job left one, or not here")
    try:
        found = add(_branch(settings, branch), logs, settings)
    except PlatformError as error:
        again = typed(f"audit publish --collected {collected}")
        raise PlatformError(error.message, f"nothing is lost: {again} again ({_AGAIN})") from None
    head = found.newest.head if found.newest else ""
    rows = [(branch, found.added, found.known, found.newest.count if found.newest else 0, head)]
    summarise("Audit log", ("branch", "added", "there before", "newest line", "its hash"), rows)
    if as_json:
        emit({"schema": 1, "branch": branch, **found.to_dict()})
    show(f"{found.added:,} lines added to the branch {branch}, {found.known:,} were there before")
    show(f"newest line: {found.newest.text() if found.newest else 'none'}")
    if found.broken:
        raise Refused(", ".join(found.broken), _SEE)


def _branch(settings: "LoadedSettings", name: str) -> "AuditBranch":
    from mlops.ops.audit_branch.branch import AuditBranch
    from mlops.ops.audit_branch.git import Git, as_the_job

    return AuditBranch(Git(settings.project.root, as_the_job()), name)


def _store(settings: "LoadedSettings", branch: str | None) -> "AuditStore":
    return _branch(settings, branch).fetch() if branch else open_platform(settings).audit()


def _verified(settings: "LoadedSettings", branch: str | None) -> "tuple[Verified, str]":
    from mlops.governance.audit.record import verified

    if branch:
        log = _branch(settings, branch).fetch()
        return log.verified(settings), log.place()
    platform = open_platform(settings)
    return verified(platform, settings), platform.audit().place()


def _accepted(settings: "LoadedSettings", branch: str | None, reason: str) -> "tuple[Finding, ...]":
    from mlops.governance.audit.accept import accept_findings

    if not branch:
        return accept_findings(open_platform(settings), settings, reason)
    from mlops.ops.audit_branch.publish import accept_on

    return accept_on(_branch(settings, branch), settings, reason)


def _chosen(store: "AuditStore", model_version: int | None, act: str | None) -> "list[Entry]":
    from mlops.governance.audit.entry import Act
    from mlops.governance.audit.log import read_entries
    from mlops.governance.audit.table import chosen

    wanted = Act(act) if act else None
    entries = chosen(read_entries(store), version=model_version, act=wanted)
    if not entries:
        raise Hold(f"the audit log in {store.place()} has no such line")
    return entries


def _show_acts(entries: "list[Entry]", as_json: bool) -> None:
    if as_json:
        emit({"schema": 1, "entries": [each.to_dict() for each in entries]})
        return
    names = ("line", "time", "where", "act", "outcome", "about", "who")
    show_table("Audit log (UTC)", names, [_row(each) for each in entries])


def _show_serving(store: "AuditStore", as_json: bool) -> None:
    from mlops.governance.audit.log import read_entries
    from mlops.governance.audit.replay import serves_now

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
