"""The copies of requests that the router sends to a mirror, and those it has no room for."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

from mlops.platforms.answers import TOO_SLOW
from mlops.platforms.local.observations import LoggedRequest, ObservationLog

MAX_COPIES_IN_FLIGHT = 20
_IN_A_ROW = MAX_COPIES_IN_FLIGHT // 2

Send = Callable[[], Awaitable[int | None]]
"""Sends one copy and returns the status of its answer, None if none came in time."""


class Copies:
    """Copies in flight: never more than a few, so that they cannot pile up.

    A copy without room is usually not sent and not observed: what the others show is a fair sample
    all the same. Not so while a deployment answers nothing at all: the fewer copies it then gets,
    the less of that would be seen. So when the copies sent last are all still open, a further one
    is observed as if it had been sent; the next answer withdraws it.

    Args:
        log: where they are observed.
    """

    def __init__(self, log: ObservationLog) -> None:
        self._log = log
        self._open: dict[asyncio.Task[None], LoggedRequest] = {}
        self._without_room: set[LoggedRequest] = set()
        self._answered_at: Counter[str] = Counter()

    def send(self, deployment: str, timeout_seconds: float, send: Send) -> None:
        """Send a copy if there is room for it; nobody waits for it.

        Args:
            deployment: where it goes.
            timeout_seconds: how long an answer may take.
            send: sends it.
        """
        if len(self._open) < MAX_COPIES_IN_FLIGHT:
            request = self._log.begin(deployment, mirrored=True)
            task = asyncio.create_task(self._sent(request, send))
            self._open[task] = request
            task.add_done_callback(self._open.pop)
        elif self._answers_nothing(deployment):
            request = self._log.begin(deployment, mirrored=True)
            self._without_room.add(request)
            asyncio.get_running_loop().call_later(timeout_seconds, self._give_up, request)

    def cancel(self) -> None:
        """End all that are in flight."""
        for task in self._open:
            task.cancel()

    def _answers_nothing(self, deployment: str) -> bool:
        last = self._answered_at[deployment]
        silent = [
            each
            for each in self._open.values()
            if each.deployment == deployment and each.sequence > last
        ]
        return len(silent) >= _IN_A_ROW

    async def _sent(self, request: LoggedRequest, send: Send) -> None:
        status = await send()
        self._log.end(request, TOO_SLOW if status is None else status)
        if status is not None:
            self._answered_at[request.deployment] = self._log.newest
            waiting = {each for each in self._without_room if each.deployment == request.deployment}
            for each in waiting:
                self._log.withdraw(each)
            self._without_room -= waiting

    def _give_up(self, request: LoggedRequest) -> None:
        if request in self._without_room:
            self._without_room.discard(request)
            self._log.end(request, TOO_SLOW)
