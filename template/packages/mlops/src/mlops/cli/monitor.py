"""How the alerts of an endpoint stand, and what follows."""

import os
from typing import TYPE_CHECKING

import click
from rich.text import Text

from mlops.ci.job import set_output
from mlops.cli.options import environment_option, json_option, settings_for
from mlops.console import emit, progress, show, show_table
from mlops.errors import Hold, MlopsError, PlatformError, Refused
from mlops.platforms import open_platform

if TYPE_CHECKING:
    from mlops.monitoring.alert_state import AlertState, Deed, Monitored

_HEAD = ("alert", "version", "outcome", "value", "limit", "events")
_STYLES = {"alarm": "bold red", "ok": "green", "not enough": "yellow", "not read": "bold red"}
_SEE = "docs/alerts.md says what to look at"


@click.command()
@click.option("--act", "acts", is_flag=True, help="Tell who is to know, and do what follows.")
@environment_option
@json_option
def monitor(acts: bool, environment: str | None, as_json: bool) -> None:
    """Evaluate observability/alerts.yaml now; exit 1 on an alarm, 3 if something failed.

    Exit 4 where there is not enough evidence, 0 where all is well or nothing serves.
    """
    from mlops.ops.monitoring import actions_of, look, look_and_act, require_acting
    from mlops.ops.telling import hearers_of

    settings = settings_for(environment)
    if acts:
        require_acting(settings)
    with progress("monitor") as report:
        platform = open_platform(settings)
        report(f"looking at {settings.endpoint_name}")
        if acts:
            hearers = hearers_of(platform, settings, os.environ)
            actions = actions_of(platform, settings, hearers, report)
            found = look_and_act(platform, settings, actions, hearers.receivers)
        else:
            found = look(platform, settings)
    set_output("outcome", found.outcome)
    if as_json:
        emit(found.to_dict())
    _show(found)
    if refusal := _refusal(found):
        raise refusal


def _refusal(found: "Monitored") -> MlopsError | None:
    """Return the error by which a look ends that is not ok."""
    named = {
        1: [f"{each.alert.id} ({each.reason})" for each in found.states if _is(each, "alarm")],
        3: [
            *(f"{each.alert.id} ({each.reason})" for each in found.states if _is(each, "not read")),
            *(f"{_name(each)} ({each.reason})" for each in found.deeds if each.failed),
            *(f"the rule of {alert} ({what})" for alert, what in found.rules),
        ],
        4: [f"{each.alert.id} ({each.reason})" for each in found.states if _is(each, "not enough")],
    }
    kinds: dict[int, type[MlopsError]] = {1: Refused, 3: PlatformError, 4: Hold}
    kind = kinds.get(found.exit_code)
    if kind is None:
        return None
    return kind(f"{found.outcome}: {', '.join(named[found.exit_code])}", _SEE)


def _is(state: "AlertState", outcome: str) -> bool:
    return state.outcome.value == outcome


def _name(deed: "Deed") -> str:
    return f"{deed.kind.value} of {deed.subject}" if deed.subject else deed.kind.value


def _show(found: "Monitored") -> None:
    if found.states:
        title = f"Alerts at {found.endpoint}, {found.time:%Y-%m-%d %H:%M} UTC"
        show_table(title, _HEAD, [_row(each) for each in found.states])
    else:
        show(f"{found.endpoint}: nothing serves, so there is nothing to watch")
    for deed in found.deeds:
        cause = f"{deed.cause}: " if deed.cause else ""
        subject = f" ({deed.subject})" if deed.subject else ""
        style = "bold red" if deed.failed else ""
        show(f"{cause}{deed.kind.value}: {deed.outcome}: {deed.reason}{subject}", style)
    for alert, what in found.rules:
        show(f"the rule of {alert} in Azure Monitor: {what}; deploy infra/ again", "bold red")


def _row(state: "AlertState") -> tuple[object, ...]:
    return (
        state.alert.id,
        "-" if state.model_version is None else state.model_version,
        Text(state.outcome.value, style=_STYLES.get(state.outcome.value, "")),
        "-" if state.value is None else f"{state.value:.4g}",
        f"{state.alert.rule.operator} {state.limit:g}",
        f"{state.rows:,}",
    )
