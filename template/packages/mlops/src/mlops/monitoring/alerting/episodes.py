"""What is remembered of alarms, read from what was decided: so a fresh machine goes on.

An alarm of one cause and one version is an episode. It is kept as decisions about the alert:
`fired` begins it, `goes on` renews it once in a while, `resolved` ends it. Where its version was
given to callers anew meanwhile, `fired anew` begins another. `passed` is one that was over before
anybody looked. Who was told is a decision about each notification: `alarm told`, `end told` or
`told afterwards`, with the receiver as its subject. `failed` is an attempt that did not arrive.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mlops.monitoring.alert_state import AlertState
from mlops.monitoring.decisions import Decision, Kind

FIRED, GOES_ON, RESOLVED = "fired", "goes on", "resolved"
FIRED_ANEW, PASSED = "fired anew", "passed"
ALARM_TOLD, END_TOLD, PASSED_TOLD = "alarm told", "end told", "told afterwards"
FAILED = "failed"
GIVEN_UP = "given up"
"""Of the way back: it failed so often that it is not tried again."""
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
        announced: when it fired, was last renewed, or its way back was given up.
        ended: when it was resolved; None: it goes on.
        decisions: all that was decided about the key since it began.
        passed: whether it was over before anybody looked.
    """

    key: Key
    began: datetime
    announced: datetime
    ended: datetime | None
    decisions: tuple[Decision, ...]
    passed: bool = False

    @property
    def open(self) -> bool:
        """Whether it goes on."""
        return self.ended is None

    def told(self, receiver: str) -> bool:
        """Tell whether a receiver knows the newest that there is to tell."""
        if self.passed:
            return self._has(PASSED_TOLD, receiver, self.began)
        if self.ended is None:
            return self._has(ALARM_TOLD, receiver, self.announced)
        if not self._has(ALARM_TOLD, receiver, self.began):
            return True
        return self._has(END_TOLD, receiver, self.ended)

    def missed(self, receiver: str) -> bool:
        """Tell whether a receiver is still to be told of it now that it is over.

        Of what a look noticed it is who could not be told then, and everybody where nobody was;
        a receiver that was added meanwhile is not.
        """
        if self.ended is None or self._has(PASSED_TOLD, receiver, self.ended):
            return False
        if self.passed:
            return True
        if self._has(ALARM_TOLD, receiver, self.began):
            return False
        nobody = not self.done(Kind.NOTIFICATION, (ALARM_TOLD,))
        return nobody or self._has(FAILED, receiver, self.began)

    def done(self, kind: Kind, outcomes: Sequence[str]) -> bool:
        """Tell whether something of it was done already, with one of these outcomes."""
        return self.count(kind, outcomes) > 0

    def count(self, kind: Kind, outcomes: Sequence[str], since: datetime | None = None) -> int:
        """Return how often something of it was done with one of these outcomes."""
        return sum(
            each.kind is kind and each.outcome in outcomes and (since is None or each.time >= since)
            for each in self.decisions
        )

    @property
    def end(self) -> str:
        """Why it is over; empty where that is not known."""
        found = [each for each in self.decisions if each.kind is Kind.ALERT]
        return found[-1].reason if found and found[-1].outcome == RESOLVED else ""

    @property
    def given_up(self) -> datetime | None:
        """When its way back was given up, if it was."""
        found = [each.time for each in self.decisions if _is_given_up(each)]
        return found[0] if found else None

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
    found: Episode | None = None
    for each in history:
        if each.kind is Kind.ALERT:
            found = _after(found, key, each)
        elif found and _is_given_up(each):
            found = replace(found, announced=each.time)
        if found:
            found = replace(found, decisions=(*found.decisions, each))
    return found


def _after(before: Episode | None, key: Key, alert: Decision) -> Episode | None:
    """Return the episode that a decision about the alert begins or goes on with."""
    if alert.outcome == RESOLVED:
        return replace(before, ended=alert.time) if before else None
    if alert.outcome == PASSED:
        if before and before.open:
            return before
        return Episode(key, alert.time, alert.time, alert.time, (), passed=True)
    if before is None or not before.open or alert.outcome == FIRED_ANEW:
        return Episode(key, alert.time, alert.time, None, ())
    return replace(before, announced=alert.time)


def _is_given_up(decision: Decision) -> bool:
    return decision.kind is Kind.ROLLBACK and decision.outcome == GIVEN_UP
