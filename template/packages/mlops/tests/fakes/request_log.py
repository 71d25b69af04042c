"""Requests that an endpoint remembers, told as the protocol asks."""

from mlops.platforms.base import Observation

OPEN = 0


class RequestLog:
    """Keeps requests in the order in which they began; the first has the number 1."""

    def __init__(self) -> None:
        self._kept: list[Observation] = []

    def add(self, deployment: str, status: int, seconds: float, *, mirrored: bool) -> None:
        """Keep a request; one with the status 0 has been open for so many seconds."""
        number = len(self._kept) + 1
        self._kept.append(Observation(number, deployment, status, seconds, mirrored))

    def after(self, sequence: int, patience_seconds: float) -> list[Observation]:
        """Return the requests after a number, up to the first that is open and still young."""
        found = self._kept[sequence:]
        for place, each in enumerate(found):
            if each.status == OPEN and each.seconds < patience_seconds:
                return found[:place]
        return found
