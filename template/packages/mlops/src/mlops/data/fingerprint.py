"""A content hash of a table.

The same rows give the same hash in any order of rows and columns and in any process; one edited
cell or one repeated row gives another. Each row is hashed (MD5 of its length-prefixed cells) and
the row hashes are added, as in Bellare and Micciancio, "A New Paradigm for Collision-Free Hashing"
(1997). It guards against accidents, not against an attacker.
"""

import hashlib
import json

import duckdb
import polars as pl


def fingerprint(frame: pl.DataFrame) -> str:
    """Return the content hash of `frame` as 64 hex digits."""
    columns = sorted(frame.columns)
    cells = ", ".join(_cell(column) for column in columns)
    table = duckdb.from_arrow(frame.to_arrow())
    count, low, high = table.aggregate(
        "count(*), "
        f"sum(md5_number_lower(concat({cells}))::HUGEINT), "
        f"sum(md5_number_upper(concat({cells}))::HUGEINT)"
    ).fetchall()[0]
    summary = [[c, str(frame.schema[c])] for c in columns], count, str(low), str(high)
    return hashlib.sha256(json.dumps(summary).encode()).hexdigest()


def _cell(column: str) -> str:
    quoted = '"' + column.replace('"', '""') + '"'
    text = f"{quoted}::VARCHAR"
    return f"coalesce(length({text}) || ':' || {text}, 'null')"
