"""A content hash of a table.

The same rows give the same hash in any order of rows and columns, in any process, on any platform
and with any version of the libraries; CSV the same as Parquet. One edited cell, one repeated or one
missing row gives another.

The hashes of the rows (`row_hashes.py`) are mixed in two ways and added up, each sum modulo 2^64:
a hash of the multiset of rows, as in Bellare and Micciancio, "A New Paradigm for Collision-Free
Hashing" (1997). The result is the SHA-256 of columns, types, count and sums. It withstands
accidents (another file, a lost part, an edited cell: unnoticed in 1 of 2^64 cases), not a person
who chooses rows in order to keep the hash: what nobody may change is signed.
"""

import hashlib
import json
from collections.abc import Callable, Mapping

import numpy as np
import polars as pl

from mlops.data.findings import DATA_HASH_SCHEMA
from mlops.data.fingerprint_v1 import fingerprint_v1
from mlops.data.row_hashes import BATCH_ROWS, Words, mix, row_hashes, type_name

_LANES = (0xD1B54A32D192ED03, 0x8CB92BA72F3D8DD7)


def fingerprint(frame: pl.DataFrame) -> str:
    """Return the content hash of `frame` as 64 hex digits.

    Raises:
        TypeError: a column has a type without a hash.
    """
    return digest(frame.schema, row_hashes(frame))


def digest(columns: Mapping[str, pl.DataType], rows: Words) -> str:
    """Return the content hash of a table whose rows have these hashes.

    Args:
        columns: name and type of each column.
        rows: what `row_hashes` says of it: shape (rows,).
    """
    kinds = sorted([name, type_name(kind)] for name, kind in columns.items())
    sums = [str(_sum(rows, np.uint64(lane))) for lane in _LANES]
    summary = [DATA_HASH_SCHEMA, kinds, str(len(rows)), *sums]
    return hashlib.sha256(json.dumps(summary, ensure_ascii=False).encode()).hexdigest()


def matches(frame: pl.DataFrame, expected: str, schema: int) -> bool:
    """Tell whether `frame` has the hash that lineage names, of the kind that it names.

    No command asks: it is for whoever has to show on which data a version was trained, also one of
    the time when hashes were of kind 1 (docs/data-contract.md has the lines to type).

    Args:
        frame: the rows in the contract's types, such as a run's `validated/data.parquet`.
        expected: `data.hash` of a version's `lineage.json`.
        schema: its `data.hash_schema`; where that is missing it is 1.

    Raises:
        ValueError: there is no such kind.
    """
    if schema not in _KINDS:
        raise ValueError(f"there is no content hash of schema {schema}")
    return _KINDS[schema](frame) == expected


def _sum(rows: Words, lane: np.uint64) -> int:
    """Return the sum modulo 2^64 of the rows' hashes, mixed in one of the ways."""
    total = 0
    for start in range(0, len(rows), BATCH_ROWS):
        total += int(mix(rows[start : start + BATCH_ROWS] ^ lane).sum(dtype=np.uint64))
    return total % 2**64


_KINDS: dict[int, Callable[[pl.DataFrame], str]] = {
    1: fingerprint_v1,
    DATA_HASH_SCHEMA: fingerprint,
}
