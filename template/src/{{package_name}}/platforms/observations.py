"""What the router remembers of the requests it passed on: the latest ones, in memory."""

import time
from collections import deque
from itertools import islice

from .base import Observation

KEPT = 50_000
PAGE = 1000


class ObservationLog:
    """The latest observations, numbered one by one.

    The first number is the time of the start in microseconds, so that the numbers of a router that
    was started again are above those of the one before.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._kept: deque[Observation] = deque(maxlen=kept)
        self._next = time.time_ns() // 1000

    def add(self, deployment: str, status: int, seconds: float, *, mirrored: bool) -> None:
        """Remember how one request went."""
        self._kept.append(Observation(self._next, deployment, status, seconds, mirrored))
        self._next += 1

    def after(self, sequence: int, limit: int = PAGE) -> list[Observation]:
        """Return those with a higher number, oldest first, at most `limit`."""
        known = sequence - (self._next - len(self._kept)) + 1
        start = max(0, known)
        return list(islice(self._kept, start, start + limit))
