"""What is told once, afterwards: an alarm between two looks, a withdrawal by the platform."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mlops.monitoring.alerting.episodes import Episode, Key
from mlops.monitoring.past_alarms import PastAlarm
from mlops.monitoring.rules.alerts import Action, Alert, Severity
from mlops.platforms.base import Endpoint

WITHDRAWN = "withdrawn"
"""The note at an endpoint by which a platform says what it withdrew by itself at an alert.

Its text is the version, the deployment and the time, with a blank between two of them;
infra/modules/rollback.json writes it.
"""
_FIELDS = 3


@dataclass(frozen=True)
class Subject:
    """What a message or an incident is about.

    Attributes:
        cause: its name, such as an alert's id.
        title, tells, severity, actions: as of an alert.
        is_rule: whether it is a rule of observability/alerts.yaml.
    """

    cause: str
    title: str
    tells: str
    severity: Severity
    actions: Sequence[Action]
    is_rule: bool = True

    @classmethod
    def of(cls, alert: Alert) -> "Subject":
        """Return that of an alert."""
        return cls(alert.id, alert.title, alert.tells, alert.severity, alert.actions)


@dataclass(frozen=True)
class Notice:
    """Something that happened.

    Attributes:
        key: what it is of.
        reason: a sentence.
        last: when it was last so; who was told of it after that knows of it.
        value, limit: the measured number and what it was compared with, where there are any.
        noticed: whether a look noticed it while it went on.
    """

    key: Key
    reason: str
    last: datetime
    value: float | None = None
    limit: float | None = None
    noticed: bool = False


BY_PLATFORM = Subject(
    cause="platform-rollback",
    title="A version was withdrawn by the platform",
    tells=(
        "An alert of the platform fired, and all traffic went back to what served before. Nobody "
        "has looked at why yet."
    ),
    severity="critical",
    actions=("notify", "incident"),
    is_rule=False,
)


def of_alarm(alarm: PastAlarm) -> Notice:
    """Return the notice of an alarm between two looks."""
    key = Key(alarm.alert.id, alarm.deployment, alarm.model_version)
    return Notice(key, alarm.reason, alarm.last, alarm.value, alarm.limit)


def of_episode(episode: Episode) -> Notice:
    """Return the notice of an alarm that is over and that not all know of."""
    found = episode.decisions[0].reason
    if episode.passed or episode.ended is None:
        return Notice(episode.key, found, episode.began)
    times = f"{episode.began:%Y-%m-%d %H:%M} to {episode.ended:%Y-%m-%d %H:%M} UTC"
    why = f", then {episode.end}" if episode.end else ""
    return Notice(episode.key, f"{found} (noticed, {times}{why})", episode.began, noticed=True)


def of_withdrawal(endpoint: Endpoint) -> Notice | None:
    """Return the notice of the last withdrawal that the platform made by itself, if it made one.

    Raises:
        PlatformError: the endpoint cannot be read.
    """
    fields = endpoint.notes().get(WITHDRAWN, "").split()
    if len(fields) != _FIELDS or not fields[0].isdecimal():
        return None
    version, deployment, text = fields
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    if time.tzinfo is None:
        return None
    reason = (
        f"version {version} ({deployment}) gave way at {time:%Y-%m-%d %H:%M} UTC to what served "
        "before it"
    )
    return Notice(Key(BY_PLATFORM.cause, deployment, int(version)), reason, time)
