"""One condition that a gate or a test asks for, and whether it holds."""

from collections.abc import Sequence
from dataclasses import dataclass

_NAMED = 3


@dataclass(frozen=True)
class Check:
    """What was found, what was asked."""

    name: str
    found: str
    asked: str
    passed: bool


def shortened(items: Sequence[str]) -> str:
    """Return the first few of what may be many, and how many more there are."""
    more = len(items) - _NAMED
    named = ", ".join(items[:_NAMED])
    return f"{named} and {more} more" if more > 0 else named


def failures(checks: tuple[Check, ...]) -> str:
    """Return the failed checks in one line."""
    return "; ".join(f"{c.name}: {c.found}, asked {c.asked}" for c in checks if not c.passed)
