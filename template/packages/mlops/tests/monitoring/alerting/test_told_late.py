"""An alarm that was noticed, and was over before it could be told, is told all the same."""

import pytest

from fakes.alert_loop import FAILING, MINUTE, Loop, outcomes
from fakes.alerts import ENOUGH, NOON, FakeReceiver, requests, watched
from mlops.monitoring.decisions import Kind
from mlops.settings.loading import LoadedSettings

HOUR = 60 * MINUTE
ALARM, LATE = "alarm: Failing requests", "late: Failing requests"
OVER = "resolved: Failing requests"


class Died(BaseException):
    """The machine is gone: nothing catches that."""


@pytest.fixture
def loop(settings: LoadedSettings) -> Loop:
    return Loop(settings, watched(FAILING))


def die(loop: Loop, at: str) -> None:
    """Look once on a machine that dies at an action; the version gives way all the same."""
    loop.fails, loop.failure = {at}, Died
    with pytest.raises(Died):
        loop.run(NOON)
    loop.fails = set()
    loop.endpoint.set_traffic({"blue": 100})


def end(loop: Loop) -> None:
    loop.endpoint.events = watched(requests(ENOUGH)).events


def test_who_died_after_the_withdrawal_leaves_the_telling_to_the_next(loop: Loop) -> None:
    die(loop, "incident")
    assert outcomes(loop.run(NOON + 5 * MINUTE)) == [
        ("alert", "resolved"),
        ("incident", "opened"),
        ("notification", "told afterwards"),
    ]
    (message,) = loop.receivers[0].heard
    assert message.heading == "Over already: Failing requests at tiny-prod"
    assert "is 0.2 on 100 events" in message.reason
    assert "version 3 answers no caller any more" in message.reason
    assert message.lines == (
        "Rollback: rolled back, version 2 serves again",
        "Incident: opened, an issue (issue 1)",
    )
    (incident,) = loop.incidents
    assert incident.title == "[dev] Over already: Failing requests at tiny-prod, version 3"
    assert "It was noticed" in incident.body
    assert "nothing is withdrawn" not in incident.body
    assert "Rollback: rolled back, version 2 serves again" in incident.body
    assert loop.run(NOON + 10 * MINUTE) == [], "once"


def test_what_was_not_even_remembered_of_the_withdrawal_is_told_too(loop: Loop) -> None:
    die(loop, "rollback")
    loop.run(NOON + 5 * MINUTE)
    assert loop.receivers[0].news == [LATE]
    assert "version 3 answers no caller any more" in loop.incidents[0].body


def test_it_is_tried_again_for_a_day_after_the_end(loop: Loop) -> None:
    die(loop, "incident")
    loop.receivers[0].works = False
    loop.fails, loop.failure = {"incident"}, ValueError
    for hours in (30, 31):
        deeds = loop.run(NOON + hours * HOUR)
        assert {each.kind for each in deeds if each.failed} == {Kind.INCIDENT, Kind.NOTIFICATION}
    loop.receivers[0].works, loop.fails = True, set()
    assert loop.run(NOON + 54 * HOUR) == [], "a day after its end it is over"
    assert loop.run(NOON + 53 * HOUR) != []
    assert (loop.receivers[0].news, len(loop.incidents)) == ([LATE], 1)


def test_who_could_not_be_told_of_the_alarm_is_told_when_it_is_over(loop: Loop) -> None:
    loop.receivers = [FakeReceiver("teams", works=False), FakeReceiver("slack")]
    loop.run(NOON)
    end(loop)
    loop.receivers.append(FakeReceiver("pager"))
    deeds = loop.run(NOON + 5 * MINUTE)
    assert [each.subject for each in deeds if each.failed] == ["teams"], "an exit code says it"
    loop.receivers[0].works = True
    for minutes in (10, 15):
        loop.run(NOON + minutes * MINUTE)
    assert [each.news for each in loop.receivers] == [[LATE], [ALARM, OVER], []]
    assert len(loop.incidents) == 1, "it was opened at the alarm"


def test_an_incident_that_could_not_be_opened_is_opened_when_it_is_over(loop: Loop) -> None:
    loop.fails = {"incident"}
    loop.run(NOON)
    end(loop)
    loop.fails = set()
    loop.run(NOON + 5 * MINUTE)
    assert loop.receivers[0].news == [ALARM, OVER]
    assert len(loop.incidents) == 1
    assert "It was noticed" in loop.incidents[0].body
