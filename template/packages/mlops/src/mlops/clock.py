"""The one clock: the command line hands it down, and nothing else asks the system for the time.

So a test, or a simulation of many days, is told another time at one place.
"""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns the present time, in UTC."""


def system_clock() -> datetime:
    """Return the present time in UTC."""
    return datetime.now(UTC)
