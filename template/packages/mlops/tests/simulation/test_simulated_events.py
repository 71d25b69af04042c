"""What commands say of themselves in a few words, and whether it was planned."""

from datetime import UTC, datetime
from typing import Any

import pytest

from mlops.monitoring.decisions import Kind
from mlops.simulation.events import (
    Deed,
    Event,
    answers_in_words,
    deeds_of,
    in_words,
    missing_deeds,
    wrongly_answered,
)

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("command", "said", "words"),
    [
        ("register", {"version": 2}, "version 2"),
        ("train", {"evaluation": {"model": {"f1": 0.8123, "x": None}}}, "f1 0.812"),
        ("evaluate", {"checks": [{"name": "f1", "found": "0.8", "passed": True}]}, "passed"),
        (
            "evaluate",
            {"checks": [{"name": "f1", "found": "0.2", "passed": False}]},
            "refused: f1 is 0.2",
        ),
        ("release", {"outcome": "promoted", "reason": "as good"}, "promoted: as good"),
        ("drift", {"outcome": "ok", "columns": [{"column": "a", "outcome": "ok"}]}, "ok"),
        (
            "drift",
            {"outcome": "drift", "columns": [{"column": "a", "outcome": "drift"}]},
            "drift: a",
        ),
        (
            "feedback",
            {"outcome": "ok", "metric": "f1", "realised": {"value": 0.8654}},
            "ok: f1 0.865",
        ),
        ("feedback", {"outcome": "not enough", "realised": {"value": None}}, "not enough"),
        (
            "monitor",
            {"outcome": "alarm", "alerts": [{"id": "drift", "outcome": "alarm"}]},
            "alarm: drift",
        ),
        ("monitor", {}, ""),
        ("report", {"page": "x"}, ""),
    ],
)
def test_an_outcome_in_words(command: str, said: dict[str, Any], words: str) -> None:
    assert in_words(command, said) == words


def test_what_a_monitor_did_but_for_what_it_kept_in_mind() -> None:
    done = [
        {"kind": "alert", "outcome": "fired", "reason": "it is beyond"},
        {"kind": "retraining", "outcome": "wait", "reason": "once is not enough"},
    ]
    assert deeds_of({"done": done}) == [Deed(Kind.RETRAINING, "wait", "once is not enough")]


def test_a_planned_deed_that_was_not_done_is_named() -> None:
    done = [Deed(Kind.RETRAINING, "wait", "")]
    assert missing_deeds(done, [(Kind.RETRAINING, "wait")]) == ""
    assert missing_deeds(done, [(Kind.RETRAINING, "released")]) == "retraining released"
    assert missing_deeds([], [(Kind.ROLLBACK, "rolled back")]) == "rollback rolled back"


def test_answers_in_words() -> None:
    assert answers_in_words({(200, 1): 150}) == "version 1 answered 150"
    assert answers_in_words({(500, None): 90, (200, 2): 60}).startswith("90 got 500")
    assert answers_in_words({}) == "nobody asked"


@pytest.mark.parametrize(
    ("answers", "version", "status", "planned"),
    [
        ({(200, 1): 150}, 1, 200, ""),
        ({(200, 2): 150}, 1, 200, "version 1 answers"),
        ({(200, 1): 149, (500, None): 1}, 1, 200, "version 1 answers"),
        ({}, 1, 200, "version 1 answers"),
        ({(500, None): 150}, 3, 500, ""),
        ({(200, 3): 150}, 3, 500, "version 3 fails"),
        ({(0, None): 150}, 3, 500, "version 3 fails"),
    ],
)
def test_who_answers_is_planned(
    answers: dict[tuple[int, int | None], int], version: int, status: int, planned: str
) -> None:
    assert wrongly_answered(answers, version, status) == planned


def test_an_event_as_json() -> None:
    told = Event(NOW, "drift", "ok", 0, "exit code 1").to_dict()
    assert told["time"] == "2026-01-05T09:00:00+00:00"
    assert (told["exit_code"], told["as_planned"], told["planned"]) == (0, False, "exit code 1")
    assert Event(NOW, "drift", "ok", 0).to_dict()["as_planned"]
