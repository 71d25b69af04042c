"""What checks of an endpoint found, kept on this machine: a file a day, a line a finding."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from mlops.errors import PlatformError
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
        """Append findings; each has `check` and `time`."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for check in checks:
            day = str(check["time"])[:10]
            # a newline before it ends what was cut off
            line = f"\n{json.dumps(dict(check), allow_nan=False)}\n"
            with (self._folder / f"{day}.jsonl").open("a", encoding="utf-8") as file:
                file.write(line)

    def read(self, name: str, window: Window) -> list[dict[str, Any]]:
        """Return the findings of one kind in a window, oldest first."""
        found = [
            row
            for row in self._rows(window)
            if row.get("check") == name
            and window.start <= datetime.fromisoformat(row["time"]) < window.end
        ]
        return sorted(found, key=lambda row: datetime.fromisoformat(row["time"]))

    def _rows(self, window: Window) -> Iterator[dict[str, Any]]:
        # a time of another offset may stand in the file of the day before or after
        first = f"{window.start - timedelta(days=1):%Y-%m-%d}.jsonl"
        last = f"{window.end + timedelta(days=1):%Y-%m-%d}.jsonl"
        for path in sorted(self._folder.glob("*.jsonl")):
            if first <= path.name <= last:
                yield from _lines(path)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    text = path.read_text(encoding="utf-8", errors="replace")
    complete, _, _ = text.rpartition("\n")
    for number, line in enumerate(complete.splitlines(), start=1):
        if not line:
            continue
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if not isinstance(row, dict) or "time" not in row:
            raise PlatformError(
                f"{path}, line {number}: it is not what a check found",
                "move the file away: it was changed by hand",
            )
        yield row
