"""Reads raw Parquet and CSV files into the types that a contract asks for.

CSV has no types, so its text is parsed (`text_values.py`). Parquet has them, and they must fit
(`stored_values.py`). Whatever is wrong with a file is a finding that names file, column and row.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import reduce
from operator import or_
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from mlops.data.conversion import Converted, anywhere
from mlops.data.csv_file import read_csv
from mlops.data.csv_layout import Unreadable
from mlops.data.findings import ROWS_STORED, Finding, Row
from mlops.data.folder import PARQUET
from mlops.data.personal import NOTHING_PERSONAL, Personal
from mlops.data.stored_values import convert
from mlops.data.suppression import NOBODY, Suppression
from mlops.data.text_values import parse

PLAUSIBLE = (date(1900, 1, 1), date(2200, 12, 31))
"""Days that a column may hold unless the contract declares other ones."""

_SHOWN = 80
_BATCH_ROWS = 1 << 20
_ERRORS = (pl.exceptions.PolarsError, pl.exceptions.PanicException, pa.ArrowException, ValueError)
_UNIX_DAY = date(1970, 1, 1)
_PER_DAY = {"ms": 86_400 * 10**3, "us": 86_400 * 10**6, "ns": 86_400 * 10**9}
_WORDS = {pl.Date: "date", pl.Datetime: "timestamp"}


@dataclass(frozen=True)
class Column:
    """What a contract asks of a column: its type, and the days that it may hold if it has days."""

    kind: pl.DataType
    optional: bool = False
    days: tuple[date, date] = PLAUSIBLE


@dataclass(frozen=True)
class RawFile:
    """One file's rows in the contract's types; columns that could not be read are left out.

    `unread` tells of a column that could be read in part where its values could not: there the
    frame has nulls. `forgotten` counts the rows that were left out, since their keys were
    forgotten: nothing else counts or numbers them.
    """

    name: str
    rows: int
    frame: pl.DataFrame
    findings: tuple[Finding, ...]
    unread: Mapping[str, pl.Series] = field(default_factory=dict)
    forgotten: int = 0

    @property
    def complete(self) -> bool:
        """Whether every value could be read."""
        return not self.findings


@dataclass(frozen=True)
class _Read:
    """A column in the contract's type, and what is wrong with it; null where it cannot be read."""

    values: pl.Series | None
    findings: tuple[Finding, ...] = ()
    unread: pl.Series | None = None


@dataclass(frozen=True)
class _Opened:
    """A file's wanted columns as they are in it, and what brings them into a type."""

    columns: pl.DataFrame
    names: Sequence[str]
    rows: int
    to_type: Callable[[pl.Series, pl.DataType], Converted | str]


def read_file(
    path: Path,
    name: str,
    columns: Mapping[str, Column],
    personal: Personal = NOTHING_PERSONAL,
    suppression: Suppression = NOBODY,
) -> RawFile:
    """Read one file; whatever is wrong with it becomes a finding, nothing is raised.

    Args:
        path: the file.
        name: how findings call it.
        columns: what to read; an optional column that the file lacks is filled with nulls.
        personal: the columns whose values no finding may quote.
        suppression: whose rows are left out before anything else is done with them.
    """
    try:
        if path.stat().st_size == 0:
            return _unreadable(name, Unreadable("empty", "the file is empty"))
        opened = _open(path, columns)
    except Unreadable as error:
        return _unreadable(name, error, personal)
    except OSError as error:
        return _unreadable(
            name, Unreadable("readable", f"this file cannot be read ({error.strerror})")
        )
    if opened.rows == 0:
        return _unreadable(name, Unreadable("rows", "there are no rows"))
    opened, forgotten = _without(opened, suppression)
    findings: list[Finding] = []
    read: list[pl.Series] = []
    unread: dict[str, pl.Series] = {}
    for column, wanted in columns.items():
        if column in opened.names:
            found = _column(name, opened, column, wanted, personal)
            findings += [personal.finding(each) for each in found.findings]
            read += [found.values] if found.values is not None else []
            unread |= {column: found.unread} if found.unread is not None else {}
        elif wanted.optional:
            nulls = pl.repeat(None, opened.rows, dtype=wanted.kind, eager=True)
            read.append(nulls.alias(column))
        else:
            have = _in_one_line(personal.names(opened.names, columns))
            message = f"the column is missing (have: {have})"
            findings.append(Finding("column", message, name, column))
    return RawFile(name, opened.rows, pl.DataFrame(read), tuple(findings), unread, forgotten)


def _without(opened: _Opened, suppression: Suppression) -> tuple[_Opened, int]:
    """Leave out the rows whose keys were forgotten; return how many those were."""
    if not suppression or suppression.column not in opened.columns.columns:
        return opened, 0
    gone = suppression.of(opened.columns[suppression.column])
    count = int(gone.sum())
    if not count:
        return opened, 0
    return replace(opened, columns=opened.columns.filter(~gone), rows=opened.rows - count), count


def _open(path: Path, wanted: Collection[str]) -> _Opened:
    parquet = path.name.lower().endswith(PARQUET)
    try:
        if parquet:
            return _open_parquet(path, wanted)
        table = read_csv(path, wanted)
    except (*_ERRORS, OSError) as error:
        if isinstance(error, OSError) and error.strerror:
            raise
        what = "Parquet" if parquet else "CSV"
        reason = next(iter(str(error).splitlines()), "damaged")
        unquoted = f"this is not a readable {what} file"
        raise Unreadable("readable", f"{unquoted} ({reason})", unquoted=unquoted) from None
    separator = table.separator
    return _Opened(
        table.columns, table.header, table.rows, lambda text, kind: parse(text, kind, separator)
    )


def _open_parquet(path: Path, wanted: Collection[str]) -> _Opened:
    """Read by Arrow, which refuses more damage than Polars, and without a panic."""
    file = pq.ParquetFile(path, memory_map=True)
    names, rows = file.schema_arrow.names, file.metadata.num_rows
    columns = [name for name in names if name in wanted]
    batches = []
    for batch in file.iter_batches(_BATCH_ROWS, columns=columns) if columns else ():
        batch.validate(full=True)
        plain = pa.RecordBatch.from_arrays(batch.columns, names=columns)  # without metadata
        batches.append(pl.DataFrame(pl.from_arrow(plain)))
    frame = pl.concat(batches) if batches else pl.DataFrame()
    if columns and frame.height != rows:
        raise Unreadable("readable", f"it has {rows:,} rows, {frame.height:,} could be read")
    return _Opened(frame, names, rows, convert)


def _column(name: str, opened: _Opened, column: str, wanted: Column, personal: Personal) -> _Read:
    values, kind = opened.columns[column], wanted.kind
    zoned = isinstance(values.dtype, pl.Datetime) and values.dtype.time_zone is not None
    unlikely = _implausible(values, wanted.days, margin=int(zoned))
    try:
        converted = opened.to_type(_but(values, unlikely), kind)
    except _ERRORS as error:
        reason = next(iter(str(error).splitlines()), "they cannot be converted")
        converted = personal.words(reason, "they cannot be converted")
    if isinstance(converted, str):
        wrong = _wrong_type(name, values, kind, values.is_not_null(), converted)
        return _Read(None, (wrong, *_unlikely(name, values, unlikely, wanted.days)))
    read = converted.values.alias(column)
    if zoned or read.dtype != values.dtype:
        unlikely = _either(unlikely, _implausible(read, wanted.days, margin=0))
    findings = (
        *_no_type(name, values, kind, converted),
        *_unlikely(name, values, unlikely, wanted.days),
    )
    unread = _either(converted.wrong, converted.changed, unlikely)
    return _Read(_but(read, unread), findings, unread)


def _either(*masks: pl.Series | None) -> pl.Series | None:
    """Return the mask of what any of these marks, or None if there is none of them."""
    known = [mask for mask in masks if mask is not None]
    return reduce(or_, known) if known else None


def _but(values: pl.Series, unread: pl.Series | None) -> pl.Series:
    """Return the values with null where they could not be read."""
    if unread is None:
        return values
    return pl.select(pl.when(~unread).then(values).alias(values.name)).to_series()


def _implausible(values: pl.Series, days: tuple[date, date], margin: int) -> pl.Series | None:
    """Return a mask of the days out of range, or None if there are none.

    It compares whole numbers, which no date overflows.

    Args:
        values: the column, in any type.
        days: the first and the last day allowed.
        margin: days more at either end, since a zone may move a moment into the next one.
    """
    kind = values.dtype
    if kind not in (pl.Date, pl.Datetime):
        return None
    per_day = _PER_DAY[kind.time_unit] if isinstance(kind, pl.Datetime) else 1
    zone = kind.time_zone if isinstance(kind, pl.Datetime) else None
    if zone and not margin:
        values = values.dt.replace_time_zone(None)
    numbers = values.to_physical().cast(pl.Int64)
    first, last = ((day - _UNIX_DAY).days for day in days)
    limit = 2**63 - 1
    low = max((first - margin) * per_day, -limit)
    high = min((last + 1 + margin) * per_day, limit)
    least, most = numbers.min(), numbers.max()
    if isinstance(least, int) and isinstance(most, int) and low <= least and most < high:
        return None
    return anywhere((numbers < low) | (numbers >= high))


def _unlikely(
    name: str, values: pl.Series, mask: pl.Series | None, days: tuple[date, date]
) -> list[Finding]:
    if mask is None:
        return []
    what = f"must be from {days[0]} to {days[1]}, unless contract.py declares other days"
    return [_finding("dates", what, name, values, mask)]


def _no_type(
    name: str, values: pl.Series, kind: pl.DataType, converted: Converted
) -> list[Finding]:
    """Tell of the values that are of another type, and of those that the type would change."""
    findings = []
    if converted.wrong is not None:
        findings.append(_wrong_type(name, values, kind, converted.wrong, converted.hint))
    if converted.changed is not None:
        count = int(converted.changed.sum())
        what = f"{count:,} {'value' if count == 1 else 'values'} would change as {kind}"
        findings.append(_finding("type", what, name, values, converted.changed))
    return findings


def _wrong_type(
    name: str, values: pl.Series, target: pl.DataType, mask: pl.Series, hint: str
) -> Finding:
    count = int(mask.sum())
    kind = _WORDS.get(target.base_type(), str(target))
    found = (
        "" if values.dtype == pl.String else f", the column holds {_type_in_words(values.dtype)}"
    )
    what = f"{count:,} {'value is' if count == 1 else 'values are'} no {kind}{found}"
    return _finding("type", f"{what} ({hint})" if hint else what, name, values, mask)


def _type_in_words(kind: pl.DataType) -> str:
    """Name a type without the fields of a structure, which data may have named."""
    if isinstance(kind, pl.List | pl.Array) and isinstance(kind.inner, pl.DataType):
        return f"{kind.base_type()}({_type_in_words(kind.inner)})"
    return str(kind.base_type() if isinstance(kind, pl.Struct) else kind)


def _finding(check: str, message: str, name: str, values: pl.Series, mask: pl.Series) -> Finding:
    return Finding(
        check=check,
        message=message,
        file=name,
        column=values.name,
        count=int(mask.sum()),
        rows=_rows(name, values, mask),
    )


def _rows(name: str, values: pl.Series, mask: pl.Series) -> tuple[Row, ...]:
    """Return the rows where `mask` holds, at most as many as are stored."""
    positions = mask.arg_true().head(ROWS_STORED)
    shown = _shown(values.gather(positions))
    return tuple(
        Row(name, position + 1, value)
        for position, value in zip(positions.to_list(), shown, strict=True)
    )


def _shown(values: pl.Series) -> list[str]:
    """Say each value in few characters; a date that no calendar has is counted from 1970."""
    kind = values.dtype
    if kind not in (pl.Date, pl.Datetime):
        texts = ("null" if value is None else str(value) for value in values.to_list())
        return [_in_one_line(text) for text in texts]
    possible = (date(1, 1, 2), date(9999, 12, 30))
    absurd = _implausible(values, possible, margin=0 if kind == pl.Date else 1)
    numbers = values.to_physical().to_list()
    unit = kind.time_unit if isinstance(kind, pl.Datetime) else "days"
    return [
        f"{numbers[i]:+,} {unit} from 1970"
        if absurd is not None and absurd[i]
        else str(values.slice(i, 1).item())
        for i in range(len(values))
    ]


def _in_one_line(text: str) -> str:
    line = " ".join(text.splitlines())
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"


def _unreadable(name: str, error: Unreadable, personal: Personal = NOTHING_PERSONAL) -> RawFile:
    rows = tuple(Row(name, row, said) for row, said in error.rows)
    message = personal.words(error.message, error.unquoted)
    finding = Finding(error.check, message, name, count=error.count, rows=rows)
    return RawFile(name, 0, pl.DataFrame(), (finding,))
