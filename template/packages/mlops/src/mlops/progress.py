"""How a long operation tells what it is doing."""

from collections.abc import Callable

Report = Callable[[str], None]
"""Receives one line about the progress of a long operation."""


def silent(_line: str) -> None:
    """Report nothing."""
