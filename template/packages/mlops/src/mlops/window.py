"""Stretches of time: a window whose events are looked at, and how long one is in words."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

LONGEST = timedelta(days=3650)
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def span_of(text: str) -> timedelta:
    """Return the span of time that a text such as `7d`, `36h`, `1.5h` or `90m` says.

    Raises:
        ValueError: it says none, none that is more than 0, or a longer one than `LONGEST`.
    """
    found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)([mhd])", text.strip())
    number = float(found[1]) if found else 0.0
    span = number * _UNITS[found[2]] if found and number <= LONGEST / _UNITS["m"] else timedelta()
    if not timedelta() < span <= LONGEST:
        raise ValueError(
            f"{text!r} is no span of time such as 7d, 36h or 90m, of at most {LONGEST.days}d"
        )
    return span


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
