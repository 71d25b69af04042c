"""What checks of an endpoint found, kept on this machine: a file a day, a line a finding."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from mlops.errors import PlatformError
from mlops.full_disk import writing
from mlops.platforms.base import NotObserved
from mlops.window import Window


class CheckLog:
    """The findings of one endpoint, appended and never changed.

    A line that an ended process left unfinished counts for nothing.

    Args:
        folder: where they are kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, checks: Sequence[Mapping[str, Any]]) -> None:
        """Append findings; each has `check` and `time`.

        Raises:
            PlatformError: the folder cannot be written to.
        """
        try:
            with writing(self._folder):
                self._add(checks)
        except OSError as error:
            raise PlatformError(
                f"what checks found cannot be kept in {self._folder}: {_reason(error)}",
                "let this user write there",
            ) from error

    def _add(self, checks: Sequence[Mapping[str, Any]]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        for check in checks:
            day = str(check["time"])[:10]
            # a newline before it ends what was cut off
            line = f"\n{json.dumps(dict(check), allow_nan=False)}\n"
            with (self._folder / f"{day}.jsonl").open("a", encoding="utf-8") as file:
                file.write(line)

    def read(self, name: str, window: Window) -> list[dict[str, Any]]:
        """Return the findings of one kind in a window, oldest first.

        Raises:
            PlatformError: a file cannot be read, or holds something else.
        """
        found = [
            (time, row)
            for time, row in self._rows(window)
            if row.get("check") == name and window.start <= time < window.end
        ]
        return [row for _, row in sorted(found, key=lambda each: each[0])]

    def _rows(self, window: Window) -> Iterator[tuple[datetime, dict[str, Any]]]:
        # a time of another offset may stand in the file of the day before or after
        first = f"{window.start - timedelta(days=1):%Y-%m-%d}.jsonl"
        last = f"{window.end + timedelta(days=1):%Y-%m-%d}.jsonl"
        for path in sorted(self._folder.glob("*.jsonl")):
            if first <= path.name <= last:
                yield from _lines(path)


def _lines(path: Path) -> Iterator[tuple[datetime, dict[str, Any]]]:
    """Yield the findings of a file with their times."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise NotObserved(
            f"what checks found cannot be read: {path}: {_reason(error)}", "let this user read it"
        ) from error
    complete, _, _ = text.rpartition("\n")
    for number, line in enumerate(complete.splitlines(), start=1):
        if not line:
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        time = _time(row)
        if time is None:
            raise PlatformError(
                f"{path}, line {number}: it is not what a check found",
                "move the file away: it was changed by hand",
            )
        yield time, row


def _time(row: object) -> datetime | None:
    """Return the moment of a finding; None of anything else."""
    try:
        time = datetime.fromisoformat(row["time"]) if isinstance(row, dict) else None
    except (KeyError, TypeError, ValueError):
        return None
    return time if time is not None and time.tzinfo is not None else None


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
