"""Alarms between two looks: what began after the last one and was over before this one.

A rule of Azure Monitor looks every few minutes, `mlops monitor` once in an hour. So it slides each
rule of predictions over the time since its last look, as often as the rule says (`every`). What it
finds there is told, and nothing follows from it: what counts for an action is how things stand now.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from mlops.errors import MlopsError, PlatformError
from mlops.monitoring.alert_state import measured
from mlops.monitoring.rules.alerts import Alert
from mlops.monitoring.rules.evaluate import END, alarms, evaluate_sliding, last_window
from mlops.monitoring.rules.limits import limit_of
from mlops.monitoring.rules.shapes import ROWS
from mlops.platforms.base import Endpoint
from mlops.settings.loading import LoadedSettings
from mlops.window import Window, span_of

if TYPE_CHECKING:
    import polars as pl

LOOK = "look"
LONGEST = timedelta(hours=24)
"""So far back is looked at most; what a longer silence hid stays hidden."""
LATE = timedelta(minutes=15)
"""So late an event may arrive: what ended this long before the last look is looked at again."""
_KEPT = timedelta(days=30)


@dataclass(frozen=True)
class PastAlarm:
    """An alarm that was there between two looks.

    Attributes:
        alert: the rule.
        deployment, model_version: whose events.
        began: when the first window ended that was an alarm.
        last: when the last one did.
        value, limit, rows: of the window that was worst, and what it was compared with.
        windows: how many were an alarm.
    """

    alert: Alert
    deployment: str | None
    model_version: int | None
    began: datetime
    last: datetime
    value: float
    limit: float
    rows: int
    windows: int

    @property
    def reason(self) -> str:
        """A sentence with the numbers, and from when to when it was."""
        worst = measured(self.alert, self.limit, self.value, self.rows)
        return (
            f"from {self.began:%Y-%m-%d %H:%M} to {self.last:%Y-%m-%d %H:%M} UTC, in "
            f"{self.windows} windows of {self.alert.window}: at worst {worst}"
        )


@dataclass(frozen=True)
class LookedBack:
    """The time since the last look.

    Attributes:
        alarms: those that were there.
        problem: why that time could not be looked at; empty: it was, or there was no last look.
    """

    alarms: tuple[PastAlarm, ...] = ()
    problem: str = ""


def look_back(
    endpoint: Endpoint, settings: LoadedSettings, alerts: Sequence[Alert], now: datetime
) -> LookedBack:
    """Return the alarms since the last look; at the first look there is nothing to look back on."""
    try:
        since = _last_look(endpoint, now)
        if since is None:
            return LookedBack()
        return LookedBack(tuple(past_alarms(endpoint, settings, alerts, since - LATE, now)))
    except PlatformError as error:
        return LookedBack(problem=f"the time since the last look is not known: {error.message}")


def past_alarms(
    endpoint: Endpoint,
    settings: LoadedSettings,
    alerts: Sequence[Alert],
    since: datetime,
    now: datetime,
) -> Iterator[PastAlarm]:
    """Yield the alarms of windows that ended after one moment and before another.

    Raises:
        ConfigError: a limit is null.
        PlatformError: the events cannot be read.
    """
    asked = [each for each in alerts if each.source == "prediction"]
    since = max(since, now - LONGEST)
    if not asked or since >= now:
        return
    longest = max(last_window(each) for each in asked)
    rows = endpoint.predictions(Window(since - longest, now)).rows.collect()
    for each in asked:
        yield from _of_alert(each, limit_of(each.rule, settings.values), rows, Window(since, now))


def keep_look(endpoint: Endpoint, settings: LoadedSettings, now: datetime, outcome: str) -> str:
    """Take note of a look, so that the next one looks back on it; return why that failed, or "".

    Args:
        endpoint: what was looked at.
        settings: of its environment.
        now: when.
        outcome: in a word.
    """
    look = {
        "check": LOOK,
        "time": now.isoformat(),
        "environment": settings.values.environment,
        "endpoint": endpoint.name,
        "outcome": outcome,
    }
    try:
        endpoint.keep_checks([look])
    except MlopsError as error:
        return f"it could not be remembered: {error.message}"
    return ""


def _last_look(endpoint: Endpoint, now: datetime) -> datetime | None:
    looks = endpoint.checks(LOOK, Window(now - _KEPT, now))
    return datetime.fromisoformat(looks[-1]["time"]) if looks else None


def _of_alert(
    alert: Alert, limit: float, rows: "pl.DataFrame", window: Window
) -> Iterator[PastAlarm]:
    """Yield what one rule finds, one of each group; the window of now is not of the past."""
    answer = evaluate_sliding(alert, {alert.source: rows}, window, span_of(alert.every))
    firing = alarms(answer, alert.rule, limit)
    groups: dict[tuple[Any, Any], list[dict[str, Any]]] = {}
    for row in firing.iter_rows(named=True):
        if row[END] < window.end:
            of = (row.get("deployment") or None, row.get("model_version"))
            groups.setdefault(of, []).append(row)
    for (deployment, version), found in groups.items():
        sign = 1 if alert.rule.operator in (">", ">=") else -1
        worst = max(found, key=lambda row: sign * row[alert.rule.measure])
        yield PastAlarm(
            alert,
            deployment,
            version,
            began=found[0][END],
            last=found[-1][END],
            value=float(worst[alert.rule.measure]),
            limit=limit,
            rows=int(worst[ROWS]),
            windows=len(found),
        )
