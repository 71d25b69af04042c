"""Waiting for what a test waits for, however busy the machine is."""

import time
from collections.abc import Callable
from typing import TypeVar

LONGEST_SECONDS = 300.0
"""Only a test that hangs ever waits so long."""

_Found = TypeVar("_Found")


def wait_for(condition: Callable[[], _Found]) -> _Found:
    """Wait until a condition holds; return what it found."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.01)
    return found
