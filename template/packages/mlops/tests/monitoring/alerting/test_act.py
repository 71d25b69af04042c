"""What follows an alarm happens once, and a fresh machine decides as the last one did."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fakes.alert_loop import FAILING, MINUTE, Loop, outcomes
from fakes.alerts import ENOUGH, NOON, FakeReceiver, check, requests, watched
from mlops.errors import PlatformError
from mlops.monitoring.alerting.act import Done
from mlops.monitoring.decisions import Decision, Kind, decided
from mlops.platforms.base import NotObserved
from mlops.settings.loading import LoadedSettings
from mlops.window import Window


@pytest.fixture
def loop(settings: LoadedSettings) -> Loop:
    return Loop(settings, watched(FAILING))


def test_an_alarm_is_withdrawn_opened_and_told_and_all_of_it_is_remembered(loop: Loop) -> None:
    deeds = loop.run(NOON)
    assert outcomes(deeds) == [
        ("alert", "fired"),
        ("rollback", "rolled back"),
        ("incident", "opened"),
        ("notification", "alarm told"),
    ]
    assert loop.withdrawn == [(3, "error-rate")]
    (incident,) = loop.incidents
    assert "is 0.2 on 100 events" in incident.body
    assert "Rollback: rolled back, version 2 serves again" in incident.body
    (message,) = loop.receivers[0].heard
    assert message.lines == (
        "Rollback: rolled back, version 2 serves again",
        "Incident: opened, an issue (issue 1)",
    )
    window = Window.last(MINUTE, NOON + timedelta(seconds=1))
    found: list[Decision] = decided(loop.endpoint, window, cause="error-rate")
    assert {(each.deployment, each.model_version) for each in found} == {("green", 3)}
    assert (found[0].value, found[0].limit) == (0.2, 0.05)
    assert [each.subject for each in found] == [None, None, "issue 1", "teams"]


def test_an_alarm_of_an_hour_is_one_of_each(loop: Loop) -> None:
    for minutes in range(0, 60, 5):
        loop.run(NOON + minutes * MINUTE)
    assert loop.withdrawn == [(3, "error-rate")]
    assert len(loop.incidents) == 1
    assert loop.receivers[0].news == ["alarm: Failing requests"]
    assert loop.of(Kind.ALERT) == ["fired"]


def test_it_is_told_again_after_a_while_and_its_end_once(loop: Loop) -> None:
    for hours in (0, 23, 24, 25, 48):
        loop.run(NOON + hours * 60 * MINUTE)
    news = ["alarm: Failing requests", *["goes on: Failing requests"] * 2]
    assert loop.receivers[0].news == news
    loop.endpoint.events = watched(requests(ENOUGH)).events
    for hours in (49, 50):
        loop.run(NOON + hours * 60 * MINUTE)
    assert loop.receivers[0].news == [*news, "resolved: Failing requests"]
    assert loop.of(Kind.ALERT) == ["fired", "goes on", "goes on", "resolved"]
    assert len(loop.incidents) == 1


def test_a_second_alarm_after_the_first_is_one_of_its_own(loop: Loop) -> None:
    bad, sound = loop.endpoint.events, watched(requests(ENOUGH)).events
    for minutes, found in enumerate((bad, sound, bad)):
        loop.endpoint.events = found
        loop.run(NOON + minutes * 10 * MINUTE)
    assert loop.of(Kind.ALERT) == ["fired", "resolved", "fired"]
    assert loop.receivers[0].news == [
        "alarm: Failing requests",
        "resolved: Failing requests",
        "alarm: Failing requests",
    ]
    assert len(loop.incidents) == 2


def test_too_few_requests_end_no_alarm(loop: Loop) -> None:
    loop.run(NOON)
    loop.endpoint.events = watched(requests(5)).events
    assert loop.run(NOON + 10 * MINUTE) == []
    assert loop.of(Kind.ALERT) == ["fired"]


def test_the_alarm_of_a_version_that_was_withdrawn_is_over(loop: Loop) -> None:
    loop.run(NOON)
    loop.endpoint.set_traffic({"blue": 100})
    deeds = loop.run(NOON + 5 * MINUTE)
    assert outcomes(deeds) == [("alert", "resolved"), ("notification", "end told")]
    assert "version 3 answers no caller any more" in deeds[0].reason
    assert loop.run(NOON + 10 * MINUTE) == []


@pytest.mark.parametrize(
    ("outcome", "times"),
    [("rolled back", 1), ("no way back", 1), ("nothing to withdraw", 1), ("busy", 3)],
)
def test_what_is_decided_about_the_way_back_stands_but_for_a_busy_endpoint(
    loop: Loop, outcome: str, times: int
) -> None:
    loop.answer = Done(outcome, "")
    for minutes in (0, 5, 10):
        loop.run(NOON + minutes * MINUTE)
    assert len(loop.withdrawn) == times


def test_what_fails_is_tried_again_and_hides_nothing(loop: Loop) -> None:
    loop.fails = {"rollback", "incident", "tidy"}
    loop.receivers = [FakeReceiver("teams", works=False), FakeReceiver("slack")]
    deeds = loop.run(NOON)
    failed = {each.kind.value for each in deeds if each.failed}
    assert failed == {"rollback", "incident", "notification", "tidying"}
    assert loop.receivers[1].news == ["alarm: Failing requests"], "one failure stops no other"
    assert "rollback does not work" in loop.receivers[1].heard[0].lines[0]
    loop.fails = set()
    loop.receivers[0].works = True
    deeds = loop.run(NOON + 5 * MINUTE)
    assert not [each for each in deeds if each.failed]
    assert (len(loop.withdrawn), len(loop.incidents)) == (1, 1)
    assert [len(each.heard) for each in loop.receivers] == [1, 1], "who knows is not told again"


def test_an_end_that_could_not_be_told_is_told_later_and_only_to_who_knew(loop: Loop) -> None:
    loop.run(NOON)
    loop.endpoint.events = watched(requests(ENOUGH)).events
    loop.receivers[0].works = False
    loop.receivers.append(FakeReceiver("slack"))
    loop.run(NOON + 5 * MINUTE)
    assert loop.receivers[1].heard == []
    loop.receivers[0].works = True
    loop.run(NOON + 10 * MINUTE)
    assert loop.receivers[0].news == ["alarm: Failing requests", "resolved: Failing requests"]
    assert loop.receivers[1].heard == []


def test_people_are_told_whatever_an_action_brings_about(loop: Loop) -> None:
    loop.fails, loop.failure = {"rollback", "incident", "tidy"}, ValueError
    deeds = loop.run(NOON)
    failed = {each.kind.value for each in deeds if each.failed}
    assert failed == {"rollback", "incident", "tidying"}
    assert loop.receivers[0].news == ["alarm: Failing requests"]
    assert "ValueError: rollback does not work" in loop.receivers[0].heard[0].lines[0]


def test_level_2_tells_and_tidies_and_does_nothing_else(loop: Loop) -> None:
    loop.level = 2
    loop.tidied = ["blue is removed"]
    loop.endpoint.keep_checks([check("drift", "drift")])
    deeds = loop.run(NOON, "error-rate", "drift")
    assert {each.kind.value for each in deeds} == {"alert", "incident", "notification", "tidying"}
    assert ("tidying", "removed") in outcomes(deeds)


def test_drift_has_the_policy_decide_and_never_withdraws(loop: Loop) -> None:
    loop.endpoint.events = watched(requests(ENOUGH)).events
    loop.endpoint.keep_checks([check("drift", "drift")])
    for minutes in (0, 5):
        deeds = loop.run(NOON + minutes * MINUTE, "drift")
        assert ("retraining", "cooldown") in outcomes(deeds)
    assert loop.retrained == ["drift", "drift"]
    assert (loop.withdrawn, loop.incidents) == ([], [])
    assert loop.of(Kind.RETRAINING) == [], "the policy keeps what it decides"


def test_all_are_told_of_every_alarm_before_anything_is_trained(loop: Loop) -> None:
    """Training takes minutes to hours."""
    loop.endpoint.keep_checks([check("drift", "drift"), check("performance", "below")])
    loop.tidied = ["blue was kept long enough"]
    deeds = loop.run(NOON, "drift", "performance", "error-rate")
    assert loop.before_retraining == loop.receivers[0].news
    assert len(loop.before_retraining) == 3
    assert loop.retrained == ["drift"], "the policy decides once"
    assert outcomes(deeds)[-2:] == [("tidying", "removed"), ("retraining", "cooldown")]
    assert not any("etraining" in each for each in loop.receivers[0].heard[0].lines)


def test_a_retraining_that_breaks_hides_nothing(loop: Loop) -> None:
    loop.endpoint.keep_checks([check("drift", "drift")])
    loop.fails, loop.failure = {"retrain"}, ValueError
    deeds = loop.run(NOON, "drift")
    assert outcomes(deeds)[-1] == ("retraining", "failed")
    assert deeds[-1].failed
    assert deeds[-1].reason == "ValueError: retrain does not work"
    assert loop.receivers[0].news == ["alarm: Drift"]


def test_a_receiver_without_an_address_is_named_before_there_is_anything_to_tell(
    loop: Loop,
) -> None:
    loop.endpoint.events = watched(requests(ENOUGH)).events
    loop.receivers = [FakeReceiver("slack", problem="ALERTS_SLACK_WEBHOOK is not set")]
    (deed,) = loop.run(NOON)
    assert (deed.outcome, deed.failed, deed.subject) == ("not ready", True, "slack")
    assert loop.of(Kind.NOTIFICATION) == []


def test_without_memory_an_alarm_is_rather_told_twice(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop.run(NOON)
    read = loop.endpoint.checks

    def unseen(name: str, window: Window) -> list[dict[str, Any]]:
        if name == "decision":
            raise NotObserved("Log Analytics answered 503")
        return read(name, window)

    monkeypatch.setattr(loop.endpoint, "checks", unseen)
    deeds = loop.run(NOON + 5 * MINUTE)
    assert deeds[0].failed
    assert "what was decided before cannot be read" in deeds[0].reason
    assert len(loop.receivers[0].heard) == 2


def test_what_cannot_be_remembered_is_done_and_said(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_checks: Any) -> None:
        raise PlatformError("no space left")

    monkeypatch.setattr(loop.endpoint, "keep_checks", full)
    deeds = loop.run(NOON)
    assert len(loop.receivers[0].heard) == 1
    assert any("it could not be remembered: no space left" in each.reason for each in deeds)


def test_a_fresh_machine_decides_as_the_last_one_did(
    load: Callable[..., LoadedSettings], tmp_path: Path
) -> None:
    """The same moments, once by one machine and once by a new one with an empty disk each time."""
    told: list[list[list[tuple[str, str]]]] = []
    for fresh in (False, True):
        loop = Loop(load(), watched(FAILING))
        runs = []
        for step in range(6):
            if fresh:
                root = tmp_path / f"machine-{step}"
                project = replace(loop.settings.project, root=root)
                loop.settings = replace(load(), project=project)
                loop.receivers = [FakeReceiver()]
            runs.append(outcomes(loop.run(NOON + step * 6 * 60 * MINUTE)))
        told.append(runs)
    assert told[0] == told[1]
    assert [len(each) for each in told[0]] == [4, 0, 0, 0, 2, 0]
