"""What was over before anybody looked is told once, with its incident, and nothing follows."""

from typing import Any

import pytest

from fakes.alert_loop import FAILING, MINUTE, Loop, outcomes
from fakes.alerts import ALERTS, ENOUGH, NOON, FakeReceiver, requests, watched
from mlops.monitoring.alerting.forms import pager, slack, teams
from mlops.monitoring.alerting.notice import WITHDRAWN, Notice, of_alarm, of_withdrawal
from mlops.monitoring.decisions import Kind
from mlops.monitoring.past_alarms import PastAlarm
from mlops.settings.loading import LoadedSettings

HOUR = 60 * MINUTE


@pytest.fixture
def loop(settings: LoadedSettings) -> Loop:
    return Loop(settings, watched(requests(ENOUGH)))


def passed(began: float = 40, last: float = 20) -> Notice:
    """Return the notice of an alarm between so many minutes before noon."""
    alarm = PastAlarm(
        alert=ALERTS["error-rate"],
        deployment="green",
        model_version=3,
        began=NOON - began * MINUTE,
        last=NOON - last * MINUTE,
        value=0.4,
        limit=0.05,
        rows=1200,
        windows=5,
    )
    return of_alarm(alarm)


def test_it_is_told_once_in_one_message_with_its_incident_and_withdraws_nothing(
    loop: Loop,
) -> None:
    loop.notices = [passed()]
    deeds = loop.run(NOON)
    assert outcomes(deeds) == [
        ("alert", "passed"),
        ("incident", "opened"),
        ("notification", "told afterwards"),
    ]
    (message,) = loop.receivers[0].heard
    assert message.heading == "Between two looks: Failing requests at tiny-prod"
    assert message.reason.startswith("from 2026-06-30 11:20 to 2026-06-30 11:40 UTC")
    (incident,) = loop.incidents
    assert incident.title == "[dev] Over already: Failing requests at tiny-prod, version 3"
    assert "rate is 0.4 on 1,200 events" in incident.body
    assert "nothing is withdrawn" in incident.body
    assert loop.withdrawn == []
    assert loop.awaited == [frozenset()]
    assert loop.run(NOON + 5 * MINUTE) == [], "the same, found again"
    loop.notices = []
    assert loop.run(NOON + 10 * MINUTE) == []


def test_what_failed_of_it_is_tried_again_for_a_day_and_only_that(loop: Loop) -> None:
    loop.notices = [passed()]
    loop.fails = {"incident"}
    loop.receivers = [FakeReceiver("teams", works=False), FakeReceiver("slack")]
    loop.run(NOON)
    loop.notices = []
    loop.fails = set()
    deeds = loop.run(NOON + HOUR)
    assert outcomes(deeds) == [("incident", "opened"), ("notification", "failed")]
    loop.receivers[0].works = True
    loop.run(NOON + 2 * HOUR)
    assert [len(each.heard) for each in loop.receivers] == [1, 1]
    loop.receivers.append(FakeReceiver("pager"))
    loop.run(NOON + 25 * HOUR)
    assert loop.receivers[2].heard == [], "who comes later is not told what is long over"
    assert len(loop.incidents) == 1


def test_an_alarm_that_is_there_still_is_told_as_one(loop: Loop) -> None:
    loop.endpoint.events = watched(FAILING).events
    loop.notices = [passed()]
    loop.run(NOON)
    assert loop.receivers[0].news == ["alarm: Failing requests"]
    assert loop.withdrawn == [(3, "error-rate")]
    assert loop.of(Kind.ALERT) == ["fired"]


def test_what_is_known_of_an_alarm_that_ended_is_not_told_again(loop: Loop) -> None:
    sound = loop.endpoint.events
    loop.endpoint.events = watched(FAILING).events
    loop.run(NOON - HOUR)
    loop.endpoint.events, loop.notices = sound, [passed()]
    loop.run(NOON)
    assert loop.of(Kind.ALERT) == ["fired", "resolved"], "it went on until then"
    loop.notices = [passed(began=-30, last=-40)]
    loop.run(NOON + HOUR)
    assert loop.of(Kind.ALERT) == ["fired", "resolved", "passed"], "another one after it"


def test_after_what_is_over_an_alarm_is_one_of_its_own(loop: Loop) -> None:
    loop.notices = [passed()]
    loop.run(NOON)
    loop.notices = []
    loop.endpoint.events = watched(FAILING).events
    loop.run(NOON + MINUTE)
    assert loop.receivers[0].news == ["passed: Failing requests", "alarm: Failing requests"]
    assert loop.withdrawn == [(3, "error-rate")]


def test_what_the_platform_withdrew_is_told_once(loop: Loop) -> None:
    loop.endpoint.noted[WITHDRAWN] = "3 green 2026-06-30T11:20:07.1234567Z"
    loop.endpoint.set_traffic({"blue": 100})

    def run(hours: float) -> list[tuple[str, str]]:
        found = of_withdrawal(loop.endpoint)
        loop.notices = [found] if found else []
        return outcomes(loop.run(NOON + hours * HOUR))

    assert run(0) == [
        ("alert", "passed"),
        ("rollback", "rolled back"),
        ("incident", "opened"),
        ("notification", "told afterwards"),
    ]
    (message,) = loop.receivers[0].heard
    assert (message.title, message.severity) == (
        "A version was withdrawn by the platform",
        "critical",
    )
    assert message.reason == (
        "version 3 (green) gave way at 2026-06-30 11:20 UTC to what served before it"
    )
    assert "nothing is withdrawn" not in loop.incidents[0].body
    for hours in (1, 24, 24 * 29, 24 * 31, 24 * 65):
        assert run(hours) == []
    loop.endpoint.noted[WITHDRAWN] = f"3 green {(NOON + 66 * 24 * HOUR).isoformat()}"
    assert run(24 * 66 + 1)[0] == ("alert", "passed"), "another one"


@pytest.mark.parametrize(
    "text", ["", "3 green", "x green 2026-06-30T11:20:07Z", "3 green then", "3 green 2026-06-30"]
)
def test_a_note_that_nobody_can_read_says_nothing(loop: Loop, text: str) -> None:
    loop.endpoint.noted[WITHDRAWN] = text
    assert of_withdrawal(loop.endpoint) is None


def test_a_receiver_that_pages_opens_something_that_a_person_closes(
    loop: Loop,
) -> None:
    loop.notices = [passed()]
    loop.run(NOON)
    (message,) = loop.receivers[0].heard
    sent: dict[str, Any] = pager(message, "key")
    assert sent["event_action"] == "trigger"
    assert sent["payload"]["summary"].startswith("Between two looks: Failing requests")
    assert "Between two looks" in slack(message)["text"]
    assert teams(message)["attachments"]
