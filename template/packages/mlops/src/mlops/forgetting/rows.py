"""Finding and removing a key's rows in one file: a table, events of a server, what a check quoted.

A file is replaced as a whole, so that one that was cut off has the old rows or the new ones.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from mlops.artifacts.documents import VALIDATION_RESULTS
from mlops.artifacts.event_folders import EVENTS
from mlops.artifacts.scores import MANIFEST, SCORING
from mlops.data.findings import stored_sentence
from mlops.files import beside
from mlops.forgetting.needle import Needle
from mlops.forgetting.places import SCORES, Place

_EVENT_KEY = "key"
_TABLE = b"PAR1"
_ATTEMPTS = 5
UNFINISHED = ".forgetting"
"""So ends the name of what a killed command was writing."""
_ARROW = "ARROW:schema"

BeforeReplacing = Callable[[Path, Path], None]
"""Told of a file and what will take its place, just before it does."""


@dataclass(frozen=True)
class Found:
    """What a file has of a key.

    Attributes:
        rows: those that can be removed.
        besides: whether it stands in it in another way, too.
    """

    rows: int = 0
    besides: bool = False


class Unread(Exception):
    """A file cannot be read or written, so nobody knows whether it has the key."""


def is_left_behind(place: Place) -> bool:
    """Tell whether a file is what a killed command was writing."""
    return place.rewritten and place.path.suffix == UNFINISHED


def find(place: Place, needle: Needle) -> Found:
    """Return what a file has of a key.

    Raises:
        Unread: it cannot be read.
    """
    try:
        return _find(place, needle)
    except FileNotFoundError:
        return Found()  # it went while others were read
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise Unread(_why(error)) from None


def remove(place: Place, needle: Needle, before: BeforeReplacing) -> int:
    """Remove a key's rows of a file; return how many there were.

    Raises:
        Unread: it cannot be read or written.
    """
    try:
        for _ in range(_ATTEMPTS):
            size = place.path.stat().st_size
            new = beside(place.path).with_suffix(UNFINISHED)
            try:
                rows = _write_without(place, needle, new)
                if not rows:
                    return 0
                shutil.copymode(place.path, new)
                if place.path.stat().st_size != size:
                    continue  # a server has just written to it
                before(place.path, new)
                new.replace(place.path)
            finally:
                new.unlink(missing_ok=True)
            return rows
    except FileNotFoundError:
        return 0
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise Unread(_why(error)) from None
    raise Unread("it is written to all the time")


def end_run_of_scores(folder: Path) -> None:
    """Remove by what a run of scoring is gone on with: hashes, first and last key of each part.

    No later call can go on with the folder, and make again what was removed.
    """
    for name in (MANIFEST, SCORING.name):
        (folder / name).unlink(missing_ok=True)


def _find(place: Place, needle: Needle) -> Found:
    with place.path.open("rb") as file:
        is_table = file.read(len(_TABLE)) == _TABLE
    if is_table:
        return _find_in_table(place, needle)
    data = place.path.read_bytes()
    if _is_events(place):
        lines = data.splitlines(keepends=True)
        left = [line for line in lines if not _is_of(line, needle)]
        return Found(len(lines) - len(left), needle.stands_in(b"".join(left)))
    if _is_results(place):
        rows, rest = _without_quotes(data, needle)
        return Found(rows, needle.stands_in(rest))
    if place.store == SCORES and place.path.name == MANIFEST:
        return Found(int(any(needle.stands_in_text(line) for line in data.decode().splitlines())))
    return Found(0, needle.stands_in(data))


def _find_in_table(place: Place, needle: Needle) -> Found:
    schema = pl.read_parquet_schema(place.path)
    names = _key_columns(place, needle, schema)
    rows = 0
    if names:
        rows = int(_mask(_read(place.path, names), names, needle).sum())
    if not place.rewritten and rows:
        return Found(0, besides=True)
    others = [name for name, kind in schema.items() if kind == pl.String and name not in names]
    if not others or not needle.is_rare:
        return Found(rows)
    table = _read(place.path, [*names, *others])
    if names:
        table = table.filter(~_mask(table, names, needle))
    return Found(rows, any(needle.mask(table[name]).any() for name in others))


def _write_without(place: Place, needle: Needle, new: Path) -> int:
    with place.path.open("rb") as file:
        is_table = file.read(len(_TABLE)) == _TABLE
    if is_table:
        return _write_table(place, needle, new)
    data = place.path.read_bytes()
    if _is_events(place):
        lines = data.splitlines(keepends=True)
        left = [line for line in lines if not _is_of(line, needle)]
        new.write_bytes(b"".join(left))
        return len(lines) - len(left)
    if _is_results(place):
        rows, rest = _without_quotes(data, needle)
        new.write_bytes(rest)
        return rows
    return 0


def _write_table(place: Place, needle: Needle, new: Path) -> int:
    path = place.path
    names = _key_columns(place, needle, pl.read_parquet_schema(path))
    if not names:
        return 0
    table = pl.read_parquet(path, glob=False, hive_partitioning=False)
    mask = _mask(table, names, needle)
    said = {name: text for name, text in pl.read_parquet_metadata(path).items() if name != _ARROW}
    table.filter(~mask).write_parquet(new, metadata=said)
    return int(mask.sum())


def _key_columns(place: Place, needle: Needle, schema: Any) -> list[str]:
    wanted = _EVENT_KEY if place.store == EVENTS else needle.column
    return [wanted] if wanted in schema else []


def _read(path: Path, columns: list[str]) -> pl.DataFrame:
    return pl.read_parquet(path, columns=columns, glob=False, hive_partitioning=False)


def _mask(table: pl.DataFrame, names: list[str], needle: Needle) -> pl.Series:
    return needle.mask(table[names[0]])


def _is_events(place: Place) -> bool:
    return place.store == EVENTS and place.path.suffix == ".jsonl"


def _is_results(place: Place) -> bool:
    return place.rewritten and place.path.name == VALIDATION_RESULTS.name


def _is_of(line: bytes, needle: Needle) -> bool:
    """Tell whether a line is an event of the key."""
    try:
        event = json.loads(line)
    except ValueError:
        return False
    return isinstance(event, dict) and needle.is_key(event.get(_EVENT_KEY))


def _without_quotes(data: bytes, needle: Needle) -> tuple[int, bytes]:
    """Return how often the results of a check quote the key, and the results without that."""
    try:
        results = json.loads(data)
        findings = [*results["failures"], *results["warnings"]]
    except (ValueError, KeyError, TypeError):
        raise OSError("it is no document of a check") from None
    count = 0
    for finding in findings:
        rows = finding.get("rows", [])
        kept = [row for row in rows if not needle.stands_in_text(str(row.get("value", "")))]
        said = needle.stands_in_text(str(finding.get("sentence", "")))
        if said or len(kept) != len(rows):
            count += max(len(rows) - len(kept), 1)
            finding["rows"] = kept
            finding["sentence"] = stored_sentence({**finding, "sentence": ""}, values=False)
    if not count:
        return 0, data
    return count, (json.dumps(results, indent=2, ensure_ascii=False) + "\n").encode()


def _why(error: BaseException) -> str:
    """Return what is wrong with a file in words that quote nothing of it."""
    if isinstance(error, OSError):
        return error.strerror or (str(error) if not error.errno else type(error).__name__)
    return f"it is damaged ({type(error).__name__})"
