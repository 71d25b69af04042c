"""The first content hash of a table; `fingerprint.matches` still verifies versions that have it.

Each row is hashed (MD5 of its length-prefixed cells, as DuckDB writes them) and the row hashes are
added. New data get that of `fingerprint.py`.
"""

import hashlib
import json

import duckdb
import polars as pl


def fingerprint_v1(frame: pl.DataFrame) -> str:
    """Return the first content hash of `frame` as 64 hex digits."""
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
