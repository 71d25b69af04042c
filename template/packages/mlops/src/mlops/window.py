"""A stretch of time whose events are looked at."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Window:
    """From `start`, included, to `end`, excluded; both in UTC."""

    start: datetime
    end: datetime

    @classmethod
    def last(cls, span: timedelta, now: datetime) -> "Window":
        """Return the window of such a length that ends now."""
        return cls(now - span, now)

    @property
    def days(self) -> float:
        """Its length in days."""
        return (self.end - self.start) / timedelta(days=1)
