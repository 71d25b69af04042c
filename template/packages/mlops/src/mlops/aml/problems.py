"""What a check found."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong: in which file (from the project's root), where in it, and what."""

    file: str
    place: str
    message: str

    def __str__(self) -> str:
        """Return it as one line."""
        return ": ".join(part for part in (self.file, self.place, self.message) if part)


def known(names: Iterable[str]) -> str:
    """Return what a message says about the names that there are."""
    return f"there is: {', '.join(sorted(names)) or 'none'}"
