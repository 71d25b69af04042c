"""Damaged files are refused in a sentence, or read as an independent reader reads them.

Each file is made from its number alone: a table, how it is written, and what happens to its bytes.
FUZZED_FILES says how many are tried; the repository's long tests try 5,000.
"""

import csv
import gzip
import io
import math
import os
import random
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlops.data.reader import PLAUSIBLE, Column, RawFile, read_file

FILES = int(os.environ.get("FUZZED_FILES", "100"))
KINDS: dict[str, pl.DataType] = {
    "name": pl.String(),
    "day": pl.Date(),
    "amount": pl.Float64(),
    "count": pl.Int64(),
}
TEXTS = [
    "",
    "a",
    "x,y",
    "p;q",
    'say "hi"',
    "two\nlines",
    "two\r\nlines",
    "ä€🙂",
    " spaced ",
    "0",
    "NA",
]
BITS = [
    b'"',
    b",",
    b";",
    b"\n",
    b"\r",
    b"\r\n",
    b"\t",
    b"\0",
    b"\xff",
    b"\xc3",
    b"7",
    b"-",
    b" ",
    b"e",
]
Table = list[tuple[Any, ...]]


def some_rows(chance: random.Random) -> Table:
    def perhaps(value: Any) -> Any:
        return None if chance.random() < 0.1 else value

    return [
        (
            perhaps(chance.choice(TEXTS)),
            perhaps(date(1990, 1, 1) + timedelta(days=chance.randrange(20_000))),
            perhaps(round(chance.uniform(-1e4, 1e4), 2) + 0.25),
            perhaps(chance.randrange(-(10**6), 10**15)),
        )
        for _ in range(chance.randrange(1, 12))
    ]


def as_csv(chance: random.Random, rows: Table) -> tuple[bytes, str]:
    """Write a table as some program would; return the bytes and the separator."""
    separator = chance.choice(",,,;;\t|")
    newline = chance.choice(["\n", "\r\n"])
    comma = separator in ";\t" and chance.random() < 0.5
    stream = io.StringIO(newline="")
    if chance.random() < 0.1:
        stream.write(f"sep={separator}{newline}")
    writer = csv.writer(
        stream, delimiter=separator, lineterminator=newline, quoting=chance.choice([0, 0, 1])
    )
    writer.writerow(KINDS)
    for name, day, amount, count in rows:
        number = "" if amount is None else f"{amount:.4f}"
        writer.writerow([name, day, number.replace(".", ",") if comma else number, count])
    text = stream.getvalue() + chance.choice(["", "", newline])
    return text.encode(chance.choice(["utf-8", "utf-8", "utf-8-sig", "utf-16"])), separator


def as_parquet(chance: random.Random, rows: Table) -> bytes:
    names = list(KINDS)
    columns = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    kinds = [pa.string(), pa.date32(), pa.float64(), pa.int64()]
    schema = pa.schema(list(zip(names, kinds, strict=True)))
    stream = io.BytesIO()
    pq.write_table(
        pa.table(columns, schema=schema),
        stream,
        compression=chance.choice(["none", "snappy", "zstd", "gzip"]),
        use_dictionary=chance.random() < 0.5,
        data_page_version=chance.choice(["1.0", "2.0"]),
        write_statistics=chance.random() < 0.5,
    )
    return stream.getvalue()


def damaged(chance: random.Random, content: bytes) -> bytes:
    for _ in range(chance.randrange(1, 4)):
        place = chance.randrange(len(content) + 1)
        length = chance.choice([1, 1, 2, chance.randrange(1, 40)])
        kept, rest = content[:place], content[place:]
        content = chance.choice(
            [
                kept + chance.choice(BITS) + rest,
                kept + chance.choice(BITS) + rest[1:],
                kept + rest[length:],
                kept + rest[:length] + rest,
                kept + bytes([chance.randrange(256)]) + rest[1:],
                kept + (bytes([rest[0] ^ 1 << chance.randrange(8)]) if rest else b"") + rest[1:],
                kept,
            ]
        )
    return content


def read_by_python(content: bytes, separator: str) -> dict[str, list[Any]]:
    """Read a CSV file by Python's own module and constructors."""
    marked = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    text = content.decode("utf-16" if marked else "utf-8-sig")
    declared = re.match(r'"?sep=(.)"?(\r\n|\r|\n)', text, re.IGNORECASE)
    if declared:
        separator, text = declared[1], text[declared.end() :]
    for each in (separator, *",;\t|"):
        header, *rows = [
            row for row in csv.reader(io.StringIO(text, newline=""), delimiter=each) if row
        ]
        if set(KINDS) <= set(header):
            break
    columns = {name: [row[header.index(name)] for row in rows] for name in KINDS}
    comma = any("," in cell for cell in columns["amount"])

    def number(cell: str) -> float:
        return float(cell.strip().replace(",", ".") if comma else cell.strip())

    makers: dict[str, Callable[[str], Any]] = {
        "name": str,
        "day": lambda cell: date.fromisoformat(cell.strip()[:10]),
    }
    makers |= {"amount": number, "count": lambda cell: int(cell.strip())}
    return {
        name: [makers[name](cell) if cell else None for cell in cells]
        for name, cells in columns.items()
    }


def read_by_arrow_or_duckdb(path: Path) -> dict[str, list[Any]]:
    """Read a Parquet file by Arrow, or by DuckDB if Arrow is stricter with its metadata."""
    try:
        table = pq.ParquetFile(path).read(columns=list(KINDS))
    except (pa.ArrowException, OSError):
        names = ", ".join(KINDS)
        found = duckdb.execute(f"SELECT {names} FROM read_parquet('{path}')").fetchall()
        columns = dict(zip(KINDS, zip(*found, strict=True), strict=True))
    else:
        columns = {name: table[name].to_pylist() for name in KINDS}
    return {name: [_plain(value) for value in columns[name]] for name in KINDS}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.date()
    return value.decode() if isinstance(value, bytes) else value


def same(mine: Any, other: Any) -> bool:
    if isinstance(mine, float) and isinstance(other, float) and math.isnan(mine):
        return math.isnan(other)
    return (mine or None) == (other or None) if mine in ("", None) else bool(mine == other)


def check(number: int, folder: Path) -> str:
    """Try one file and return how it went: read, refused."""
    chance = random.Random(number)
    rows, hurt = some_rows(chance), chance.random() < 0.8
    parquet = chance.random() < 0.4
    content, separator = (as_parquet(chance, rows), "") if parquet else as_csv(chance, rows)
    zipped = not parquet and chance.random() < 0.1
    content = damaged(chance, content) if hurt else content
    path = folder / f"f{number}{'.parquet' if parquet else '.csv.gz' if zipped else '.csv'}"
    path.write_bytes(gzip.compress(content) if zipped else content)
    found = read_file(path, path.name, {name: Column(kind) for name, kind in KINDS.items()})
    if not found.complete:
        assert hurt, f"{path.name}: {found.findings}"
        _is_well_said(found)
        return "refused"
    other = read_by_arrow_or_duckdb(path) if parquet else read_by_python(content, separator)
    for name in KINDS:
        mine = found.frame[name].to_list()
        assert len(mine) == len(other[name]), path.name
        assert all(map(same, mine, other[name])), (path.name, name, mine, other[name])
    days = [day for day in found.frame["day"] if day]
    assert all(PLAUSIBLE[0] <= day <= PLAUSIBLE[1] for day in days)
    return "read"


def _is_well_said(found: RawFile) -> None:
    for finding in found.findings:
        sentence = finding.sentence()
        assert sentence.startswith(f"{found.name}: "), sentence
        assert "\n" not in finding.message, sentence
        assert "Traceback" not in sentence
        if finding.check in ("type", "dates", "fields", "quotes", "blank", "lines"):
            assert finding.rows, sentence


@pytest.mark.parametrize("start", range(0, FILES, 100))
def test_a_damaged_file_is_refused_or_read_as_others_read_it(start: int, tmp_path: Path) -> None:
    outcomes = [check(number, tmp_path) for number in range(start, min(start + 100, FILES))]
    assert {"read", "refused"} == set(outcomes)
