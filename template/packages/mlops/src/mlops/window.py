"""Stretches of time: a window whose events are looked at, and how long one is in words."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def span(text: str) -> timedelta:
    """Return how long a span such as `15m`, `6h` or `7d` is.

    Raises:
        ValueError: it is none.
    """
    found = re.fullmatch(r"([1-9]\d{0,3})([mhd])", text)
    if not found:
        raise ValueError(f"{text!r} is no span of time: write one such as 15m, 6h or 7d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


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
