"""What the doctor says of one thing that commands need, on this machine or on a platform."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from mlops.errors import MlopsError


@dataclass(frozen=True)
class Diagnosis:
    """One thing that was looked at; `needed` tells whether commands fail without it."""

    name: str
    passed: bool
    found: str
    remedy: str = ""
    needed: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Return the diagnosis as JSON."""
        return asdict(self)


def diagnose(name: str, look: Callable[[], str], remedy: str) -> Diagnosis:
    """Look at one thing: what `look` returns was found, what it raises is the failure.

    Args:
        name: what is looked at.
        look: returns what was found.
        remedy: what to do after an error that names no remedy of its own.
    """
    try:
        return Diagnosis(name, True, look())
    except MlopsError as error:
        return Diagnosis(name, False, error.message, error.remedy or remedy)
