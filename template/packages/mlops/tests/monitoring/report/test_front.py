"""What the page says of requests that a platform's front answered itself."""

from typing import Any

import pytest

from fakes.endpoint import FakeEndpoint
from fakes.watched import MONTH
from mlops.monitoring.report.front import front_section, front_sections
from mlops.platforms.base import NotObserved
from mlops.window import Window


def row(status: int, model_status: int | None = None, deployment: str = "blue") -> dict[str, Any]:
    return {"status": status, "model_status": model_status, "deployment": deployment}


def test_only_what_no_model_answered_is_counted() -> None:
    rows = [row(200, 200)] * 5 + [row(424, 500), row(404), row(424), row(429), row(429)]
    section = front_section(rows)
    assert section.table
    assert section.table.rows == (
        ("424: the deployment did not answer", "blue", "1", "10.00%"),
        ("429: too many at a time", "blue", "2", "20.00%"),
    )
    assert "Of 10 requests" in section.notes[0]


def test_a_front_that_passed_all_on_says_so() -> None:
    section = front_section([row(200, 200), row(408, 0)][:1])
    assert (section.notes, section.table) == (("None of 1 requests.",), None)
    assert front_section([row(408, 0)]).table
    assert "not switched on" in front_section([]).empty


def test_where_no_front_keeps_a_log_there_is_no_section() -> None:
    endpoint: Any = FakeEndpoint("tiny-dev")
    assert front_sections(endpoint, MONTH) == ()
    endpoint.front = [row(429)]
    (section,) = front_sections(endpoint, MONTH)
    assert section.table


def test_a_log_that_cannot_be_read_hides_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_window: Window) -> None:
        raise NotObserved("Log Analytics is away", "try again")

    endpoint: Any = FakeEndpoint("tiny-dev")
    monkeypatch.setattr(endpoint, "front_log", refuse)
    (section,) = front_sections(endpoint, MONTH)
    assert section.notes == (
        "The front's log could not be read: Log Analytics is away; try again.",
    )
