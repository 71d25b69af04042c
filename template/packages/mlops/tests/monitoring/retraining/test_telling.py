"""Who is told of retraining: each once, by message and incident, whatever fails."""

from datetime import timedelta

import pytest

from fakes.alerts import FakeReceiver
from fakes.retraining import DAY, Loop
from mlops.errors import PlatformError, Refused
from mlops.monitoring.decisions import Kind

STOP = "alarm: Retraining has stopped"
WEEK = 7 * DAY


@pytest.fixture
def stopped(loop: Loop) -> Loop:
    """Three candidates were refused, of which everybody knows; the next look stops."""
    loop.fails["train"] = Refused("f1 is 0.2")
    for _ in range(3):
        loop.drift("drift", "drift")
        assert loop.retrain().outcome == "refused"
        loop.now += WEEK
    loop.drift("drift", "drift")
    loop.receivers = [FakeReceiver("teams"), FakeReceiver("slack"), FakeReceiver("pager")]
    return loop


def test_a_stop_is_an_incident_and_told_with_it(stopped: Loop) -> None:
    found = stopped.retrain()
    assert (found.outcome, found.exit_code, found.untold) == ("stopped", 1, ())
    (incident,) = stopped.incidents
    assert incident.key == "tiny-dev/retraining-stopped/-/9"
    assert incident.title == "[dev] Retraining has stopped at tiny-dev, version 9"
    assert incident.body.count("f1 is 0.2") == 3
    rows = [each for each in incident.body.splitlines() if each.startswith("| 2026-")]
    assert len(rows) == 3, "that a candidate begins is no outcome"
    for receiver in stopped.receivers:
        (message,) = receiver.heard
        assert message.lines == ("Incident: opened, issue 1",)
        assert "3 candidates did not replace version 9" in message.reason
        assert (message.severity, message.key) == ("error", incident.key)
    names = [(each.kind.value, each.outcome, each.subject) for each in found.told]
    assert names == [
        ("incident", "opened", "issue 1"),
        ("notification", "told", "teams"),
        ("notification", "told", "slack"),
        ("notification", "told", "pager"),
    ]


def test_what_did_not_arrive_is_tried_again_and_what_did_is_not_told_twice(stopped: Loop) -> None:
    stopped.receivers[1].works = False
    first = stopped.retrain()
    assert [(each.subject, each.reason) for each in first.untold] == [
        ("slack", "it answered 500 (4 attempts)")
    ]
    stopped.receivers[1].works = True
    stopped.new_machine()
    stopped.now += timedelta(hours=1)
    assert stopped.retrain().untold == ()
    stopped.now += timedelta(hours=1)
    assert stopped.retrain().told == ()
    assert [each.news for each in stopped.receivers] == [[STOP]] * 3
    assert len(stopped.incidents) == 1


def test_an_incident_that_cannot_be_opened_hides_nothing(stopped: Loop) -> None:
    stopped.fails["incident"] = ValueError("no such repository")
    found = stopped.retrain()
    assert [each.news for each in stopped.receivers] == [[STOP]] * 3
    assert [(each.kind, each.reason) for each in found.untold] == [
        (Kind.INCIDENT, "no such repository")
    ]
    assert "failed, no such repository" in stopped.receivers[0].heard[0].lines[0]
    del stopped.fails["incident"]
    stopped.now += timedelta(hours=1)
    assert stopped.retrain().untold == ()
    assert len(stopped.incidents) == 1
    assert [each.news for each in stopped.receivers] == [[STOP]] * 3


@pytest.mark.parametrize("lost", ["decisions", "notes"])
def test_who_knows_is_read_from_the_note_and_from_what_was_decided(
    stopped: Loop, lost: str
) -> None:
    """On Azure a decision can be read minutes late; a note has room for one version."""
    stopped.retrain()
    if lost == "notes":
        del stopped.endpoint.noted["retraining-stopped"]
    else:
        told = ("incident", "notification")
        kept = [each for each in stopped.endpoint.kept if each.get("kind") not in told]
        stopped.endpoint.kept = kept
    stopped.now += timedelta(hours=1)
    assert stopped.retrain().told == ()
    assert [each.news for each in stopped.receivers] == [[STOP]] * 3
    assert len(stopped.incidents) == 1


def test_the_stop_of_another_version_is_told_too(stopped: Loop) -> None:
    stopped.retrain()
    stopped.serve(10, stopped.commit)
    for _ in range(4):
        stopped.drift("drift", "drift", version=10)
        stopped.retrain()
        stopped.now += WEEK
    assert stopped.receivers[0].news.count(STOP) == 2
    assert len(stopped.incidents) == 2


def test_without_memory_it_is_said_and_rather_told_twice(
    stopped: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(_name: str, _text: str) -> None:
        raise PlatformError("another command changes the endpoint")

    monkeypatch.setattr(stopped.endpoint, "note", busy)
    found = stopped.retrain()
    (untold,) = found.untold
    assert untold.reason == (
        "who was told could not be remembered: another command changes the endpoint"
    )
    assert stopped.receivers[0].news == [STOP]


def test_a_release_that_goes_on_hides_nobody_who_was_told(stopped: Loop) -> None:
    with stopped.endpoint.another_command("the release of version 10", {"blue": 100}):
        found = stopped.retrain()
        assert (found.outcome, found.untold, found.exit_code) == ("stopped", (), 1)
        assert "retraining-stopped" not in stopped.endpoint.noted
        stopped.now += timedelta(hours=1)
        assert stopped.retrain().told == (), "it is read from what was decided"
    assert [each.news for each in stopped.receivers] == [[STOP]] * 3
    assert len(stopped.incidents) == 1


def test_how_a_candidate_ended_is_told_to_all_but_the_pager(loop: Loop) -> None:
    loop.receivers = [FakeReceiver("teams"), FakeReceiver("slack"), FakeReceiver("pager")]
    loop.drift("drift", "drift")
    found = loop.retrain()
    assert (found.outcome, found.exit_code) == ("released", 0)
    teams, slack, pager = loop.receivers
    assert teams.news == slack.news == ["ended: Candidate released"]
    assert (teams.heard[0].severity, teams.heard[0].reason) == ("info", "no worse")
    assert pager.heard == []
    assert loop.incidents == []
    loop.serve(10, loop.commit)
    loop.now += timedelta(hours=1)
    assert loop.retrain().told == ()


def test_an_end_that_was_not_told_is_told_at_the_next_look(loop: Loop) -> None:
    loop.receivers[0].works = False
    loop.drift("drift", "drift")
    found = loop.retrain()
    assert (found.outcome, found.exit_code) == ("released", 3)
    loop.receivers[0].works = True
    loop.new_machine()
    loop.now += timedelta(hours=1)
    loop.drift("ok")
    again = loop.retrain()
    assert (again.outcome, again.exit_code) == ("not needed", 0)
    assert loop.heard == ["ended: Candidate released"]


def test_what_the_pipeline_found_is_told_at_the_next_look(loop: Loop) -> None:
    loop.drift("drift", "drift")
    begun = loop.retrain(trains=False)
    assert begun.candidate
    (decision,) = loop.decisions()
    end = decision.row() | {"outcome": "rejected", "reason": "slower"}
    loop.endpoint.keep_checks([end | {"time": (loop.now + timedelta(hours=3)).isoformat()}])
    loop.now += timedelta(hours=4)
    assert loop.retrain(trains=False).outcome == "wait"
    assert loop.heard == ["ended: Candidate rejected"]
    assert loop.receivers[0].heard[0].reason == "slower"


def test_the_incident_has_the_last_that_was_decided_of_each_candidate(stopped: Loop) -> None:
    first = next(each for each in stopped.decisions() if each.outcome == "refused")
    later = first.row() | {"outcome": "hold", "reason": "no decision"}
    stopped.endpoint.keep_checks([later | {"time": (first.time + DAY).isoformat()}])
    assert stopped.retrain().outcome == "stopped"
    (incident,) = stopped.incidents
    assert (incident.body.count("no decision"), incident.body.count("f1 is 0.2")) == (1, 2)


def test_how_each_of_several_candidates_ended_is_told_once(loop: Loop) -> None:
    loop.drift("drift", "drift")
    assert loop.retrain(trains=False).outcome == "retrain"
    (decision,) = loop.decisions()
    ends = [("9-a", "rejected", 1), ("9-b", "hold", 2), ("9-b", "released", 3)]
    loop.endpoint.keep_checks(
        [
            decision.row()
            | {"subject": of, "outcome": outcome, "reason": outcome}
            | {"time": (loop.now + timedelta(hours=hours)).isoformat()}
            for of, outcome, hours in ends
        ]
    )
    loop.now += timedelta(hours=4)
    loop.retrain(trains=False)
    told = ["ended: Candidate rejected", "ended: Candidate released"]
    assert loop.heard == told
    loop.now += timedelta(hours=1)
    assert loop.retrain(trains=False).told == ()
    assert loop.heard == told


def test_an_old_end_is_no_news(loop: Loop) -> None:
    loop.receivers[0].works = False
    loop.drift("drift", "drift")
    loop.retrain()
    loop.receivers[0].works = True
    loop.now += timedelta(days=loop.settings.values.retraining.newest_days, seconds=1)
    assert loop.retrain().told == ()


def test_a_dry_run_tells_nobody(stopped: Loop) -> None:
    assert stopped.retrain(dry_run=True).outcome == "stopped"
    assert [each.news for each in stopped.receivers] == [[], [], []]
    assert stopped.incidents == []


@pytest.mark.parametrize(
    ("step", "error", "code"),
    [
        ("train", Refused("f1 is 0.2"), 1),
        ("train", PlatformError("no space"), 3),
        ("", None, 3),
    ],
)
def test_a_refusal_goes_before_who_was_not_told(
    loop: Loop, step: str, error: Exception | None, code: int
) -> None:
    loop.receivers[0].works = False
    if error:
        loop.fails[step] = error
    loop.drift("drift", "drift")
    assert loop.retrain().exit_code == code
