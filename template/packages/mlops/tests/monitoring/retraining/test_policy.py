"""Whether a model is trained again: every branch, and each limit from both sides."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from mlops.artifacts.drift_result import Outcome as Drift
from mlops.artifacts.performance_result import Outcome as Performance
from mlops.monitoring.retraining.policy import (
    Attempt,
    Cause,
    DriftFound,
    Known,
    Outcome,
    PerformanceFound,
    decide,
    lost,
)
from mlops.settings.retraining_section import RetrainingSettings

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
SETTINGS = RetrainingSettings()
DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)
LETTERS = {
    "o": Drift.OK,
    "d": Drift.DRIFT,
    "n": Drift.NOT_ENOUGH,
    "s": Drift.SCHEMA_BROKEN,
}


def windows(newest_first: str, every: timedelta = DAY, since: timedelta = HOUR) -> list[DriftFound]:
    """Checks of windows, such as `dood`: one with drift now, two without, one with it before."""
    return [
        DriftFound(NOW - since - number * every, LETTERS[letter])
        for number, letter in enumerate(newest_first)
    ]


def labels(outcome: Performance, age: timedelta = HOUR) -> list[PerformanceFound]:
    return [PerformanceFound(NOW - age, outcome, "f1", 0.61, 0.75)]


def tried(*ages: timedelta, reference: int = 7, ended: bool = True) -> list[Attempt]:
    return [Attempt(f"{reference}-{n}", NOW - age, reference, ended) for n, age in enumerate(ages)]


def known(
    drift: Sequence[DriftFound] = (),
    performance: Sequence[PerformanceFound] = (),
    attempts: Sequence[Attempt] = (),
    age: timedelta = 10 * DAY,
) -> Known:
    return Known(NOW, 7, NOW - age, drift, performance, attempts)


@pytest.mark.parametrize(
    ("found", "outcome", "cause"),
    [
        ("oooo", Outcome.NOT_NEEDED, Cause.NONE),
        ("dd", Outcome.RETRAIN, Cause.DRIFT),
        ("dooood", Outcome.WAIT, Cause.DRIFT),  # the other one is the sixth
        ("doood", Outcome.RETRAIN, Cause.DRIFT),  # and here the fifth
        ("dnnnd", Outcome.RETRAIN, Cause.DRIFT),
        ("d", Outcome.WAIT, Cause.DRIFT),
        ("odddd", Outcome.NOT_NEEDED, Cause.NONE),  # not in the newest
        ("ndddd", Outcome.NOT_ENOUGH, Cause.NONE),
        ("sdddd", Outcome.NOT_ENOUGH, Cause.NONE),  # training mends no schema
        ("dssss", Outcome.WAIT, Cause.DRIFT),
        ("", Outcome.NOT_ENOUGH, Cause.NONE),
    ],
)
def test_drift_must_be_in_the_newest_window_and_in_another(
    found: str, outcome: Outcome, cause: Cause
) -> None:
    verdict = decide(known(windows(found)), SETTINGS)
    assert (verdict.outcome, verdict.cause) == (outcome, cause)


def test_it_says_in_how_many_windows() -> None:
    assert decide(known(windows("ddood")), SETTINGS).reason == (
        "drift in 3 of the last 5 windows, and in the newest"
    )
    waits = decide(known(windows("dooo")), SETTINGS)
    assert waits.reason == "drift in 1 of the last 4 windows, of which 2 must have it"
    assert (waits.value, waits.limit) == (1, 2)


def test_checks_of_the_same_hours_are_one_window() -> None:
    hourly = windows("dddddddddd", every=HOUR)
    assert decide(known(hourly), SETTINGS).outcome is Outcome.WAIT
    apart = timedelta(days=SETTINGS.apart_days)
    assert decide(known(windows("dd", every=apart)), SETTINGS).outcome is Outcome.RETRAIN
    closer = windows("dd", every=apart - SECOND)
    assert decide(known(closer), SETTINGS).outcome is Outcome.WAIT


def test_the_order_in_which_findings_are_read_does_not_matter() -> None:
    found = [*windows("oooo"), *windows("dd", since=2 * HOUR)]
    assert decide(known(found), SETTINGS) == decide(known(found[::-1]), SETTINGS)
    assert decide(known(found), SETTINGS).outcome is Outcome.NOT_NEEDED


def test_what_was_found_long_ago_says_nothing_about_now() -> None:
    limit = timedelta(days=SETTINGS.newest_days)
    assert decide(known(windows("dd", since=limit)), SETTINGS).outcome is Outcome.RETRAIN
    old = decide(known(windows("dd", since=limit + SECOND)), SETTINGS)
    assert old.outcome is Outcome.NOT_ENOUGH
    below = labels(Performance.BELOW, age=limit + SECOND)
    assert decide(known((), below), SETTINGS).outcome is Outcome.NOT_ENOUGH


@pytest.mark.parametrize(
    ("found", "outcome", "cause"),
    [
        (Performance.BELOW, Outcome.RETRAIN, Cause.PERFORMANCE),
        (Performance.OK, Outcome.NOT_NEEDED, Cause.NONE),
        (Performance.NOT_ENOUGH, Outcome.NOT_ENOUGH, Cause.NONE),
    ],
)
def test_a_performance_below_its_limit_is_reason_enough(
    found: Performance, outcome: Outcome, cause: Cause
) -> None:
    verdict = decide(known((), labels(found)), SETTINGS)
    assert (verdict.outcome, verdict.cause) == (outcome, cause)


def test_of_several_checks_of_the_performance_the_newest_counts() -> None:
    found = [*labels(Performance.BELOW, 2 * HOUR), *labels(Performance.OK, HOUR)]
    assert decide(known((), found), SETTINGS).outcome is Outcome.NOT_NEEDED


def test_what_it_says_of_the_performance_has_its_numbers() -> None:
    verdict = decide(known(windows("dd"), labels(Performance.BELOW)), SETTINGS)
    assert verdict.reason == "f1 is 0.61, worse than the limit 0.75"
    assert (verdict.cause, verdict.value, verdict.limit) == (Cause.PERFORMANCE, 0.61, 0.75)


def test_without_labels_what_is_known_of_drift_is_enough_to_say_no() -> None:
    verdict = decide(known(windows("o"), labels(Performance.NOT_ENOUGH)), SETTINGS)
    assert verdict.outcome is Outcome.NOT_NEEDED
    assert verdict.reason == "too few labels to tell the performance, no drift now"


def test_a_version_gets_old() -> None:
    limit = timedelta(days=SETTINGS.max_age_days or 0)
    assert decide(known(windows("o"), age=limit), SETTINGS).outcome is Outcome.NOT_NEEDED
    old = decide(known(windows("o"), age=limit + HOUR), SETTINGS)
    assert (old.outcome, old.cause) == (Outcome.RETRAIN, Cause.AGE)
    assert old.reason == "version 7 is 180 days old, more than 180"
    never = SETTINGS.model_copy(update={"max_age_days": None})
    assert decide(known(windows("o"), age=9999 * DAY), never).outcome is Outcome.NOT_NEEDED


def test_of_a_version_whose_age_nobody_knows_age_is_no_reason() -> None:
    assert decide(replace(known(), made=None), SETTINGS).outcome is Outcome.NOT_ENOUGH


def test_age_is_no_evidence_that_all_is_well() -> None:
    assert decide(known(), SETTINGS).outcome is Outcome.NOT_ENOUGH


def test_after_a_candidate_none_begins_for_a_while() -> None:
    cooldown = timedelta(days=SETTINGS.cooldown_days)
    recent = decide(known(windows("dd"), attempts=tried(cooldown - SECOND)), SETTINGS)
    assert (recent.outcome, recent.cause) == (Outcome.WAIT, Cause.DRIFT)
    assert recent.reason.endswith("by itself before 2026-06-30 12:00 UTC")
    later = known(windows("dd"), attempts=tried(cooldown))
    assert decide(later, SETTINGS).outcome is Outcome.RETRAIN


def test_a_candidate_for_another_version_counts_for_the_cooldown_alone() -> None:
    many = tried(*(30 * DAY,) * 9, reference=6)
    assert decide(known(windows("dd"), attempts=many), SETTINGS).outcome is Outcome.RETRAIN
    recent = tried(DAY, reference=6)
    assert decide(known(windows("dd"), attempts=recent), SETTINGS).outcome is Outcome.WAIT


@pytest.mark.parametrize("by_hand", [None, "a new holiday"])
def test_of_two_at_once_there_is_one(by_hand: str | None) -> None:
    patience = timedelta(hours=SETTINGS.patience_hours)
    waits = replace(
        known(windows("dd"), attempts=tried(patience - SECOND, ended=False)), by_hand=by_hand
    )
    verdict = decide(waits, SETTINGS)
    assert verdict.outcome is Outcome.RUNNING
    assert verdict.reason.startswith("candidate 7-0 began 2026-06-29 12:00 UTC")
    given_up = replace(
        known(windows("dd"), attempts=tried(patience, ended=False)), by_hand="a new holiday"
    )
    assert decide(given_up, SETTINGS).outcome is Outcome.RETRAIN


def test_after_some_refusals_it_stops() -> None:
    ages = [n * 10 * DAY for n in range(1, SETTINGS.refusals + 1)]
    once_less = known(windows("dd"), attempts=tried(*ages[1:]))
    assert decide(once_less, SETTINGS).outcome is Outcome.RETRAIN
    stopped = known(windows("dd"), attempts=tried(*ages))
    verdict = decide(stopped, SETTINGS)
    assert (verdict.outcome, verdict.cause) == (Outcome.STOPPED, Cause.DRIFT)
    assert (verdict.value, verdict.limit) == (3, 3)


def test_where_there_is_no_reason_it_has_not_stopped() -> None:
    attempts = tried(*(10 * DAY,) * 5)
    verdict = decide(known(windows("oo"), attempts=attempts), SETTINGS)
    assert verdict.outcome is Outcome.NOT_NEEDED


def test_a_candidate_of_which_nothing_is_heard_is_lost_after_a_while() -> None:
    patience = timedelta(hours=SETTINGS.patience_hours)
    attempts = [
        *tried(patience - SECOND, patience, 9 * DAY, ended=False),
        *tried(9 * DAY, reference=6),
    ]
    found = lost(known(attempts=attempts), SETTINGS)
    assert [each.candidate for each in found] == ["7-2", "7-1"]


def test_a_person_passes_cooldown_and_stop() -> None:
    attempts = tried(DAY, 2 * DAY, 3 * DAY)
    asked = replace(known(attempts=attempts), by_hand="a new holiday")
    verdict = decide(asked, SETTINGS)
    assert (verdict.outcome, verdict.cause) == (Outcome.RETRAIN, Cause.BY_HAND)
    assert verdict.reason == "a new holiday"


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (Outcome.RETRAIN, 0),
        (Outcome.NOT_NEEDED, 0),
        (Outcome.WAIT, 0),
        (Outcome.RUNNING, 0),
        (Outcome.STOPPED, 1),
        (Outcome.NOT_ENOUGH, 4),
    ],
)
def test_each_outcome_has_an_exit_code(outcome: Outcome, code: int) -> None:
    assert outcome.exit_code == code


def test_the_limits_are_these() -> None:
    assert SETTINGS.model_dump() == {
        "windows": 5,
        "drifted_windows": 2,
        "apart_days": 0.9,
        "newest_days": 2.0,
        "max_age_days": 180.0,
        "cooldown_days": 7.0,
        "patience_hours": 24.0,
        "refusals": 3,
        "memory_days": 90.0,
    }


@pytest.mark.parametrize(
    "given",
    [
        {"windows": 1, "drifted_windows": 2},
        {"cooldown_days": 30, "refusals": 3, "memory_days": 119},
    ],
)
def test_settings_that_can_never_decide_are_refused(given: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match="must be at"):
        RetrainingSettings.model_validate(given)
