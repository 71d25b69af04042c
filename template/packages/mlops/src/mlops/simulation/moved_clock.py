"""The one clock of a simulation: it goes on as the system's does, and can be moved forward."""

from datetime import datetime, timedelta

from mlops.clock import system_clock


class MovedClock:
    """Tells a time of its own; servers and other processes are told how far it is ahead.

    Args:
        start: the present time, in UTC.
    """

    def __init__(self, start: datetime) -> None:
        self._ahead = start - system_clock()

    def __call__(self) -> datetime:
        """Return the present time, in UTC."""
        return system_clock() + self._ahead

    @property
    def ahead(self) -> timedelta:
        """How far it is ahead of the system's; less than nothing where it is behind."""
        return self._ahead

    def move_to(self, moment: datetime) -> bool:
        """Move it forward, and tell whether it was: it never goes back."""
        if moment <= self():
            return False
        self._ahead = moment - system_clock()
        return True
