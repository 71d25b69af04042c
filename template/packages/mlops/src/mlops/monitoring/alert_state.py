"""How each alert stands at one moment, and what a monitor did about it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from mlops.monitoring.decisions import Kind
from mlops.monitoring.rules.alerts import Alert
from mlops.window import Window

NOTHING_SERVES = "nothing serves"


class Outcome(StrEnum):
    """How an alert stands."""

    OK = "ok"
    ALARM = "alarm"
    NOT_ENOUGH = "not enough"
    """Too few events, or no recent check: nothing can be said."""
    NOT_SERVING = "not serving"
    """Events of a version that no caller reaches any more: they judge nothing."""
    UNREAD = "not read"
    """The platform does not tell its events for now."""


def measured(alert: Alert, limit: float, value: float, count: int) -> str:
    """Return the sentence on what was measured, of so many events."""
    rule = alert.rule
    return (
        f"{rule.measure} is {value:.4g} on {count:,} {events_of(alert)}, "
        f"an alarm where {rule.operator} {limit:g}"
    )


def events_of(alert: Alert) -> str:
    """Return what the rows of an alert's source are called."""
    return "events" if alert.source in ("prediction", "traffic") else "checks"


@dataclass(frozen=True)
class AlertState:
    """One alert for one group of its events, such as a version.

    Attributes:
        alert: the rule.
        outcome: how it stands.
        reason: a sentence.
        window: which time was looked at.
        limit: what was compared with.
        deployment, model_version: whose events; None where they are of no one.
        rows: how many events there were.
        value: the measured number.
    """

    alert: Alert
    outcome: Outcome
    reason: str
    window: Window
    limit: float
    deployment: str | None = None
    model_version: int | None = None
    rows: int = 0
    value: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return what `--json` prints of it."""
        return {
            "id": self.alert.id,
            "severity": self.alert.severity,
            "outcome": self.outcome.value,
            "reason": self.reason,
            "deployment": self.deployment,
            "model_version": self.model_version,
            "rows": self.rows,
            "least": self.alert.least,
            "measure": self.alert.rule.measure,
            "value": self.value,
            "operator": self.alert.rule.operator,
            "limit": self.limit,
            "window_start": self.window.start.isoformat(),
            "window_end": self.window.end.isoformat(),
        }


@dataclass(frozen=True)
class Deed:
    """One thing that was done, or could not be.

    Attributes:
        kind: what it is.
        cause: the alert's id; empty: it follows from none.
        outcome: a word.
        reason: a sentence.
        subject: what it is of by name, such as who was told or an incident's address.
        failed: whether it should have worked and did not.
    """

    kind: Kind
    cause: str
    outcome: str
    reason: str
    subject: str | None = None
    failed: bool = False


@dataclass(frozen=True)
class Monitored:
    """One look at an endpoint.

    Attributes:
        environment, endpoint: where.
        time: when.
        serves: whether anything does.
        states: how each alert stands.
        deeds: what was done.
        rules: the platform's own alert rules that are missing or switched off, by alert.
    """

    environment: str
    endpoint: str
    time: datetime
    serves: bool
    states: tuple[AlertState, ...]
    deeds: tuple[Deed, ...] = ()
    rules: tuple[tuple[str, str], ...] = ()

    @property
    def outcome(self) -> str:
        """The one word of it; what is worse comes first."""
        found = {each.outcome for each in self.states}
        if Outcome.ALARM in found:
            return Outcome.ALARM.value
        if Outcome.UNREAD in found or self.rules or _failed(self.deeds):
            return "failed"
        if Outcome.NOT_ENOUGH in found:
            return Outcome.NOT_ENOUGH.value
        return Outcome.OK.value if self.serves or found else NOTHING_SERVES

    @property
    def exit_code(self) -> int:
        """That of the command."""
        return {"alarm": 1, "failed": 3, "not enough": 4}.get(self.outcome, 0)

    def to_dict(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return {
            "environment": self.environment,
            "endpoint": self.endpoint,
            "time": self.time.isoformat(),
            "outcome": self.outcome,
            "alerts": [each.to_dict() for each in self.states],
            "done": [
                {
                    "kind": each.kind.value,
                    "cause": each.cause,
                    "outcome": each.outcome,
                    "reason": each.reason,
                    "subject": each.subject,
                    "failed": each.failed,
                }
                for each in self.deeds
            ],
            "rules": [{"alert": alert, "outcome": outcome} for alert, outcome in self.rules],
        }


def _failed(deeds: Iterable[Deed]) -> bool:
    return any(each.failed for each in deeds)
