"""Whether the model that serves is trained again: a pure function of what the platform knows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from mlops.artifacts.drift_result import Outcome as Drift
from mlops.artifacts.performance_result import Outcome as Performance
from mlops.settings.retraining_section import RetrainingSettings


class Cause(StrEnum):
    """What is reason enough."""

    BY_HAND = "by hand"
    PERFORMANCE = "performance"
    DRIFT = "drift"
    AGE = "age"
    NONE = "none"
    """Nothing is."""


class Outcome(StrEnum):
    """What is decided."""

    RETRAIN = "retrain"
    NOT_NEEDED = "not needed"
    WAIT = "wait"
    """There is a reason, but it is not confirmed yet, or the last candidate is too recent."""
    NOT_ENOUGH = "not enough"
    """Neither drift nor performance can be told, so that nobody knows."""
    RUNNING = "running"
    """One is being trained, judged or released."""
    STOPPED = "stopped"
    """So many did not replace the version that serves that a person has to look."""

    @property
    def exit_code(self) -> int:
        """That of the command, where nothing is trained."""
        return {"stopped": 1, "not enough": 4}.get(self.value, 0)


@dataclass(frozen=True)
class DriftFound:
    """A check for drift of the version that serves: of which events, and how it ended."""

    end: datetime
    outcome: Drift


@dataclass(frozen=True)
class PerformanceFound:
    """A check of the performance of the version that serves, by labels."""

    time: datetime
    outcome: Performance
    metric: str
    value: float | None
    limit: float | None


@dataclass(frozen=True)
class Attempt:
    """A candidate that began: to replace which version, and whether it is known to have ended."""

    candidate: str
    began: datetime
    reference: int
    ended: bool


@dataclass(frozen=True)
class Known:
    """What the platform knows.

    Attributes:
        now: the present time.
        version: the one that serves.
        made: when it was made, where that is known.
        drift: checks of it, in any order.
        performance: checks of it, in any order.
        attempts: candidates, also of other versions, in any order.
        by_hand: why a person asks for it; None: nobody does.
    """

    now: datetime
    version: int
    made: datetime | None = None
    drift: Sequence[DriftFound] = ()
    performance: Sequence[PerformanceFound] = ()
    attempts: Sequence[Attempt] = ()
    by_hand: str | None = None


@dataclass(frozen=True)
class Verdict:
    """What is decided.

    Attributes:
        outcome: what is to be done.
        cause: what is reason enough; none if nothing is.
        reason: a sentence.
        value, limit: what was counted or measured, and what it was compared with.
    """

    outcome: Outcome
    cause: Cause
    reason: str
    value: float | None = None
    limit: float | None = None


@dataclass(frozen=True)
class _Finding:
    """What one kind of evidence says.

    `confirmed` means that it is reason enough by itself; `known` that it says anything about now.
    """

    cause: Cause
    reason: str
    known: bool
    alarmed: bool = False
    confirmed: bool = False
    value: float | None = None
    limit: float | None = None


def decide(known: Known, settings: RetrainingSettings) -> Verdict:
    """Return whether the model that serves is to be trained again, and why.

    A person's word counts more than the cooldown and than a stop, but not than a candidate that is
    being trained: of two at once there is one.
    """
    if running := _running(known, settings):
        reason = f"candidate {running.candidate} began {running.began:%Y-%m-%d %H:%M} UTC"
        cause = Cause.BY_HAND if known.by_hand is not None else Cause.NONE
        return Verdict(Outcome.RUNNING, cause, f"{reason} and has not ended")
    if known.by_hand is not None:
        return Verdict(Outcome.RETRAIN, Cause.BY_HAND, known.by_hand)
    found = (_performance(known, settings), _drift(known, settings), _age(known, settings))
    confirmed = next((each for each in found if each.confirmed), None)
    if confirmed is not None:
        return _restrained(confirmed, known, settings)
    reason = ", ".join(each.reason for each in found if each.reason)
    alarmed = next((each for each in found if each.alarmed), None)
    if alarmed is not None:
        return Verdict(
            Outcome.WAIT, alarmed.cause, alarmed.reason, value=alarmed.value, limit=alarmed.limit
        )
    if any(each.known for each in found[:2]):
        return Verdict(Outcome.NOT_NEEDED, Cause.NONE, reason)
    return Verdict(Outcome.NOT_ENOUGH, Cause.NONE, reason)


def lost(known: Known, settings: RetrainingSettings) -> tuple[Attempt, ...]:
    """Return the candidates of which nothing was heard for too long; the one that began last ends.

    Nobody waits for them any more: they count as ended, without a release.
    """
    open_ones = (each for each in known.attempts if not each.ended)
    found = [each for each in open_ones if not _is_waited_for(each, known, settings)]
    return tuple(sorted(found, key=lambda each: each.began))


def _restrained(found: _Finding, known: Known, settings: RetrainingSettings) -> Verdict:
    """Return the verdict where there is reason enough: stopped, wait or retrain."""
    failed = [each for each in known.attempts if each.reference == known.version]
    if len(failed) >= settings.refusals:
        return Verdict(
            Outcome.STOPPED,
            found.cause,
            f"{found.reason}, but {len(failed)} candidates did not replace version {known.version}",
            value=len(failed),
            limit=settings.refusals,
        )
    last = max((each.began for each in known.attempts), default=None)
    if last is not None and known.now - last < timedelta(days=settings.cooldown_days):
        until = last + timedelta(days=settings.cooldown_days)
        return Verdict(
            Outcome.WAIT,
            found.cause,
            f"{found.reason}, but the last candidate began {last:%Y-%m-%d %H:%M} UTC: none begins "
            f"by itself before {until:%Y-%m-%d %H:%M} UTC",
            value=(known.now - last) / timedelta(days=1),
            limit=settings.cooldown_days,
        )
    return Verdict(Outcome.RETRAIN, found.cause, found.reason, found.value, found.limit)


def _running(known: Known, settings: RetrainingSettings) -> Attempt | None:
    """Return the newest candidate that is not known to have ended, and is still waited for."""
    open_ones = (each for each in known.attempts if not each.ended)
    waited = [each for each in open_ones if _is_waited_for(each, known, settings)]
    return max(waited, key=lambda each: each.began, default=None)


def _is_waited_for(attempt: Attempt, known: Known, settings: RetrainingSettings) -> bool:
    patience = timedelta(hours=settings.patience_hours)
    return known.now - attempt.began < patience


def _drift(known: Known, settings: RetrainingSettings) -> _Finding:
    windows = _windows(known.drift, settings)
    if not windows or not _is_recent(windows[0].end, known, settings):
        return _Finding(Cause.DRIFT, "drift was not looked for lately", known=False)
    newest = windows[0].outcome
    if newest not in (Drift.OK, Drift.DRIFT):
        return _Finding(Cause.DRIFT, f"the check for drift says {newest.value}", known=False)
    drifted = sum(each.outcome is Drift.DRIFT for each in windows)
    alarmed = newest is Drift.DRIFT
    enough = drifted >= settings.drifted_windows
    said = f"drift in {drifted} of the last {len(windows)} windows"
    if alarmed and not enough:
        said = f"{said}, of which {settings.drifted_windows} must have it"
    return _Finding(
        Cause.DRIFT,
        f"{said}, and in the newest" if alarmed and enough else said if alarmed else "no drift now",
        known=True,
        alarmed=alarmed,
        confirmed=alarmed and enough,
        value=drifted,
        limit=settings.drifted_windows,
    )


def _windows(found: Sequence[DriftFound], settings: RetrainingSettings) -> list[DriftFound]:
    """Return the newest windows, newest first, that are apart from each other."""
    apart = timedelta(days=settings.apart_days)
    windows: list[DriftFound] = []
    for each in sorted(found, key=lambda each: each.end, reverse=True):
        if not windows or windows[-1].end - each.end >= apart:
            windows.append(each)
    return windows[: settings.windows]


def _performance(known: Known, settings: RetrainingSettings) -> _Finding:
    newest = max(known.performance, key=lambda each: each.time, default=None)
    if newest is None or not _is_recent(newest.time, known, settings):
        return _Finding(Cause.PERFORMANCE, "no label was looked at lately", known=False)
    if newest.outcome is Performance.NOT_ENOUGH:
        return _Finding(Cause.PERFORMANCE, "too few labels to tell the performance", known=False)
    below = newest.outcome is Performance.BELOW
    return _Finding(
        Cause.PERFORMANCE,
        f"{newest.metric} is {_number(newest.value)}, worse than the limit {_number(newest.limit)}"
        if below
        else f"{newest.metric} keeps its limit",
        known=True,
        alarmed=below,
        confirmed=below,
        value=newest.value,
        limit=newest.limit,
    )


def _age(known: Known, settings: RetrainingSettings) -> _Finding:
    if settings.max_age_days is None or known.made is None:
        return _Finding(Cause.AGE, "", known=False)
    age = (known.now - known.made) / timedelta(days=1)
    old = age > settings.max_age_days
    said = f"version {known.version} is {age:.0f} days old, more than {settings.max_age_days:g}"
    return _Finding(
        Cause.AGE,
        said if old else "",
        known=True,
        alarmed=old,
        confirmed=old,
        value=age,
        limit=settings.max_age_days,
    )


def _is_recent(moment: datetime, known: Known, settings: RetrainingSettings) -> bool:
    return known.now - moment <= timedelta(days=settings.newest_days)


def _number(value: float | None) -> str:
    return "not computed" if value is None else f"{value:.4g}"
