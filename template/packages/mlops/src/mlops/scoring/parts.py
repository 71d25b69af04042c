"""Predictions and their events, part by part: none is lost or doubled, whatever ends the process.

A part counts only if the manifest's line says just what is on the disk: its rows and the hashes of
its two files. Whatever else is there is removed and made again.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from mlops.artifacts.scores import MANIFEST, SCORED, Part, part_files
from mlops.files import file_sha256, write_text
from mlops.scoring.durable import UNFINISHED, append_line, put_in_place, sync_folder, unfinished


@dataclass(frozen=True)
class PartStore:
    """The folder of predictions and that of their events."""

    predictions: Path
    events: Path

    def complete(self, parts: list[Part]) -> set[int]:
        """Return the numbers of the parts that are there, after everything else is removed."""
        self.predictions.mkdir(parents=True, exist_ok=True)
        self.events.mkdir(parents=True, exist_ok=True)
        expected = {part.name: part for part in parts}
        lines: dict[str, Mapping[str, Any]] = {}
        for line in _lines(self.predictions / MANIFEST):
            part = expected.get(str(line.get("part")))
            if part is not None and self._matches(line, part):
                lines[part.name] = line
        for folder in (self.predictions, self.events):
            for path in (*part_files(folder), *folder.glob(f"*{UNFINISHED}")):
                if path.name not in lines:
                    path.unlink()
        text = "".join(f"{json.dumps(line)}\n" for line in lines.values())
        write_text(self.predictions / MANIFEST, text)
        sync_folder(self.predictions)
        return {expected[name].number for name in lines}

    def add(self, part: Part, scores: pl.DataFrame, key: str, events: pl.DataFrame | None) -> None:
        """Write a part and its events, and only then the line by which they count.

        Args:
            part: which one.
            scores: its rows, as artifacts/scores.py says.
            key: the name of the key's column.
            events: the event of each row, or None where none are kept.
        """
        from mlops.monitoring.events import write_events

        predictions_file, events_file = self.predictions / part.name, self.events / part.name
        scores.write_parquet(unfinished(predictions_file), row_group_size=max(1, part.rows))
        if events is not None:
            write_events(events, unfinished(events_file))
        line = {
            "part": part.name,
            "rows": scores.height,
            "sha256": file_sha256(unfinished(predictions_file)),
            "events_sha256": None if events is None else file_sha256(unfinished(events_file)),
            "first_key": str(scores[key][0]),
            "last_key": str(scores[key][-1]),
        }
        if events is not None:
            put_in_place(events_file)
        put_in_place(predictions_file)
        append_line(self.predictions / MANIFEST, json.dumps(line))

    def _matches(self, line: Mapping[str, Any], part: Part) -> bool:
        predictions, events = self.predictions / part.name, self.events / part.name
        files = {predictions: line.get("sha256"), events: line.get("events_sha256")}
        too_old = not events.exists() and (self.predictions / SCORED.name).is_file()
        if files[events] is None or too_old:
            del files[events]
        return line.get("rows") == part.rows and all(
            path.is_file() and file_sha256(path) == sha256 for path, sha256 in files.items()
        )


def _lines(manifest: Path) -> Iterator[Mapping[str, Any]]:
    """Yield what the lines of a manifest say; one that was cut off says nothing."""
    if not manifest.is_file():
        return
    for text in manifest.read_bytes().decode(errors="replace").splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict):
            yield line
