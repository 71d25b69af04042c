"""Reads a CSV file as text: each cell as it stands there."""

import gzip
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from mlops.data.csv_layout import Bytes, Layout, Unreadable, lay_out
from mlops.data.folder import ZIPPED_CSV


@dataclass(frozen=True)
class CsvTable:
    """The columns of a CSV file that were asked for, as text.

    Attributes:
        columns: as many of them as the file has; an empty field is null, an empty text `""` is not.
        header: all names of the file.
        rows: how many rows the file has.
        separator: what stands between two fields.
    """

    columns: pl.DataFrame
    header: tuple[str, ...]
    rows: int
    separator: str


def read_csv(path: Path, wanted: Collection[str]) -> CsvTable:
    """Read the wanted columns of a CSV file, zipped or not.

    Raises:
        Unreadable: it cannot be read for certain.
        OSError: it cannot be opened.
    """
    zipped = path.name.lower().endswith(ZIPPED_CSV)
    content = _unzipped(path) if zipped else np.memmap(path, dtype=np.uint8, mode="r")
    if not len(content):
        raise Unreadable("empty", "the file is empty")
    layout = lay_out(content, wanted)
    places = [place for place, name in enumerate(layout.header) if name in wanted]
    columns = pl.DataFrame()
    if places and layout.rows:
        stored = layout.as_stored and not zipped
        columns = _read(path if stored else layout.text.tobytes(), layout, places)
    return CsvTable(columns, layout.header, layout.rows, layout.separator)


def _read(source: Path | bytes, layout: Layout, places: list[int]) -> pl.DataFrame:
    frame = pl.read_csv(
        source,
        columns=places,
        separator=layout.separator,
        eol_char=layout.newline,
        infer_schema=False,
        glob=False,
    )
    if frame.height != layout.rows:
        raise Unreadable(
            "readable", f"it has {layout.rows:,} rows, of which {frame.height:,} could be read"
        )
    frame.columns = [layout.header[place] for place in places]
    return frame


def _unzipped(path: Path) -> Bytes:
    try:
        return np.frombuffer(gzip.decompress(path.read_bytes()), dtype=np.uint8)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        what = "this is not a readable gzip file"
        raise Unreadable("readable", f"{what} ({error})", unquoted=what) from None
