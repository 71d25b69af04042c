"""What the platform knows of the model that serves: findings, decisions and candidates.

Nothing of it is on the machine that decides, so that a fresh one decides as the last one did. What
checks found and what was decided can be seen minutes late, so the last candidate, and who was told
what, are noted at the endpoint, too.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from mlops.artifacts import drift_result, performance_result
from mlops.artifacts.version_folder import VersionFolder
from mlops.monitoring.decisions import Decision, Kind, decided, keep
from mlops.monitoring.retraining.policy import (
    Attempt,
    DriftFound,
    Known,
    Outcome,
    PerformanceFound,
)
from mlops.platforms.base import Endpoint, Platform
from mlops.platforms.traffic_rules import leading_deployment
from mlops.settings.retraining_section import RetrainingSettings
from mlops.window import Window

CANDIDATE, STOPPED = "candidate", "retraining-stopped"
"""Names of notes: the last candidate, and who knows that retraining of a version has stopped."""


@dataclass(frozen=True)
class Serving:
    """The version that answers most callers, and where it comes from.

    `made` is when it was registered, `candidate` of which candidate it was made, if of any.
    """

    version: int
    deployment: str
    commit: str
    dirty: bool
    made: datetime | None
    candidate: str | None


def serving_of(platform: Platform, endpoint: Endpoint) -> Serving | None:
    """Return what serves, or None.

    Raises:
        ConfigError: it is not registered any more.
    """
    leading = leading_deployment(endpoint) if endpoint.exists() else None
    if leading is None:
        return None
    lineage = VersionFolder(platform.version(leading.model_version).folder).lineage()
    git, made = lineage["git"], lineage.get("created_at")
    return Serving(
        leading.model_version,
        leading.name,
        commit=str(git["commit"] or ""),
        dirty=bool(git["dirty"]),
        made=datetime.fromisoformat(made) if made else None,
        candidate=(lineage.get("candidate") or {}).get("id"),
    )


def looked_back(settings: RetrainingSettings, now: datetime) -> Window:
    """Return the time whose findings and decisions count, the present moment included."""
    span = Window.last(timedelta(days=settings.memory_days), now)
    return Window(span.start, now + timedelta(microseconds=1))


@dataclass(frozen=True)
class Past:
    """What was decided about an endpoint, oldest first, and what is noted at it."""

    decisions: Sequence[Decision]
    notes: Mapping[str, str]


def past_of(endpoint: Endpoint, settings: RetrainingSettings, now: datetime) -> Past:
    """Return what is remembered.

    Raises:
        NotObserved: it cannot be read for now.
    """
    return Past(decided(endpoint, looked_back(settings, now)), endpoint.notes())


def last_ends(decisions: Iterable[Decision]) -> list[Decision]:
    """Return how each candidate ended, by the last that was decided about it, oldest first.

    Args:
        decisions: of any kind, oldest first; that a candidate begins is no end.
    """
    last: dict[str | None, Decision] = {}
    for each in decisions:
        if _is_end(each):
            last.pop(each.subject, None)
            last[each.subject] = each
    return list(last.values())


def known_of(
    endpoint: Endpoint,
    past: Past,
    serving: Serving,
    settings: RetrainingSettings,
    now: datetime,
    by_hand: str | None,
) -> Known:
    """Return what is known of what serves.

    Raises:
        NotObserved: it cannot be read for now.
    """
    window = looked_back(settings, now)
    return Known(
        now=now,
        version=serving.version,
        made=serving.made,
        drift=list(_drift(endpoint.checks(drift_result.CHECK, window), serving.version)),
        performance=list(
            _performance(endpoint.checks(performance_result.CHECK, window), serving.version)
        ),
        attempts=list(_attempts(past.decisions, past.notes, serving)),
        by_hand=by_hand,
    )


def begin(endpoint: Endpoint, decision: Decision) -> None:
    """Keep that a candidate begins: known at once by a note, and for long as a decision.

    Raises:
        PlatformError: it cannot be kept, or another command changes the endpoint.
    """
    text = f"{decision.subject} {decision.time.isoformat()} {decision.model_version}"
    endpoint.note(CANDIDATE, text)
    keep(endpoint, [decision])


def _drift(rows: Iterable[Mapping[str, Any]], version: int) -> Iterable[DriftFound]:
    """Yield what was found of whole windows; rows of single columns decide nothing."""
    for row in rows:
        if row["column"] is None and int(row["model_version"]) == version:
            end = datetime.fromisoformat(row["window_end"])
            yield DriftFound(end, drift_result.Outcome(row["outcome"]))


def _performance(rows: Iterable[Mapping[str, Any]], version: int) -> Iterable[PerformanceFound]:
    """Yield what labels said of the whole; slices and estimates decide nothing."""
    for row in rows:
        realised = row["kind"] == performance_result.REALISED and row["slice"] is None
        if realised and int(row["model_version"]) == version:
            yield PerformanceFound(
                datetime.fromisoformat(row["time"]),
                performance_result.Outcome(row["outcome"]),
                str(row["metric"]),
                row["value"],
                row["limit"],
            )


def _attempts(
    decisions: Iterable[Decision], notes: Mapping[str, str], serving: Serving
) -> Iterable[Attempt]:
    """Yield each candidate once; one of which something else was decided has ended."""
    of_candidates = [
        each for each in decisions if each.kind is Kind.RETRAINING and each.subject is not None
    ]
    began = {
        str(each.subject): (each.time, each.model_version or 0)
        for each in of_candidates
        if each.outcome == Outcome.RETRAIN
    }
    if noted := notes.get(CANDIDATE):
        candidate, moment, reference = noted.split(" ")
        began.setdefault(candidate, (datetime.fromisoformat(moment), int(reference)))
    ended = {each.subject for each in of_candidates if _is_end(each)}
    for candidate, (start, replaced) in began.items():
        over = candidate in ended or candidate == serving.candidate
        yield Attempt(candidate, start, replaced, over)


def _is_end(decision: Decision) -> bool:
    of_candidate = decision.kind is Kind.RETRAINING and decision.subject is not None
    return of_candidate and decision.outcome != Outcome.RETRAIN
