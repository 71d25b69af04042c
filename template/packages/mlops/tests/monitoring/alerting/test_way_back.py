"""The way back from one alarm is tried a few times, once a release, and kept until it is used."""

import pytest

from fakes.alert_loop import FAILING, MINUTE, Loop, outcomes
from fakes.alerts import ENOUGH, NOON, requests, watched
from mlops.monitoring.alerting.act import MOST_FAILURES, Done
from mlops.monitoring.decisions import Kind
from mlops.release.change_log import CHANGE
from mlops.settings.loading import LoadedSettings

HOUR = 60 * MINUTE


@pytest.fixture
def loop(settings: LoadedSettings) -> Loop:
    return Loop(settings, watched(FAILING))


def released(loop: Loop, version: int, hours: float) -> None:
    """Take note of a release so many hours after noon."""
    time = NOON + hours * HOUR
    loop.endpoint.keep_checks(
        [{"check": CHANGE, "kind": "release", "time": time.isoformat(), "model_version": version}]
    )


def test_the_bound_of_failures_is_three() -> None:
    assert MOST_FAILURES == 3


def test_a_way_back_that_fails_is_given_up_told_and_never_tried_again(loop: Loop) -> None:
    loop.fails = {"rollback"}
    runs = [loop.run(NOON + hours * HOUR) for hours in range(6)]
    assert loop.of(Kind.ROLLBACK) == ["failed", "failed", "failed", "given up"]
    assert [("rollback", "given up") in outcomes(each) for each in runs] == [
        *[False] * 2,
        True,
        *[False] * 3,
    ]
    assert runs[3:] == [[], [], []]
    assert loop.receivers[0].news == ["alarm: Failing requests", "given up: Failing requests"]
    assert loop.receivers[0].heard[1].heading == "No way back: Failing requests at tiny-prod"
    assert [each.title.endswith("the way back is given up") for each in loop.incidents] == [
        False,
        True,
    ]
    assert "a person has to go back" in loop.incidents[1].body
    assert loop.incidents[0].key != loop.incidents[1].key


def test_who_could_not_be_told_of_that_is_told_by_the_next_look(loop: Loop) -> None:
    loop.fails = {"rollback"}
    for hours in (0, 1):
        loop.run(NOON + hours * HOUR)
    loop.receivers[0].works = False
    loop.fails = {"rollback", "incident"}
    loop.run(NOON + 2 * HOUR)
    loop.receivers[0].works, loop.fails = True, {"rollback"}
    loop.run(NOON + 3 * HOUR)
    assert loop.receivers[0].news == ["alarm: Failing requests", "given up: Failing requests"]
    assert len(loop.incidents) == 2


def test_a_busy_endpoint_is_no_failure(loop: Loop) -> None:
    loop.answer = Done("busy", "a release is under way")
    for minutes in range(0, 50, 10):
        loop.run(NOON + minutes * MINUTE)
    assert loop.of(Kind.ROLLBACK) == ["busy"] * 5
    loop.answer = Done("rolled back", "version 2 serves again")
    loop.run(NOON + HOUR)
    assert loop.of(Kind.ROLLBACK)[-1] == "rolled back"


def test_the_next_alarm_tries_again(loop: Loop) -> None:
    loop.fails = {"rollback"}
    for hours in range(4):
        loop.run(NOON + hours * HOUR)
    bad = loop.endpoint.events
    loop.endpoint.events = watched(requests(ENOUGH)).events
    loop.run(NOON + 4 * HOUR)
    loop.endpoint.events, loop.fails = bad, set()
    loop.run(NOON + 5 * HOUR)
    assert loop.withdrawn == [(3, "error-rate")]


@pytest.mark.parametrize("outcome", ["rolled back", "no way back", "nothing to withdraw", "fails"])
def test_a_version_that_was_released_again_is_an_alarm_of_its_own(loop: Loop, outcome: str) -> None:
    """Also where no look between saw that it was gone."""
    released(loop, 3, -1)
    loop.answer = Done(outcome, "")
    loop.fails = {"rollback"} if outcome == "fails" else set()
    for minutes in range(3):
        loop.run(NOON + minutes * MINUTE)
    tried = len(loop.of(Kind.ROLLBACK))
    loop.endpoint.keep_checks(
        [
            {
                "check": CHANGE,
                "kind": "rollback",
                "time": (NOON + 10 * MINUTE).isoformat(),
                "model_version": 2,
            }
        ]
    )
    released(loop, 3, 0.5)
    loop.fails = set()
    loop.answer = Done("rolled back", "version 2 serves again")
    for hours in (1, 2):
        loop.run(NOON + hours * HOUR)
    assert loop.of(Kind.ALERT) == ["fired", "fired anew"]
    assert len(loop.of(Kind.ROLLBACK)) == tried + 1
    assert loop.of(Kind.ROLLBACK)[-1] == "rolled back"
    assert loop.receivers[0].news[-1] == "alarm: Failing requests"
    assert loop.incidents[-1].time == NOON + HOUR


def test_the_release_of_another_version_begins_nothing(loop: Loop) -> None:
    released(loop, 3, -1)
    loop.run(NOON)
    released(loop, 4, 0.5)
    assert loop.run(NOON + HOUR) == []


def test_while_an_alarm_goes_on_its_way_back_is_not_tidied(loop: Loop) -> None:
    loop.answer = Done("busy", "a release is under way")
    loop.run(NOON)
    loop.endpoint.events = watched(requests(5)).events
    loop.run(NOON + MINUTE)
    assert loop.awaited == [frozenset({3})] * 2, "too few requests end no alarm"
    loop.endpoint.events = watched(requests(ENOUGH)).events
    loop.run(NOON + 2 * MINUTE)
    assert loop.awaited[-1] == frozenset(), "it is over"


@pytest.mark.parametrize("level", [2, 3])
def test_a_way_back_that_was_used_or_given_up_may_go(loop: Loop, level: int) -> None:
    loop.level = level
    loop.run(NOON)
    assert loop.awaited == [frozenset({3} if level == 2 else ())]
    loop.answer = Done("busy", "a release is under way")
    loop.endpoint.kept.clear()
    loop.level, loop.fails = 3, {"rollback"}
    for hours in range(1, 4):
        loop.run(NOON + hours * HOUR)
    assert loop.awaited[1:] == [frozenset({3}), frozenset({3}), frozenset()]


def test_without_memory_nothing_is_tidied(loop: Loop) -> None:
    loop.endpoint.unkept = "Log Analytics answered 503"
    loop.run(NOON)
    assert loop.awaited == []
