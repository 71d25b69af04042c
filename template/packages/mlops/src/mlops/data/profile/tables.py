"""Opens raw files for a profile: also those that the reader refuses, with what is wrong of them."""

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from mlops.data.csv_layout import SEPARATORS, Bytes, Layout, Unreadable, lay_out
from mlops.data.folder import PARQUET, ZIPPED_CSV
from mlops.data.profile.header import is_of_values
from mlops.data.profile.kinds import Found, as_text, kind_of_stored, kind_of_text
from mlops.data.profile.remarks import Remark

ENCODING = "encoding"
_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_ERRORS = (pl.exceptions.PolarsError, pl.exceptions.PanicException, pa.ArrowException, ValueError)


@dataclass(frozen=True)
class Opened:
    """One file and the kinds of its columns.

    Attributes:
        name: the file's name in the folder.
        rows: how many it has.
        columns: by their names, in their order.
        form: "CSV" or "Parquet".
        separator: what stands between two fields of a CSV file.
        encoding: of a CSV file, as far as it is certain.
        remarks: what is to be said of the file.
        problem: why it cannot be read, without a word of it; empty if it can.
    """

    name: str
    rows: int = 0
    columns: dict[str, Found] = field(default_factory=dict)
    form: str = "CSV"
    separator: str = ""
    encoding: str = ""
    remarks: frozenset[Remark] = frozenset()
    problem: str = ""


@dataclass(frozen=True)
class Asked:
    """What a contract names, if there is one.

    Attributes:
        names: its columns; None without a contract.
        texts: those of them that are text.
    """

    names: frozenset[str] | None = None
    texts: frozenset[str] = frozenset()


def open_file(path: Path, name: str, asked: Asked) -> Opened:
    """Read one file; whatever is wrong with it is said in the result, and nothing is raised.

    Args:
        path: the file.
        name: how the profile calls it.
        asked: what the contract names; it settles the separator, and which columns are text.
    """
    parquet = path.name.lower().endswith(PARQUET)
    try:
        if path.stat().st_size == 0:
            return Opened(name, problem="the file is empty")
        return _parquet(path, name, asked) if parquet else _csv(path, name, asked)
    except Unreadable as error:
        return Opened(name, problem=error.unquoted)
    except OSError as error:
        if not parquet or error.strerror:
            return Opened(name, problem=f"this file cannot be read ({error.strerror})")
    except _ERRORS:
        pass
    return Opened(name, problem=f"this is not a readable {'Parquet' if parquet else 'CSV'} file")


def _parquet(path: Path, name: str, asked: Asked) -> Opened:
    file = pq.ParquetFile(path, memory_map=True)
    columns = {}
    for column in file.schema_arrow.names:
        values = pl.from_arrow(file.read([column]).combine_chunks())
        series = values.to_series() if isinstance(values, pl.DataFrame) else values
        columns[column] = kind_of_stored(series)
    _require_header(columns, asked)
    return Opened(name, file.metadata.num_rows, columns, form="Parquet")


def _csv(path: Path, name: str, asked: Asked) -> Opened:
    zipped = path.name.lower().endswith(ZIPPED_CSV)
    content = _unzipped(path) if zipped else np.fromfile(path, dtype=np.uint8)
    if not len(content):
        raise Unreadable("empty", "the file is empty")
    encoding = "UTF-16" if content[:2].tobytes() in _MARKS else "UTF-8"
    remarks: set[Remark] = set()
    try:
        layouts = _layouts(content, asked.names or ())
    except Unreadable as error:
        if error.check != ENCODING or b"\0" in content[:1024].tobytes():
            raise
        text = content.tobytes().decode("cp1252", errors="replace").encode()
        layouts = _layouts(np.frombuffer(text, dtype=np.uint8), asked.names or ())
        encoding = ""
        remarks.add(Remark.ENCODING)
    layout = layouts[0]
    remarks |= {Remark.SEPARATOR} if len(layouts) > 1 else set()
    remarks |= {Remark.UNNAMED} if "" in layout.header else set()
    if not layout.rows:
        raise Unreadable("rows", "there are no rows")
    columns = _columns(_read(layout), layout.separator, asked)
    _require_header(columns, asked)
    found = frozenset(remarks)
    return Opened(name, layout.rows, columns, "CSV", layout.separator, encoding, found)


def _layouts(content: Bytes, wanted: Collection[str]) -> Sequence[Layout]:
    """Return the layout that the reader takes first, and others that make a table as well.

    Raises:
        Unreadable: there is none.
    """
    failed: Unreadable | None = None
    found: list[Layout] = []
    try:
        found.append(lay_out(content, wanted))
    except Unreadable as error:
        if error.check == ENCODING:
            raise
        failed = error
    if found and not set(found[0].header).isdisjoint(wanted):
        return found
    for header in _headers(content):
        try:
            layout = lay_out(content, header)
        except Unreadable:
            continue
        if layout.separator not in [each.separator for each in found]:
            found.append(layout)
    if not found and failed:
        raise failed
    return found


def _headers(content: Bytes) -> list[list[str]]:
    """Return the fields of the first line for each separator that it has."""
    line = content[: 1 << 16].tobytes().splitlines()[0].decode(errors="replace")
    fields = (
        next(csv.reader(io.StringIO(line, newline=""), delimiter=each), []) for each in SEPARATORS
    )
    return [each for each in fields if len(each) > 1]


def _read(layout: Layout) -> pl.DataFrame:
    """Return the columns that have a name, as text."""
    places = [place for place, name in enumerate(layout.header) if name]
    frame = pl.read_csv(
        layout.text.tobytes(),
        columns=places,
        separator=layout.separator,
        eol_char=layout.newline,
        infer_schema=False,
    )
    if frame.height != layout.rows:
        raise Unreadable(
            "readable", f"it has {layout.rows:,} rows, of which {frame.height:,} could be read"
        )
    frame.columns = [layout.header[place] for place in places]
    return frame


def _columns(frame: pl.DataFrame, separator: str, asked: Asked) -> dict[str, Found]:
    return {
        text.name: as_text(text) if text.name in asked.texts else kind_of_text(text, separator)
        for text in frame
    }


def _require_header(columns: dict[str, Found], asked: Asked) -> None:
    """Refuse a file of which the names of columns may be values.

    Raises:
        Unreadable: it has no header, or that cannot be told.
    """
    if asked.names is not None:
        if asked.names.isdisjoint(columns):
            raise Unreadable("header", "its header names no column of the contract")
    elif is_of_values(columns):
        raise Unreadable(
            "header",
            "its header looks like a row of values, or comes again below: the names of its columns "
            "are not shown, so write a line with names first",
        )


def _unzipped(path: Path) -> Bytes:
    try:
        return np.frombuffer(gzip.decompress(path.read_bytes()), dtype=np.uint8)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise Unreadable("readable", "this is not a readable gzip file") from None
