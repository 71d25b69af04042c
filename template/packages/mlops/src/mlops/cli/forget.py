"""A person's request to be deleted: a key is removed from what the project keeps, and stays out."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops.cli.options import environment_option, folder, json_option, settings_for
from mlops.console import emit, progress, show, show_result, show_table
from mlops.errors import ConfigError, Hold
from mlops.platforms import open_platform

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any

    from mlops.artifacts.forgotten import Forgetting
    from mlops.forgetting.command import Outcome
    from mlops.settings.loading import LoadedSettings

_STDIN = "-"


@click.command()
@click.option(
    "--key", help="Whom to forget: a value of KEY; - reads it from standard input, unseen by ps."
)
@click.option("--dry-run", is_flag=True, help="Tell what would be removed; change nothing.")
@click.option(
    "--scores",
    type=folder,
    multiple=True,
    help="A folder of predictions that was moved or copied; can be given several times.",
)
@click.option(
    "--by-hand-done",
    "by_hand",
    is_flag=True,
    help="Say that what no command removes was removed by people in this environment.",
)
@click.option("--list", "lists", is_flag=True, help="Show the requests, without their keys.")
@environment_option
@json_option
def forget(
    key: str | None,
    dry_run: bool,
    scores: tuple[Path, ...],
    by_hand: bool,
    lists: bool,
    environment: str | None,
    as_json: bool,
) -> None:
    """Remove a key from events, holdouts and scores, and keep it out of later data.

    Names the versions that were trained on it. Killed half-way, the same call goes on. Exit 4 if
    something is left, cannot be read, or the key stood nowhere. docs/forget.md.
    """
    settings = settings_for(environment)
    if lists:
        if key is not None or dry_run or scores or by_hand:
            raise ConfigError("--list is asked alone", "leave the other options out")
        _list(settings, as_json=as_json)
        return
    if key is None:
        raise ConfigError("no key is named", "give --key, or --list for the requests so far")
    if dry_run and by_hand:
        raise ConfigError("--dry-run says nothing of what was done", "leave --by-hand-done out")
    from mlops.forgetting import command

    named = sys.stdin.readline().strip() if key == _STDIN else key
    still_open = None
    with progress("forget") as report:
        platform = open_platform(settings)
        try:
            if dry_run:
                found = command.dry_run(named, settings, platform, scores, report)
            else:
                found = command.forget(named, settings, platform, scores, report, by_hand=by_hand)
        except command.StillOpen as error:
            found, still_open = error.outcome, error
    _tell(found, as_json=as_json)
    if still_open:
        raise still_open
    _end(found)


def _tell(found: "Outcome", *, as_json: bool) -> None:
    """Say what came of it."""
    request = found.request
    if as_json:
        emit({"schema": 1, "outcome": found.word, **request.to_dict(), "notes": [*found.notes]})
    else:
        _show(request, found.word)
    for note in found.notes:
        show(f"note: {note}", style="yellow")


def _end(found: "Outcome") -> None:
    """End with the exit code of the outcome."""
    from mlops.forgetting.command import KNOWN

    request = found.request
    if request.pending:
        raise Hold(f"{len(request.pending)} places would be left", "docs/forget.md")
    if not request.rows and found.word != KNOWN:
        listed = "" if found.dry else ", and it is on the suppression list all the same"
        raise Hold(
            f"the key stood in none of the files that were searched{listed}",
            "see whether it is typed as the data have it",
        )


def _show(request: "Forgetting", word: str) -> None:
    rows: list[tuple[object, ...]] = [("outcome", word)]
    rows += [(store, f"{count:,} rows") for store, count in sorted(request.removed.items())]
    rows.append(("versions trained on it", _numbers(request.versions) or "none"))
    if request.not_known:
        rows.append(("versions of which it is not known", _numbers(request.not_known)))
    show_table(f"Request {request.id}".strip(), ("", ""), rows, is_result=True)
    for each in request.pending:
        show_result(f"left: {each}")
    if request.versions or request.not_known:
        show("train them again, as each was trained, then release", style="yellow")
    show("not looked at: source data, backups, other machines (docs/forget.md)", style="yellow")


def _list(settings: "LoadedSettings", *, as_json: bool) -> None:
    from mlops.artifacts.forgotten import read_requests
    from mlops.data.suppression import ends_of, list_file, read_entries

    requests = read_requests(settings.project.state_dir)
    ends = {each.request: ends_of(each, settings) for each in read_entries(list_file(settings))}
    if as_json:
        content = [{**each.to_dict(), **_kept_out(each.id, ends)} for each in requests]
        emit({"schema": 1, "requests": content})
        return
    rows = [
        (
            each.id,
            each.began[:16],
            "done" if each.ended else "open",
            f"{each.rows:,}",
            _numbers(each.versions),
            len(each.pending),
            _until(each.id, ends),
        )
        for each in requests
    ]
    head = ("request", "began", "", "rows removed", "versions", "left", "kept out until")
    show_table("Requests of deletion", head, rows, is_result=True)


def _kept_out(request: str, ends: "Mapping[str, datetime | None]") -> "dict[str, Any]":
    """Return whether the list has the key of a request, and until when; null: no end is set."""
    end = ends.get(request)
    return {"on_list": request in ends, "kept_out_until": end.isoformat() if end else None}


def _until(request: str, ends: "Mapping[str, datetime | None]") -> str:
    if request not in ends:
        return "not listed"
    end = ends[request]
    return f"{end:%Y-%m-%d}" if end else "no end"


def _numbers(versions: tuple[int, ...]) -> str:
    return ", ".join(map(str, versions))
