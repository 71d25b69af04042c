"""Faults that a test asks for: each names the requests it hits and how often."""

import asyncio
import math
import re
import threading
from dataclasses import dataclass
from typing import Literal

from .errors import AzureError

Kind = Literal["answer", "lost", "lost-answer", "delay", "operation"]


@dataclass
class Fault:
    """One thing that goes wrong, so many more times."""

    kind: Kind
    method: str
    path: re.Pattern[str]
    times: float
    status: int = 500
    code: str = ""
    message: str = ""
    seconds: float = 0.0
    released: threading.Event | None = None
    retry_after: str | None = None

    def hits(self, method: str, path: str) -> bool:
        """Tell whether it strikes a request."""
        return (
            self.times > 0 and self.method in (method, "*") and self.path.search(path) is not None
        )

    @property
    def error(self) -> AzureError:
        """The error that it answers."""
        return AzureError(self.status, self.code, self.message)


@dataclass(frozen=True)
class Delay:
    """What holds up an operation: so many seconds, then a test that lets it go on."""

    seconds: float = 0.0
    released: threading.Event | None = None

    async def over(self) -> None:
        """Wait for its end."""
        await asyncio.sleep(self.seconds)
        while self.released and not self.released.is_set():
            await asyncio.sleep(0.05)


class Faults:
    """The faults that are still to come."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Let something go wrong from now on."""
        self._waiting.append(fault)

    def clear(self) -> None:
        """Let nothing more go wrong, and what is held up go on."""
        for fault in self._waiting:
            if fault.released:
                fault.released.set()
        self._waiting.clear()

    def take(self, method: str, path: str, *kinds: Kind) -> Fault | None:
        """Return the first fault that strikes this request, and count it."""
        for fault in self._waiting:
            if fault.kind in kinds and fault.hits(method, path):
                fault.times -= 1
                return fault
        return None

    def delay(self, method: str, path: str) -> "Delay":
        """Return what holds up an operation that this request starts."""
        fault = self.take(method, path, "delay")
        return Delay(fault.seconds, fault.released) if fault else Delay()

    def operation_fault(self, target: str) -> AzureError | None:
        """Return the error with which an operation on a resource is to end."""
        fault = self.take("*", target, "operation")
        return fault.error if fault else None


FOREVER = 10**9
ALWAYS = math.inf
