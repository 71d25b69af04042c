"""What the router remembers of the requests."""

import math
from dataclasses import asdict
from typing import Any

import pytest

from mlops.clock import system_clock
from mlops.platforms.local.http import get_observations
from mlops.platforms.local.observations import PAGE, ObservationLog


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(clock: Clock) -> ObservationLog:
    return ObservationLog(system_clock(), clock=clock)


def filled(count: int, kept: int = 100) -> ObservationLog:
    log = ObservationLog(system_clock(), kept)
    for n in range(count):
        log.end(log.begin("blue", mirrored=False), 200 + n)
    return log


def told(
    log: ObservationLog, after: int = 0, patience_seconds: float = math.inf
) -> list[tuple[str, int, float]]:
    found = log.after(after, patience_seconds)
    return [(each.deployment, each.status, each.seconds) for each in found]


def test_what_came_after_a_number_is_returned_in_order() -> None:
    log = filled(5)
    all_of_them = log.after(0)
    assert [each.status for each in all_of_them] == [200, 201, 202, 203, 204]
    assert log.after(all_of_them[2].sequence) == all_of_them[3:]
    assert log.after(all_of_them[-1].sequence) == []


def test_a_page_has_a_limit() -> None:
    log = filled(5)
    first = log.after(0, limit=2)
    second = log.after(first[-1].sequence, limit=2)
    assert [each.status for each in [*first, *second]] == [200, 201, 202, 203]


def test_the_oldest_are_forgotten() -> None:
    log = filled(5, kept=3)
    kept = log.after(0)
    assert [each.status for each in kept] == [202, 203, 204]
    assert log.after(kept[0].sequence - 2) == kept
    assert log.after(kept[0].sequence) == kept[1:]


def test_the_numbers_of_a_new_start_are_above_those_before() -> None:
    before = filled(3).after(0)[-1].sequence
    assert filled(1).after(before)[0].sequence > before


def test_there_may_be_nothing() -> None:
    assert ObservationLog(system_clock()).after(0) == []


def test_requests_are_told_in_the_order_in_which_they_began(
    log: ObservationLog, clock: Clock
) -> None:
    first, second = log.begin("blue", mirrored=False), log.begin("green", mirrored=True)
    clock.now += 0.25
    log.end(second, 200)
    clock.now += 0.25
    log.end(first, 500)
    assert told(log) == [("blue", 500, 0.5), ("green", 200, 0.25)]
    assert [each.mirrored for each in log.after(0)] == [False, True]


def test_nothing_overtakes_a_request_that_is_open(log: ObservationLog, clock: Clock) -> None:
    log.end(log.begin("blue", mirrored=False), 200)
    hanging = log.begin("green", mirrored=False)
    log.end(log.begin("green", mirrored=False), 200)
    clock.now += 1
    assert told(log, patience_seconds=2) == [("blue", 200, 0)]
    assert told(log) == [("blue", 200, 0)]
    log.end(hanging, 503)
    assert told(log, patience_seconds=2) == [("blue", 200, 0), ("green", 503, 1), ("green", 200, 0)]


def test_a_request_that_is_open_for_longer_than_the_patience_was_not_answered(
    log: ObservationLog, clock: Clock
) -> None:
    hanging = log.begin("green", mirrored=False)
    clock.now += 1.5
    log.end(log.begin("green", mirrored=False), 200)
    clock.now += 0.5
    assert told(log, patience_seconds=2) == [("green", 0, 2), ("green", 200, 0)]
    # who goes on from there is told of it no more, also when it ends at last
    latest = log.after(0, patience_seconds=2)[-1].sequence
    log.end(hanging, 200)
    assert told(log, latest, patience_seconds=2) == []


def test_without_patience_everything_that_began_is_told(log: ObservationLog) -> None:
    log.begin("green", mirrored=False)
    log.end(log.begin("blue", mirrored=False), 200)
    assert told(log, patience_seconds=0) == [("green", 0, 0), ("blue", 200, 0)]


def test_what_was_withdrawn_is_left_out_and_takes_no_room_on_a_page(log: ObservationLog) -> None:
    requests = [log.begin("blue", mirrored=True) for _ in range(6)]
    for each in requests[:3]:
        log.withdraw(each)
    for status, each in enumerate(requests[3:], start=200):
        log.end(each, status)
    assert [each.status for each in log.after(0, limit=2)] == [200, 201]


class BusyRouter:
    """Answers as a session would that reaches a router; during each call requests come."""

    def __init__(self, log: ObservationLog, known: int, new: int) -> None:
        self.log, self.new, self.calls = log, new, 0
        self._request(known)

    def _request(self, count: int) -> None:
        for _ in range(count):
            self.log.end(self.log.begin("blue", mirrored=False), 200)

    def get(self, _url: str, params: dict[str, Any], **_: object) -> "BusyRouter":
        self.calls += 1
        assert self.calls <= 3
        self.page = self.log.after(params["after"], params["patience"])
        self._request(self.new)
        return self

    def raise_for_status(self) -> None:
        pass

    def json(self) -> list[dict[str, Any]]:
        return [asdict(each) for each in self.page]


def test_reading_ends_with_a_page_that_is_not_full_however_fast_requests_come() -> None:
    router: Any = BusyRouter(ObservationLog(system_clock()), known=2 * PAGE, new=10)
    found = get_observations(router, 9, "key", 0, math.inf, timeout=1)
    assert len(found) == 2 * PAGE + 20
    assert [each.sequence for each in found] == sorted({each.sequence for each in found})
