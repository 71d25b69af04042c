"""One message, brought to one address: retried within limits, and never quoting the address.

The address is a secret, or the key in the message is. So nothing that is said of a failure comes
from a library or from the other side but the number of the answer.
"""

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests

from mlops.platforms.http import OwnSession

_RETRIED = (408, 425, 429)
_SERVER = 500
_SLACK_OK = b"ok"


@dataclass(frozen=True)
class Patience:
    """How long, and how often, is tried.

    Attributes:
        attempts: at most.
        connect, read: seconds for one of them.
        waits: seconds between two; the last goes on.
        longest_wait: seconds; what the other side asks for beyond it is too long to wait for.
        whole: no attempt begins after so many seconds.
    """

    attempts: int = 4
    connect: float = 5.0
    read: float = 10.0
    waits: tuple[float, ...] = (1.0, 3.0, 9.0)
    longest_wait: float = 20.0
    whole: float = 60.0


@dataclass(frozen=True)
class Sent:
    """Whether a message arrived, and what there is to say about it."""

    arrived: bool
    reason: str
    attempts: int


@dataclass(frozen=True)
class Letter:
    """A message ready to go.

    Attributes:
        url: where to; never shown.
        content: JSON.
        accepted: the statuses that mean it arrived.
        says_ok: whether an answer of 200 must be the word ok, as Slack's.
    """

    url: str = field(repr=False)
    content: Mapping[str, Any] = field(repr=False)
    accepted: tuple[int, ...]
    says_ok: bool = False


@dataclass(frozen=True)
class Courier:
    """Brings letters.

    Attributes:
        patience: how often it tries.
        monotonic, sleep: the time that passes; a test has its own.
    """

    patience: Patience = Patience()
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def bring(self, letter: Letter) -> Sent:
        """Bring a letter; return whether it arrived, and raise nothing because of it."""
        began = self.monotonic()
        attempt = 0
        with _unlogged(), OwnSession() as session:
            while True:
                attempt += 1
                arrived, said, wait = self._attempt(session, letter, attempt)
                if arrived:
                    return Sent(True, said, attempt)
                too_late = self.monotonic() - began + (wait or 0) > self.patience.whole
                if wait is None or attempt >= self.patience.attempts or too_late:
                    times = f" ({attempt} attempts)" if attempt > 1 else ""
                    return Sent(False, f"{said}{times}", attempt)
                self.sleep(wait)

    def _attempt(
        self, session: requests.Session, letter: Letter, attempt: int
    ) -> tuple[bool, str, float | None]:
        """Return whether it arrived, what there is to say, and how long to wait; None: for ever."""
        pause = self.patience.waits[min(attempt, len(self.patience.waits)) - 1]
        try:
            # bytes, so that no library puts what is in it into an error
            answer = session.post(
                letter.url,
                data=json.dumps(letter.content).encode(),
                headers={"Content-Type": "application/json"},
                timeout=(self.patience.connect, self.patience.read),
                allow_redirects=False,
            )
        except requests.Timeout:
            return False, "no answer in time", pause
        except requests.ConnectionError:
            return False, "it cannot be reached", pause
        except (requests.RequestException, ValueError):
            return False, "its address is not valid", None
        status = answer.status_code
        if status in letter.accepted:
            if letter.says_ok and answer.content.strip() != _SLACK_OK:
                return False, f"it answered {status}, and not ok", None
            return True, f"it answered {status}", None
        if status in _RETRIED or status >= _SERVER:
            return False, f"it answered {status}", self._asked_wait(answer, pause)
        return False, f"it answered {status}", None

    def _asked_wait(self, answer: requests.Response, pause: float) -> float | None:
        """Return how long the other side asks to wait, at least the usual time."""
        asked = answer.headers.get("Retry-After", "")
        seconds = max(pause, float(asked)) if asked.isdecimal() else pause
        return seconds if seconds <= self.patience.longest_wait else None


@contextmanager
def _unlogged() -> Iterator[None]:
    """Keep what urllib3 logs of each request, address included, out of every log."""
    logger = logging.getLogger("urllib3.connectionpool")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before
