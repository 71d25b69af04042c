"""Events of predictions, written beside the answers: what was asked and answered, how fast.

score.py loads this file, which stands beside it and alone: only the standard library is imported.
The environment variable SCORING_TELEMETRY says what may be kept, and where; without it nothing is:
in files, as below, or in Application Insights, for which it loads insights.py.

A request pays for two looks at a counter and one entry in a queue that never lets it wait. A thread
of its own, which begins with the first request, builds the lines and writes them about once a
second: to one file a process and day, `<folder>/<YYYY-MM-DD>/<deployment>-<pid>-<token>.jsonl`.
Whatever happens to the thread or the folder, answers go on. What could not be kept is counted, and
told as a line `{"dropped": n, …}` in the file and as a warning in the log.
"""

import atexit
import contextlib
import json
import logging
import os
import sys
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol

VARIABLE = "SCORING_TELEMETRY"
SCHEMA = 1
FILES, APPLICATION_INSIGHTS = "files", "application insights"
SOURCES = {"mlops-direct": "direct", "mlops-rehearsal": "generated"}
"""By User-Agent: requests that name their deployment, and those that a rehearsal generates."""
REQUEST = "request"
CLOCK = "scoring_time"
"""The program's own function for the time, where it has one; else the system's is asked."""
FLUSH_SECONDS = 1.0
LOG_SECONDS = 60.0
CLOSE_SECONDS = 2.0
_SLICE, _PAUSE_SECONDS = 16, 0.0005
"""After so many lines the thread rests, so that no answer waits for the interpreter."""

log = logging.getLogger("azmlinfsrv.telemetry")


class Sink(Protocol):
    """Where lines go."""

    def write(self, day: str, lines: Sequence[str]) -> None:
        """Keep these lines, or raise; the error's `lost` says how many, if not all."""


@dataclass(frozen=True)
class Plan:
    """What events say besides what was asked and answered, and what they may say of that."""

    common: Mapping[str, Any]
    features: tuple[str, ...]
    keys: bool
    queue: int


class _Asked(NamedTuple):
    """References to one request; `events` is how many of it are kept."""

    started: float
    ended: float
    version: int
    status: int
    error_type: str | None
    rows: Sequence[Mapping[str, Any]] | None
    keys: Sequence[Any] | None
    answer: Mapping[str, Any] | None
    agent: str
    events: int


class Files:
    """A file a process and day, each line of which is one event."""

    def __init__(self, folder: Path, deployment: str) -> None:
        self._folder = folder
        self._name = f"{deployment}-{os.getpid()}-{uuid.uuid4().hex[:8]}.jsonl"

    def write(self, day: str, lines: Sequence[str]) -> None:
        """Append lines; what cannot be written as a whole is taken back."""
        folder = self._folder / day
        folder.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        file = os.open(folder / self._name, flags, 0o600)
        try:
            size = os.fstat(file).st_size
            left = memoryview("".join(f"{line}\n" for line in lines).encode())
            try:
                while left:
                    left = left[os.write(file, left) :]
            except OSError:
                with contextlib.suppress(OSError):
                    os.ftruncate(file, size)
                raise
        finally:
            os.close(file)


class Events:
    """The events of one process.

    Args:
        plan: what they say.
        sink: makes what keeps them, in the process that serves.
        clock: returns the time in seconds since 1970.
    """

    def __init__(
        self, plan: Plan, sink: Callable[[], Sink], clock: Callable[[], float] = time.time
    ) -> None:
        self._plan = plan
        self._sink = sink
        self._clock = clock
        self._begin()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._begin)
        atexit.register(self.close)

    def _begin(self) -> None:
        """Begin anew: a process that is forked has no thread, and its lines are its parent's."""
        self._waiting: deque[_Asked] = deque()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._ends = False
        self._added = self._done = self._built = 0
        self._full = self._failed = self._told = self._logged = 0
        self._error = ""
        self._log_again = 0.0

    @property
    def dropped(self) -> int:
        """How many events were not kept."""
        return self._full + self._failed

    def add(
        self,
        started: float,
        version: int,
        status: int = 200,
        error_type: str | None = None,
        rows: Sequence[Mapping[str, Any]] | None = None,
        keys: Sequence[Any] | None = None,
        answer: Mapping[str, Any] | None = None,
        agent: str = "",
    ) -> None:
        """Take note of a request: an event a row, or one where no row is known. Never raises.

        Args:
            started: `time.perf_counter()` when it came.
            version: the model's.
            status: what it is answered with.
            error_type: the kind of failure.
            rows: what was asked.
            keys: whom or what each row is of.
            answer: what is answered.
            agent: the request's User-Agent.
        """
        ended = time.perf_counter()
        wanted = 1 if rows is None else len(rows)
        try:
            with self._lock:
                room = self._plan.queue - (self._added - self._done)
                count = min(wanted, max(room, 0))
                self._full += wanted - count
                self._added += count
            if count:
                self._waiting.append(
                    _Asked(
                        *(started, ended, version, status, error_type),
                        *(rows, keys, answer, agent, count),
                    )
                )
        except Exception as error:
            self._fail(wanted, error)
        try:
            if self._thread is None:
                self._start()
            elif 2 * (self._added - self._done) > self._plan.queue and not self._wake.is_set():
                self._wake.set()
        except Exception as error:  # the next request tries it again
            self._error = _name(error)

    def close(self) -> None:
        """Write what waits, for two seconds at most, and end the thread."""
        thread = self._thread
        self._ends = True
        if thread is not None:
            self._wake.set()
            thread.join(CLOSE_SECONDS)

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                thread = threading.Thread(target=self._work, name="telemetry", daemon=True)
                thread.start()
                self._thread = thread

    def _work(self) -> None:
        sink: Sink | None = None
        while True:
            self._wake.wait(FLUSH_SECONDS)
            self._wake.clear()
            ends = self._ends
            try:
                sink = sink or self._sink()
            except Exception as error:
                self._discard(error)
            else:
                self._try(sink)
            self._say()
            if ends:
                return

    def _try(self, sink: Sink) -> None:
        try:
            self._flush(sink)
        except Exception as error:
            self._error = _name(error)

    def _discard(self, error: Exception) -> None:
        """Count what waits as lost: there is no sink."""
        while self._waiting:
            asked = self._waiting.popleft()
            self._fail(asked.events, error)
            self._done += asked.events

    def _flush(self, sink: Sink) -> None:
        days: dict[str, list[str]] = {}
        taken = 0
        moment = self._clock() - time.perf_counter()
        while self._waiting:
            asked = self._waiting.popleft()
            taken += asked.events
            try:
                at = datetime.fromtimestamp(moment + asked.ended, UTC)
                lines = list(self._lines(asked, at))
            except Exception as error:
                self._fail(asked.events, error)
            else:
                days.setdefault(f"{at:%Y-%m-%d}", []).extend(lines)
        for day, lines in days.items():
            try:
                sink.write(day, lines)
            except Exception as error:
                self._fail(getattr(error, "lost", len(lines)), error)
        self._done += taken
        lost = self.dropped
        if lost > self._told:
            at = datetime.fromtimestamp(self._clock(), UTC)
            sink.write(f"{at:%Y-%m-%d}", [self._loss(lost - self._told, at)])
            self._told = lost

    def _lines(self, asked: _Asked, at: datetime) -> Iterator[str]:
        """Yield the lines of a request."""
        shared = {
            "schema": SCHEMA,
            "time": at.isoformat(timespec="microseconds"),
            "source": SOURCES.get(asked.agent, REQUEST),
            **self._plan.common,
            "model_version": asked.version,
            "latency_ms": round(1000 * (asked.ended - asked.started), 3),
            "status": asked.status,
            "error_type": asked.error_type,
        }
        answer = asked.answer or {}
        ids, predictions = answer.get("inference_id"), answer.get("predictions")
        probabilities = answer.get("probabilities")
        keys = asked.keys if self._plan.keys else None
        for number in range(asked.events):
            row = asked.rows[number] if asked.rows is not None else {}
            event = {
                **shared,
                "inference_id": ids[number] if ids else uuid.uuid4().hex,
                "key": str(keys[number]) if keys is not None else None,
                "prediction": predictions[number] if predictions else None,
                "probability": probabilities[number] if probabilities else None,
                "row": number,
                "features": self._features(row),
            }
            yield json.dumps(event, allow_nan=False, separators=(",", ":"))
            self._built += 1
            if self._built % _SLICE == 0 and not self._ends:
                time.sleep(_PAUSE_SECONDS)

    def _features(self, row: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the features that may be kept; None where none may be, or none are known."""
        if not self._plan.features:
            return None
        return {name: row[name] for name in self._plan.features if name in row}

    def _loss(self, lost: int, at: datetime) -> str:
        told = {
            "schema": SCHEMA,
            "time": at.isoformat(timespec="microseconds"),
            "dropped": lost,
            "queue_was_full": self._full,
            "not_written": self._failed,
            "error_type": self._error or None,
            **self._plan.common,
        }
        return json.dumps(told, separators=(",", ":"))

    def _fail(self, count: int, error: Exception) -> None:
        self._failed += count
        self._error = _name(error)

    def _say(self) -> None:
        """Say in the log what was lost, once a minute at most, and at the end."""
        lost, now = self.dropped, time.perf_counter()
        if lost > self._logged and (self._ends or now >= self._log_again):
            with contextlib.suppress(Exception):
                log.warning(
                    "%d events of predictions were dropped: %d as the queue was full, %d as they "
                    "could not be written %s",
                    lost,
                    self._full,
                    self._failed,
                    f"({self._error})" if self._error else "",
                )
            self._logged, self._log_again = lost, now + LOG_SECONDS


def events_of(told: str, beside: Callable[[str], Any]) -> Events | None:
    """Return what keeps events as the variable asks for it, or None where there is nothing to keep.

    Args:
        told: the content of the variable, JSON with a `schema`; empty: no events.
        beside: loads another file of this folder.
    """
    if not told:
        return None
    try:
        content = json.loads(told)
        if content["schema"] != SCHEMA:
            log.warning("no events are kept: %s has another schema than %d", VARIABLE, SCHEMA)
            return None
        sink = _sink_of(content, beside)
        if sink is None:
            log.warning("no events are kept: %s names no sink of this server", VARIABLE)
            return None
        plan = Plan(
            common={
                name: str(content[name])
                for name in ("environment", "endpoint", "deployment", "model_name")
            },
            features=tuple(content["features"]),
            keys=content["keys"] is True,
            queue=int(content["queue"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        log.warning("no events are kept: %s cannot be read: %r", VARIABLE, error)
        return None
    return Events(plan, sink, getattr(sys.modules.get("__main__"), CLOCK, time.time))


def _sink_of(told: Mapping[str, Any], beside: Callable[[str], Any]) -> Callable[[], Sink] | None:
    """Return what makes the sink that is named, or None where there is no such one."""
    if told["sink"] == FILES:
        folder, deployment = Path(told["folder"]), str(told["deployment"])
        return lambda: Files(folder, deployment)
    if told["sink"] == APPLICATION_INSIGHTS and told["connection_string"]:
        return lambda: beside("insights").open_insights(told)
    return None


def _name(error: Exception) -> str:
    """Return the kind of an error; one of a sink that counts its losses says what happened."""
    return str(error) if hasattr(error, "lost") else type(error).__name__
