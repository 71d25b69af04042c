"""The one clock: the command line hands it down, and nothing else asks the system for the time.

So a test, or a simulation of many days, is told another time at one place.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
"""Returns the present time, in UTC."""


def system_clock() -> datetime:
    """Return the present time in UTC."""
    return datetime.now(UTC)


def seconds_ahead(clock: Clock) -> float:
    """Return by how many seconds a clock is ahead of the system's; 0 for the system's own."""
    if clock is system_clock:
        return 0.0
    return (clock() - system_clock()).total_seconds()


def shifted(seconds: float) -> Clock:
    """Return a clock that is so many seconds ahead of the system's."""
    if not seconds:
        return system_clock
    return lambda: system_clock() + timedelta(seconds=seconds)
