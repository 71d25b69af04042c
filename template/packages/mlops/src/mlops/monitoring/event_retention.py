"""What is removed of the events on this machine: what is too old, and the oldest of too many.

It runs beside the router, so it reads no file and loads no library: the day of a server's file is
that of its folder, the time of a file of `mlops score` is its own.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mlops.artifacts.event_folders import EventFolders

_GB = 1_000_000_000


@dataclass(frozen=True, order=True)
class _File:
    """A file of events; what is written to comes last, then the day and the last write decide."""

    in_use: bool
    day: str
    written: float
    path: Path
    size: int


def remove_old_events(
    folders: EventFolders, keep_days: int, keep_gb: float, now: datetime
) -> list[Path]:
    """Remove files of predictions of an endpoint, and return them; what checks found stays.

    What servers write to today goes last of all, and only where its size demands it: they go on in
    a new file.

    Args:
        folders: of the endpoint.
        keep_days: what is of an earlier day goes.
        keep_gb: beyond so many thousand million bytes the oldest files go.
        now: the present time.
    """
    now = now.astimezone(UTC)
    oldest = _oldest_day(now, keep_days)
    files = sorted(_files(folders, now.date().isoformat()))
    left = sum(file.size for file in files)
    removed = []
    for file in files:
        if file.day >= oldest and left <= keep_gb * _GB:
            break
        with contextlib.suppress(OSError):
            file.path.unlink()
            left -= file.size
            removed.append(file.path)
    for folder in {path.parent for path in removed}:
        with contextlib.suppress(OSError):
            folder.rmdir()  # only if it is empty
    return removed


def _oldest_day(now: datetime, keep_days: int) -> str:
    try:
        return (now - timedelta(days=keep_days)).date().isoformat()
    except OverflowError:  # before there were days
        return ""


def _files(folders: EventFolders, today: str) -> Iterator[_File]:
    for day, path in folders.request_files():
        with contextlib.suppress(OSError):
            found = path.stat()
            yield _File(day >= today, day, found.st_mtime, path, found.st_size)
    for path in folders.score_files():
        with contextlib.suppress(OSError):
            found = path.stat()
            day = f"{datetime.fromtimestamp(found.st_mtime, UTC):%Y-%m-%d}"
            yield _File(False, day, found.st_mtime, path, found.st_size)
