"""A year of the closed loop in a few minutes, in a folder of its own."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click
from rich.text import Text

from mlops.cli.main import exit_code_of, mlops
from mlops.cli.options import json_option
from mlops.clock import Clock
from mlops.console import console, emit, show, show_table
from mlops.errors import Refused
from mlops.settings.project import find_project

if TYPE_CHECKING:
    from mlops.simulation.events import Event
    from mlops.simulation.simulate import Simulated

LINKS = ("events", "labels", "gate", "candidate", "webhook", "registry")
_HEAD = ("date", "what", "outcome", "exit")
_LONGEST = 120
_SEED = 7


@click.command()
@click.option(
    "--break",
    "link",
    type=click.Choice(LINKS),
    help="Break this link of the loop: what serves is to serve on.",
)
@click.option(
    "--seed", type=int, default=_SEED, show_default=True, help="The same seed gives the same data."
)
@json_option
def simulate(link: str | None, seed: int, as_json: bool) -> None:
    """Play a year of the closed loop in a few minutes, in a folder of its own.

    By the usual commands and a clock that is moved: drift, an alarm, candidates that are refused or
    released, late labels, a release that fails, the way back. It works in .mlops/simulation, and
    nothing else of the project changes. Exit 1 if something ended otherwise than planned.
    """
    from mlops.simulation.play import Screen
    from mlops.simulation.scenario import Break
    from mlops.simulation.simulate import simulate

    screen = console()
    with screen.status("simulate") as status:

        def doing(what: str) -> None:
            status.update(Text(f"simulate: {what}"))

        def tell(event: "Event") -> None:
            screen.print(_line(event))

        broken = Break(link) if link else None
        found = simulate(find_project(), _called, Screen(doing, tell), seed, broken)
    _show(found, as_json=as_json)
    if otherwise := found.otherwise:
        raise Refused(
            f"{len(otherwise)} of {len(found.events)} events ended otherwise than planned: "
            + ", ".join(
                f"{each.what.strip()} ({each.otherwise} was planned)" for each in otherwise
            ),
            "docs/simulation.md says what that can mean",
        )


def _called(arguments: Sequence[str], clock: Clock) -> int:
    """Run a command in this process as the command line would; return its exit code."""
    return exit_code_of(lambda: mlops.main(list(arguments), standalone_mode=False, obj=clock))


def _show(found: "Simulated", *, as_json: bool) -> None:
    if as_json:
        emit(found.to_dict())
    else:
        rows = [_row(each) for each in found.events]
        show_table("A simulated year", _HEAD, rows, is_result=True)
    show(f"what the commands said: {found.log}")
    show(f"the page: {found.page}")


def _row(event: "Event") -> tuple[object, ...]:
    if not event.what:
        return f"{event.time:%Y-%m-%d}", "", Text(event.outcome, style="bold"), ""
    code = "" if event.exit_code is None else event.exit_code
    return "", event.what, _came_of(event), code


def _line(event: "Event") -> Text:
    """Return an event as it is shown while the year goes on."""
    if not event.what:
        return Text(f"{event.time:%Y-%m-%d}  {event.outcome}", style="bold")
    code = "" if event.exit_code is None else f"exit {event.exit_code}  "
    return Text.assemble(f"{'':10}  {event.what:<14}  {code}", _came_of(event))


def _came_of(event: "Event") -> Text:
    """Return an event's outcome, and what was planned instead."""
    text = event.outcome
    said = Text(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…")
    if event.otherwise:
        said.append(f" (planned: {event.otherwise})", style="bold red")
    return said
