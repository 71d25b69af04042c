"""A key's rows in the lines that a data collector writes: an object a line, with rows in `data`."""

import json
from collections.abc import Collection
from typing import Any

from mlops.forgetting.needle import Needle

_ID, _KEY, _DATA = "inference_id", "key", "data"


def without_rows(content: bytes, needle: Needle, ids: Collection[str]) -> tuple[int, bytes]:
    """Return how many rows of a file are a key's, and the file without them.

    A line of which no row is left goes as a whole. What is no such line stays as it is.

    Args:
        content: the file.
        needle: the key.
        ids: of the predictions that are the key's, as the events of them say.
    """
    found, left = 0, []
    for line in content.splitlines(keepends=True):
        rows, rest = _without(line, needle, ids)
        found += rows
        left.append(rest)
    return (found, b"".join(left)) if found else (0, content)


def _without(line: bytes, needle: Needle, ids: Collection[str]) -> tuple[int, bytes]:
    try:
        whole = json.loads(line)
    except ValueError:
        return 0, line
    rows = whole.get(_DATA) if isinstance(whole, dict) else None
    if not isinstance(rows, list):
        return 0, line
    kept = [row for row in rows if not _is_of(row, needle, ids)]
    if len(kept) == len(rows):
        return 0, line
    if not kept:
        return len(rows), b""
    end = line[len(line.rstrip(b"\r\n")) :]
    return len(rows) - len(kept), json.dumps({**whole, _DATA: kept}).encode() + end


def _is_of(row: Any, needle: Needle, ids: Collection[str]) -> bool:
    """Tell whether a row is a prediction of the key, or names it."""
    if not isinstance(row, dict):
        return False
    return row.get(_ID) in ids or any(
        needle.is_key(row.get(each)) for each in (_KEY, needle.column)
    )
