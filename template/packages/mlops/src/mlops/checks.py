"""One condition that a gate or a test asks for, and whether it holds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """What was found, what was asked."""

    name: str
    found: str
    asked: str
    passed: bool


def failures(checks: tuple[Check, ...]) -> str:
    """Return the failed checks in one line."""
    return "; ".join(f"{c.name}: {c.found}, asked {c.asked}" for c in checks if not c.passed)
