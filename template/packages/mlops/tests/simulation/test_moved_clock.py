"""The clock of a simulation goes on by itself and is moved forward alone."""

from datetime import UTC, datetime, timedelta

from mlops.clock import seconds_ahead, shifted
from mlops.simulation.moved_clock import MovedClock

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
MOMENT = timedelta(seconds=5)


def test_it_begins_where_it_is_told_to_and_goes_on() -> None:
    clock = MovedClock(START)
    first = clock()
    assert START <= first < START + MOMENT
    assert clock() > first


def test_it_is_moved_forward() -> None:
    clock = MovedClock(START)
    assert clock.move_to(START + timedelta(days=7))
    assert START + timedelta(days=7) <= clock() < START + timedelta(days=7) + MOMENT


def test_it_never_goes_back() -> None:
    clock = MovedClock(START)
    assert not clock.move_to(START - timedelta(days=1))
    assert clock() >= START


def test_servers_that_are_told_how_far_it_is_ahead_tell_the_same_time() -> None:
    clock = MovedClock(START)
    clock.move_to(START + timedelta(days=7))
    assert abs(clock.ahead.total_seconds() - seconds_ahead(clock)) < MOMENT.total_seconds()
    assert abs(shifted(clock.ahead.total_seconds())() - clock()) < MOMENT
