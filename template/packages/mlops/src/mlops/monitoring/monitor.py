"""The rules of observability/alerts.yaml, evaluated now on the events of an endpoint.

What an alarm is, and of how many events, is the same here and in the rules that infra/ deploys.
Besides, a version that no caller reaches any more judges nothing, and what there is no evidence for
is not ok.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mlops.artifacts.predictions import SCORE, Predictions
from mlops.errors import PlatformError
from mlops.hints import typed
from mlops.monitoring.alert_state import AlertState, Outcome, events_of, measured
from mlops.monitoring.event_properties import SourceName
from mlops.monitoring.rules.alerts import Alert
from mlops.monitoring.rules.evaluate import alarms, check_frame, evaluate, last_window
from mlops.monitoring.rules.limits import limit_of
from mlops.monitoring.rules.shapes import ROWS
from mlops.platforms.base import Endpoint
from mlops.platforms.traffic_rules import leading_deployment
from mlops.settings.loading import LoadedSettings
from mlops.window import Window

if TYPE_CHECKING:
    import polars as pl

COMMANDS: Mapping[SourceName, str] = {"drift": "drift", "performance": "feedback"}
"""The command that checks what events of a source tell."""


@dataclass(frozen=True)
class Served:
    """What answers callers now.

    Attributes:
        versions: all that have a share of the traffic.
        deployments: all that have one, with their versions.
        deployment, version: of the one with most; None: nothing serves.
    """

    versions: frozenset[int] = frozenset()
    deployments: frozenset[tuple[str, int]] = frozenset()
    deployment: str | None = None
    version: int | None = None


def served_by(endpoint: Endpoint) -> Served:
    """Return what answers the callers of an endpoint."""
    leading = leading_deployment(endpoint) if endpoint.exists() else None
    if leading is None:
        return Served()
    traffic = endpoint.traffic()
    reached = frozenset(
        (each.name, each.model_version) for each in endpoint.deployments() if traffic.get(each.name)
    )
    versions = frozenset(version for _, version in reached)
    return Served(versions, reached, leading.name, leading.model_version)


def evaluate_alerts(
    endpoint: Endpoint, settings: LoadedSettings, alerts: Sequence[Alert], now: datetime
) -> list[AlertState]:
    """Return how each alert stands: one for each group of its events, at least one if any serves.

    Where nothing serves, only what there is evidence for is returned.

    Args:
        endpoint: whose events.
        settings: of its environment: they hold the limits.
        alerts: the rules.
        now: when the windows end.

    Raises:
        ConfigError: a limit is null.
    """
    served = served_by(endpoint)
    asked = [
        _Asked(each, limit_of(each.rule, settings.values), Window.last(last_window(each), now))
        for each in alerts
    ]
    states: list[AlertState] = []
    for source in dict.fromkeys(each.alert.source for each in asked):
        of_source = [each for each in asked if each.alert.source == source]
        states += _of_source(endpoint, served, source, of_source)
    order = {each.id: number for number, each in enumerate(alerts)}
    states.sort(key=lambda state: order[state.alert.id])
    if served.version is None:
        return [each for each in states if each.outcome is not Outcome.NOT_ENOUGH]
    return states


@dataclass(frozen=True)
class _Asked:
    alert: Alert
    limit: float
    window: Window

    def state(self, outcome: Outcome, reason: str, **values: Any) -> AlertState:
        return AlertState(self.alert, outcome, reason, self.window, self.limit, **values)


def _of_source(
    endpoint: Endpoint, served: Served, source: SourceName, asked: Sequence[_Asked]
) -> Iterable[AlertState]:
    """Return the states of all alerts of one source, whose events are read once."""
    whole = Window(min(each.window.start for each in asked), asked[0].window.end)
    found: Predictions | None = None
    try:
        if source == "prediction":
            found = endpoint.predictions(whole)
            rows = found.rows.collect()
        else:
            rows = check_frame(source, endpoint.checks(source, whole))
    except PlatformError as error:
        return [each.state(Outcome.UNREAD, error.message) for each in asked]
    states: list[AlertState] = []
    for each in asked:
        groups = _groups(each, served, rows)
        if found and (doubt := _doubt(found, each.alert)):
            groups = [_doubted(state, doubt) for state in groups]
        if served.version is not None and all(
            state.model_version != served.version for state in groups
        ):
            groups.append(_nothing(each, served, rows))
        states += [*groups, *_silent(each, served, groups)]
    return states


def _groups(asked: _Asked, served: Served, rows: "pl.DataFrame") -> list[AlertState]:
    alert = asked.alert
    loose = alert.model_copy(update={"least": 1})
    answer = evaluate(loose, {alert.source: rows}, asked.window).with_row_index(_NUMBER)
    firing = {*alarms(answer, alert.rule, asked.limit)[_NUMBER]}
    return [
        _state(asked, served, row, alarm=row[_NUMBER] in firing)
        for row in answer.iter_rows(named=True)
    ]


_NUMBER = "_number"


def _state(asked: _Asked, served: Served, row: Mapping[str, Any], *, alarm: bool) -> AlertState:
    alert, measure = asked.alert, asked.alert.rule.measure
    version, value, count = row.get("model_version"), row[measure], int(row[ROWS])
    of = {
        "deployment": row.get("deployment") or None,
        "model_version": version,
        "rows": count,
        "value": None if value is None else float(value),
    }
    if served.version is not None and version is not None and version not in served.versions:
        reason = f"version {version} answers no caller any more"
        return asked.state(Outcome.NOT_SERVING, reason, **of)
    if count < alert.least:
        return asked.state(Outcome.NOT_ENOUGH, _too_few(alert, count), **of)
    if value is None:
        return asked.state(Outcome.NOT_ENOUGH, f"no event holds {measure}", **of)
    return asked.state(
        Outcome.ALARM if alarm else Outcome.OK, measured(alert, asked.limit, value, count), **of
    )


def _too_few(alert: Alert, count: int) -> str:
    return f"{count:,} {events_of(alert)} in {alert.window}, {alert.least:,} are needed"


def _doubt(found: Predictions, alert: Alert) -> str:
    """Return which events that an alert asks for there are and are not here, or nothing.

    The time of what `mlops score` wrote is not known without reading it, so that one file of it
    would cast doubt on requests for as long as it is kept.
    """
    of_source = [each for each in alert.where if each.column == "source"]
    asks_scores = all(each.allows(SCORE) for each in of_source)
    unread = found.unread.keys() - (frozenset() if asks_scores else found.of_scores)
    if unread:
        return f"{len(unread)} files of events could not be read"
    return f"{found.dropped:,} events were dropped before they were kept" if found.dropped else ""


def _doubted(state: AlertState, doubt: str) -> AlertState:
    """Return what is left of a state where some events are not known: no all-clear."""
    if state.outcome is not Outcome.OK:
        return state
    reason = f"{doubt}, and there is no alarm in the others"
    return replace(state, outcome=Outcome.NOT_ENOUGH, reason=reason)


def _silent(asked: _Asked, served: Served, groups: Sequence[AlertState]) -> Iterable[AlertState]:
    """Yield the states of other deployments that get requests, and of which there is no event."""
    if "deployment" not in asked.alert.by:
        return
    seen = {(each.deployment, each.model_version) for each in groups}
    for name, version in sorted(served.deployments - seen):
        yield asked.state(
            Outcome.NOT_ENOUGH, _too_few(asked.alert, 0), deployment=name, model_version=version
        )


def _nothing(asked: _Asked, served: Served, rows: "pl.DataFrame") -> AlertState:
    """Return the state of the version that serves and of which nothing is known."""
    alert = asked.alert
    if alert.source not in COMMANDS:
        reason = _too_few(alert, 0)
    else:
        inside = rows.filter(
            (rows["time"] >= asked.window.start) & (rows["model_version"] == served.version)
        )
        newest = inside.sort("time").tail(1)["outcome"].to_list() if len(inside) else []
        command = typed(COMMANDS[alert.source])
        reason = (
            f"the newest check of version {served.version} says {newest[0]}"
            if newest
            else f"no check of version {served.version} in {alert.window}: {command} makes one"
        )
    return asked.state(
        Outcome.NOT_ENOUGH, reason, deployment=served.deployment, model_version=served.version
    )
