"""Rows of data that a platform keeps away from this machine, as a request of deletion meets them.

The platform lists, reads, writes and asks; which rows are a key's is for who forgets it to say.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol


class Store(StrEnum):
    """What rows belong to, as requests count them."""

    COLLECTED = "collected"
    """Lines of what a server was asked: objects with the list `data`."""
    SCORED = "scored_events"
    """Tables of the events of `mlops score`."""
    LOGGED = "app_events"
    """Events of predictions in a log, which nobody can rewrite."""


class FileChanged(Exception):
    """A file is not any more what was read."""


@dataclass(frozen=True)
class RemoteFile:
    """A file; its tag is another one as soon as its content is."""

    name: str
    tag: str
    store: Store


@dataclass(frozen=True)
class RemoteEvent:
    """An event of a prediction that a log has: which, whose, of which endpoint, and when."""

    id: str
    key: str
    endpoint: str
    time: datetime


class RemoteFiles(Protocol):
    """Files that can be replaced as a whole."""

    def listed(self, endpoints: Collection[str]) -> Iterator[RemoteFile]:
        """Yield the files that may have rows of a key.

        Args:
            endpoints: those whose files are asked for, besides the environment's own.

        Raises:
            MlopsError: they cannot be listed.
        """

    def read(self, name: str) -> tuple[bytes, str] | None:
        """Return the content of a file and its tag; None: it is not there any more.

        Raises:
            FileChanged: it was written to while it was read.
            MlopsError: it cannot be read.
        """

    def replace(self, name: str, tag: str, content: bytes) -> None:
        """Replace a file that still has a tag.

        Raises:
            FileChanged: it has another one.
            MlopsError: it cannot be written.
        """

    def tidy(self, endpoints: Collection[str]) -> None:
        """Remove what a command that was killed left beside files.

        Raises:
            MlopsError: it cannot be removed.
        """


class RemoteLog(Protocol):
    """A log whose rows the platform removes itself, some time after it was asked to."""

    def events(self, key: str, *, whole: bool) -> list[RemoteEvent]:
        """Return the events that name a key, and perhaps some that only seem to.

        Args:
            key: in its canonical form.
            whole: whether keys are whole numbers.

        Raises:
            MlopsError: the log cannot be searched; the error says nothing of the key.
        """

    def ask_for_purge(self, ids: Sequence[str]) -> str:
        """Ask for the removal of events by their ids; return the name of what was begun.

        Raises:
            MlopsError: it is refused; the error says nothing of the ids.
        """

    def is_purged(self, operation: str) -> bool:
        """Tell whether what was asked for has ended, or is not known any more.

        Raises:
            MlopsError: that cannot be read.
        """


@dataclass(frozen=True)
class RemoteRows:
    """What is kept of one environment.

    Attributes:
        files: those with rows.
        log: the events; None: none are kept.
        settles: how long after an event a file may still get a line of it.
        at_once: how many events a purge can name.
        most: how many purges one call asks for.
    """

    files: RemoteFiles
    log: RemoteLog | None
    settles: timedelta = timedelta(hours=1)
    at_once: int = 1000
    most: int = 40
