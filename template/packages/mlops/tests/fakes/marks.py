"""Marks that stand in personal columns, and a search for them in whatever files there are."""

import gzip
import io
import os
import sqlite3
import struct
import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import polars as pl

TEXT = "zq7-marker"
NUMBER = 7345129.0625
BORN = date(1871, 3, 14)
EARLY = date(1771, 3, 14)
"""A day that no contract allows."""

_TEXTS = (TEXT, "7345129", "7.345129", "7,345,129", "7_345_129", str(BORN), str(EARLY))
_BYTES = (
    *(text.encode(encoding) for text in _TEXTS for encoding in ("utf-8", "utf-16-le")),
    struct.pack("<d", NUMBER),
    struct.pack(">d", NUMBER),
    struct.pack("<q", int(NUMBER)),
)


def marks_in(content: str | bytes) -> list[str]:
    """Return the marks in a text, or in bytes and what is packed in them."""
    data = content.encode(errors="replace") if isinstance(content, str) else content
    return sorted({str(mark) for part in unpacked(data) for mark in _BYTES if mark in part})


def marked_files(folder: Path) -> list[str]:
    """Return the files below a folder that hold a mark or have it in their name, links left out."""
    found = []
    for place, _, names in os.walk(folder):
        for path in (Path(place, name) for name in names):
            name = path.relative_to(folder).as_posix()
            if path.is_file() and not path.is_symlink():
                marks = marks_in(name) + marks_in(path.read_bytes())
                found += [name] if marks else []
    return sorted(found)


def unpacked(data: bytes) -> Iterator[bytes]:
    """Yield the bytes, and what they hold as an archive, a table or a database."""
    yield data
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                yield name.encode()
                yield from unpacked(archive.read(name))
    elif data.startswith(b"\x1f\x8b"):
        yield from unpacked(gzip.decompress(data))
    elif data.startswith(b"PAR1"):
        frame = pl.read_parquet(io.BytesIO(data))
        yield frame.select(pl.all().cast(pl.String)).write_csv().encode()
        yield str(frame.schema).encode()
        doubles = frame.select(pl.selectors.numeric().cast(pl.Float64))
        yield from (doubles[name].to_numpy().tobytes() for name in doubles.columns)
    elif data.startswith(b"SQLite format 3"):
        with closing(sqlite3.connect(":memory:")) as database:
            database.deserialize(data)
            yield "\n".join(database.iterdump()).encode()
