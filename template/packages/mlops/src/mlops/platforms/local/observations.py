"""What the router remembers of the requests it passed on: the latest ones, in memory.

They are told in the order in which they began. What is told as soon as it has ended would hide the
requests that hang: all the others would be told before them, and speak for their deployment.
"""

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from mlops.platforms.base import Observation

KEPT = 50_000
PAGE = 1000


@dataclass(eq=False)
class LoggedRequest:
    """One request in the log; without `seconds` it is still open."""

    sequence: int
    deployment: str
    mirrored: bool
    began: float
    status: int = 0
    seconds: float | None = None
    withdrawn: bool = False


class ObservationLog:
    """The latest requests, numbered one by one as they begin.

    The first number is the time of the start in microseconds, so that the numbers of a router that
    was started again are above those of the one before.

    Args:
        started: when the router started.
        kept: how many requests are remembered.
        clock: returns the seconds that have passed since some moment.
    """

    def __init__(
        self,
        started: datetime,
        kept: int = KEPT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kept: deque[LoggedRequest] = deque(maxlen=kept)
        self._clock = clock
        self._next = int(started.timestamp() * 1_000_000)

    @property
    def newest(self) -> int:
        """The number of the request that began last."""
        return self._next - 1

    def begin(self, deployment: str, *, mirrored: bool) -> LoggedRequest:
        """Remember a request that begins now."""
        request = LoggedRequest(self._next, deployment, mirrored, self._clock())
        self._kept.append(request)
        self._next += 1
        return request

    def end(self, request: LoggedRequest, status: int) -> None:
        """Remember how a request went that ends now."""
        request.status = status
        request.seconds = self._clock() - request.began

    def withdraw(self, request: LoggedRequest) -> None:
        """Tell nothing of a request from now on."""
        request.withdrawn = True

    def after(
        self, sequence: int, patience_seconds: float = math.inf, limit: int = PAGE
    ) -> list[Observation]:
        """Return requests with a higher number in the order in which they began, at most `limit`.

        The first one that is open and younger than the patience ends the list; one that is older
        has status 0.
        """
        now = self._clock()
        known = sequence - (self._next - len(self._kept)) + 1
        found: list[Observation] = []
        for each in islice(self._kept, max(0, known), None):
            if each.withdrawn:
                continue
            age = now - each.began
            if len(found) == limit or (each.seconds is None and age < patience_seconds):
                break
            seconds = age if each.seconds is None else each.seconds
            found.append(
                Observation(each.sequence, each.deployment, each.status, seconds, each.mirrored)
            )
        return found
