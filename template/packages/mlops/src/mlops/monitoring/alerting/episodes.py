"""What is remembered of alarms, read from what was decided: so a fresh machine goes on.

An alarm of one cause and one version is an episode. It is kept as decisions about the alert:
`fired` begins it, `goes on` renews it once in a while, `resolved` ends it. Who was told is a
decision about each notification: `alarm told` or `end told`, with the receiver as its subject.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mlops.monitoring.alert_state import AlertState
from mlops.monitoring.decisions import Decision, Kind

FIRED, GOES_ON, RESOLVED = "fired", "goes on", "resolved"
ALARM_TOLD, END_TOLD = "alarm told", "end told"
MEMORY = timedelta(days=30)
"""So far back decisions are read; an alarm that goes on is renewed more often."""


@dataclass(frozen=True)
class Key:
    """What an alarm is of."""

    cause: str
    deployment: str | None
    model_version: int | None

    @classmethod
    def of(cls, said: AlertState | Decision) -> "Key":
        """Return what a state or a decision is of."""
        cause = said.alert.id if isinstance(said, AlertState) else said.cause
        return cls(cause, said.deployment, said.model_version)

    def name(self, endpoint: str) -> str:
        """Return its name among all endpoints, which stays the same as long as it goes on."""
        parts = (endpoint, self.cause, self.deployment, self.model_version)
        return "/".join("-" if each is None else str(each) for each in parts)


@dataclass(frozen=True)
class Episode:
    """The last alarm of a key.

    Attributes:
        key: what it is of.
        began: when it fired.
        announced: when it fired, or was last renewed.
        ended: when it was resolved; None: it goes on.
        decisions: all that was decided about the key since it began.
    """

    key: Key
    began: datetime
    announced: datetime
    ended: datetime | None
    decisions: tuple[Decision, ...]

    @property
    def open(self) -> bool:
        """Whether it goes on."""
        return self.ended is None

    def told(self, receiver: str) -> bool:
        """Tell whether a receiver knows the newest that there is to tell."""
        if self.ended is None:
            return self._has(ALARM_TOLD, receiver, self.announced)
        if not self._has(ALARM_TOLD, receiver, self.began):
            return True
        return self._has(END_TOLD, receiver, self.ended)

    def done(self, kind: Kind, outcomes: Sequence[str]) -> bool:
        """Tell whether something of it was done already, with one of these outcomes."""
        return any(each.kind is kind and each.outcome in outcomes for each in self.decisions)

    def _has(self, outcome: str, receiver: str, since: datetime) -> bool:
        return any(
            each.kind is Kind.NOTIFICATION
            and each.outcome == outcome
            and each.subject == receiver
            and each.time >= since
            for each in self.decisions
        )


def episodes(decided: Iterable[Decision]) -> dict[Key, Episode]:
    """Return the last episode of each key.

    Args:
        decided: what was decided, oldest first.
    """
    by_key: dict[Key, list[Decision]] = {}
    for each in decided:
        by_key.setdefault(Key.of(each), []).append(each)
    found = {}
    for key, history in by_key.items():
        if episode := _last(key, history):
            found[key] = episode
    return found


def _last(key: Key, history: Sequence[Decision]) -> Episode | None:
    began = announced = ended = None
    since: list[Decision] = []
    for each in history:
        if each.kind is Kind.ALERT:
            if each.outcome == RESOLVED:
                ended = each.time if began else None
            elif began is None or ended is not None:
                began, announced, ended, since = each.time, each.time, None, []
            else:
                announced = each.time
        since.append(each)
    if began is None or announced is None:
        return None
    return Episode(key, began, announced, ended, tuple(since))
