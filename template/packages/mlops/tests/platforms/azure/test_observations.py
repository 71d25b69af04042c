"""The log of requests: late, out of order, read again and again, counted once."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from mlops.errors import ConfigError, PlatformError
from mlops.platforms.azure import observations as azure_observations
from mlops.platforms.azure.log_analytics import TIME, LogTable, parse_time
from mlops.platforms.azure.observations import (
    TrafficLog,
    await_row,
    fresh_query,
    query_traffic,
    read_front_log,
    status_of,
    traffic_query,
)
from mlops.platforms.base import NotObserved
from mlops.window import Window

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
NONE: frozenset[str] = frozenset()


def row(number: str, seconds: float, deployment: str = "blue", **more: Any) -> dict[str, Any]:
    time = (START + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")
    return {
        "TimeGenerated": time,
        "DeploymentName": deployment,
        "ResponseCode": 200,
        "ModelStatusCode": 200,
        "TotalDurationMs": 20,
        "XRequestId": number,
        **more,
    }


def test_a_request_is_counted_once_however_often_it_is_read() -> None:
    log = TrafficLog(START)
    log.add([row("a", 1), row("b", 2)], NONE)
    log.add([row("b", 2), row("c", 1.5), row("a", 1)], NONE)
    found = log.after(0)
    assert len(found) == 3
    assert [each.sequence for each in found] == sorted({each.sequence for each in found})
    assert log.after(found[1].sequence) == found[2:]
    assert (found[0].seconds, found[0].status, found[0].mirrored) == (0.02, 200, False)


def test_a_copy_counts_beside_the_request_that_it_copies() -> None:
    log = TrafficLog(START)
    log.add([row("a", 1), row("a", 1, "green")], frozenset({"green"}))
    assert [(each.deployment, each.mirrored) for each in log.after(0)] == [
        ("blue", False),
        ("green", True),
    ]


def test_what_was_answered_before_a_change_does_not_count_after_it() -> None:
    log = TrafficLog(START)
    log.add([row("early", -1), row("a", 1)], NONE)
    log.restart(START + timedelta(seconds=10))
    log.add([row("late", 9), row("b", 11)], NONE)
    assert len(log.after(0)) == 2
    log.restart(START)  # never goes back
    assert log.started == START + timedelta(seconds=10)


def test_the_window_reaches_back_as_far_as_rows_are_late() -> None:
    log = TrafficLog(START)
    assert log.window_start == START
    log.add([row("a", 3600)], NONE)
    assert log.window_start == START + timedelta(seconds=3600) - azure_observations.LATE


def test_the_numbers_of_a_later_log_are_higher() -> None:
    first, second = TrafficLog(START), TrafficLog(START + timedelta(seconds=1))
    for log in (first, second):
        log.add([row("a", 5)], NONE)
    assert second.after(0)[0].sequence > first.after(0)[0].sequence


@pytest.mark.parametrize(
    ("response", "model", "status"),
    [(200, 200, 200), (424, 500, 500), (424, None, 424), (408, 0, 408)],
)
def test_the_status_is_the_deployments_own(response: int, model: int | None, status: int) -> None:
    assert status_of({"ResponseCode": response, "ModelStatusCode": model}) == status


@pytest.mark.parametrize(
    "text", ["2026-03-01T12:00:00Z", "2026-03-01T12:00:00.1234567Z", "2026-03-01T12:00:00+00:00"]
)
def test_a_time_is_read(text: str) -> None:
    assert parse_time(text).replace(microsecond=0) == START


def test_the_query_leaves_out_what_names_its_deployment() -> None:
    said = traffic_query("churn-prod", START)
    assert "EndpointName == 'churn-prod'" in said
    assert "UserAgent !startswith 'mlops-direct'" in said
    assert "datetime(2026-03-01T12:00:00+00:00)" in said


class Answer:
    def __init__(self, status: int, rows: list[dict[str, Any]], retry_after: str = "") -> None:
        self.status_code = status
        self.headers = {"Retry-After": retry_after} if retry_after else {}
        self.text = "said"
        self._rows = rows

    def json(self) -> dict[str, Any]:
        columns = list(self._rows[0]) if self._rows else ["TimeGenerated"]
        rows = [[each[name] for name in columns] for each in self._rows]
        return {"tables": [{"columns": [{"name": name} for name in columns], "rows": rows}]}


class Session:
    def __init__(self, *answers: Answer | Exception) -> None:
        self.answers = list(answers)

    def post(self, *_arguments: Any, **_options: Any) -> Answer:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that were waited, none of which pass."""
    found: list[float] = []
    monkeypatch.setattr(time, "sleep", found.append)
    return found


def test_what_passes_by_itself_is_asked_again(waits: list[float]) -> None:
    session: Any = Session(
        Answer(429, [], retry_after="7"),
        Answer(503, []),
        requests.ConnectionError("reset"),
        Answer(200, [row("a", 1)]),
    )
    found = query_traffic(session, "token", "workspace", "churn", START)
    assert [each["XRequestId"] for each in found] == ["a"]
    assert waits == [7, 2, 4]


def test_a_wait_that_is_asked_for_has_a_limit(waits: list[float]) -> None:
    session: Any = Session(Answer(429, [], retry_after="86400"), Answer(200, []))
    assert query_traffic(session, "token", "workspace", "churn", START) == []
    assert waits == [60]


@pytest.mark.parametrize("problem", [Answer(429, []), requests.ConnectionError("reset")])
def test_a_log_that_stays_away_is_given_up(waits: list[float], problem: Answer | Exception) -> None:
    session: Any = Session(*[problem] * 9)
    with pytest.raises(NotObserved, match="Log Analytics"):
        query_traffic(session, "token", "workspace", "churn", START)
    assert len(session.answers) == 9 - len(waits) - 1 == 5


def test_a_full_page_asks_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(azure_observations, "_ROWS", 2)
    session: Any = Session(
        Answer(200, [row("a", 1), row("b", 2)]), Answer(200, [row("b", 2)]), Answer(200, [])
    )
    found = query_traffic(session, "token", "workspace", "churn", START)
    assert [each["XRequestId"] for each in found] == ["a", "b", "b"]


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (403, ConfigError, "Log Analytics Reader"),
        (400, ConfigError, "OnlineEndpointTraffic"),
        (418, PlatformError, "418"),
    ],
)
def test_a_log_that_cannot_be_read_says_why(status: int, kind: type[Exception], said: str) -> None:
    session: Any = Session(Answer(status, []))
    with pytest.raises(kind, match=said):
        query_traffic(session, "token", "workspace", "churn", START)


class Clock:
    """Time that passes by being slept."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize("nothing", [[], NotObserved("Log Analytics answered 503")])
def test_a_first_row_is_waited_for(nothing: Any) -> None:
    clock, answers, lines = Clock(), [nothing, nothing, [row("a", 1)]], list[str]()

    def ask() -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    await_row(ask, 900, 10, lines.append, clock)
    assert (clock.now, answers) == (20, [])
    assert lines == [f"waiting for a first request in the log: {n} s" for n in (0, 10)]


@pytest.mark.parametrize(
    ("nothing", "said"),
    [
        (None, "^none of the requests of the last 30 s is in the log .* up to 90 minutes after"),
        (NotObserved("Log Analytics is away", "try again"), "^Log Analytics is away, and none of"),
    ],
)
def test_a_log_without_a_row_is_given_up_in_the_end(nothing: Any, said: str) -> None:
    clock = Clock()

    def ask() -> Any:
        if nothing:
            raise nothing
        return []

    with pytest.raises(NotObserved, match=said):
        await_row(ask, 25, 10, lambda _line: None, clock)
    assert clock.now == 30


def test_any_request_since_then_will_do() -> None:
    said = fresh_query("churn-prod", START)
    assert "EndpointName == 'churn-prod'" in said
    assert "datetime(2026-03-01T12:00:00+00:00)" in said
    assert "UserAgent" not in said


def test_all_that_the_front_logged_is_read_once() -> None:
    texts: list[str] = []

    def ask(text: str, table: LogTable) -> list[dict[str, Any]]:
        texts.append(text)
        assert table.may_lack, "no request has come yet"
        logged = {"deployment": "blue", "request": "a", "status": 429, TIME: "2026-03-01T12:00:00Z"}
        return [logged, dict(logged), {**logged, "deployment": "green"}]

    window = Window(START, START + timedelta(hours=1))
    found = read_front_log(ask, "churn-prod", window)
    assert [(row["deployment"], row["status"]) for row in found] == [("blue", 429), ("green", 429)]
    assert {row["time"] for row in found} == {"2026-03-01T12:00:00Z"}
    assert "request" not in found[0]
    assert 'EndpointName == "churn-prod"' in texts[0]
    assert "UserAgent" not in texts[0]
