"""What is true of each column over all files; what of it may be told is decided in `report.py`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import reduce
from operator import or_

import polars as pl

from mlops.data.profile.kinds import Found, Kind
from mlops.data.profile.looks_personal import FEW
from mlops.data.profile.remarks import Remark
from mlops.data.profile.tables import Opened

LIMIT = 10
"""No count of fewer rows than this is told, and no category that fewer rows have."""

_LONGEST_CATEGORY = 40
_DAYS = (Kind.DATE, Kind.TIMESTAMP, Kind.ZONED)


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        name: what the header calls it.
        kind: what its values are.
        rows: of the files that have it.
        nulls: how many of them have no value.
        distinct: how many different values there are.
        values: the values of all files in a type of the kind; text where they are in doubt.
        remarks: what is to be said of it.
        everywhere: whether every file has it.
        certain: whether its values can be taken in one way only.
    """

    name: str
    kind: Kind
    rows: int
    nulls: int
    distinct: int
    values: pl.Series
    remarks: frozenset[Remark]
    everywhere: bool
    certain: bool

    @property
    def unique(self) -> bool:
        """Whether every row has a value of its own."""
        return self.distinct == self.rows and not self.nulls

    @property
    def range(self) -> tuple[object, object] | None:
        """The least and the greatest value of numbers and days; None where there is no such.

        Nor is there one where so few rows have a value that their count is not told.
        """
        numeric = self.kind in (Kind.WHOLE, Kind.NUMBER)
        if not self.certain or not (numeric or self.kind in _DAYS):
            return None
        if self.rows - self.nulls < LIMIT:
            return None
        values = self.values
        if self.kind is Kind.NUMBER:
            values = values.filter(values.is_finite())
        least, greatest = values.min(), values.max()
        return None if least is None else (least, greatest)

    @property
    def categories(self) -> tuple[str, ...] | None:
        """The texts that many rows have, in order; None where texts are no categories."""
        counts = self._counts()
        if counts is None:
            return None
        often = counts.filter(pl.col("rows") >= LIMIT)["text"].to_list()
        return tuple(sorted(often)) or None

    @property
    def rarer(self) -> bool:
        """Whether there are categories that few rows have."""
        counts = self._counts()
        return counts is not None and bool((counts["rows"] < LIMIT).any())

    def _counts(self) -> pl.DataFrame | None:
        if self.kind is not Kind.TEXT or not self.certain or not 0 < self.distinct <= FEW:
            return None
        counts = self.values.drop_nulls().rename("text").value_counts(name="rows")
        longest = counts["text"].str.len_chars().max()
        return counts if isinstance(longest, int) and longest <= _LONGEST_CATEGORY else None


def columns_of(files: Sequence[Opened]) -> list[Column]:
    """Return the columns of all files that can be read, in the order in which they come."""
    names = list(dict.fromkeys(name for file in files for name in file.columns))
    return [_column(name, files) for name in names]


def _column(name: str, files: Sequence[Opened]) -> Column:
    having = [file for file in files if name in file.columns]
    found = [file.columns[name] for file in having]
    everywhere = len(having) == len(files)
    kind, differ = _common([each.kind for each in found])
    remarks: frozenset[Remark] = reduce(or_, (each.remarks for each in found))
    if kind is not Kind.EMPTY:
        remarks -= {Remark.EMPTY}
    remarks |= {Remark.FILES_DIFFER} if differ else frozenset()
    remarks |= frozenset() if everywhere else {Remark.NOT_EVERYWHERE}
    foreign = any(Remark.ENCODING in file.remarks and _foreign(file, name) for file in having)
    remarks |= {Remark.ENCODING} if foreign else frozenset()
    certain = not differ and not foreign and not any(each.in_doubt for each in found)
    values = _together(found, kind)
    missing = sum(int(each.missing.sum()) for each in found)
    rows, distinct = len(values), values.drop_nulls().n_unique()
    return Column(name, kind, rows, missing, distinct, values, remarks, everywhere, certain)


def _common(kinds: Sequence[Kind]) -> tuple[Kind, bool]:
    """Return the kind that holds the others, and whether there is none but text."""
    known = set(kinds) - {Kind.EMPTY}
    if len(known) <= 1:
        return (known or {Kind.EMPTY}).pop(), False
    for wide, narrow in ((Kind.NUMBER, Kind.WHOLE), (Kind.TIMESTAMP, Kind.DATE)):
        if known == {wide, narrow}:
            return wide, False
    return Kind.TEXT, True


def _together(found: Sequence[Found], kind: Kind) -> pl.Series:
    """Return the values of all files in one type; as text where one of them has only that."""
    values = [each.values for each in found]
    if kind is Kind.OTHER:
        return pl.concat([_cast(each.clear(len(each)), pl.String()) for each in values])
    wanted = _type(kind)
    if any(each.dtype == pl.String and wanted != pl.String for each in values):
        return pl.concat([each.cast(pl.String) for each in values])
    return pl.concat([_cast(each, wanted) for each in values])


def _cast(values: pl.Series, wanted: pl.DataType) -> pl.Series:
    if values.null_count() == len(values):
        return pl.repeat(None, len(values), dtype=wanted, eager=True).alias(values.name)
    return values.cast(wanted, strict=False)


def _type(kind: Kind) -> pl.DataType:
    types: dict[Kind, pl.DataType] = {
        Kind.WHOLE: pl.Int64(),
        Kind.NUMBER: pl.Float64(),
        Kind.BOOLEAN: pl.Boolean(),
        Kind.DATE: pl.Date(),
        Kind.TIMESTAMP: pl.Datetime("us"),
        Kind.ZONED: pl.Datetime("us", "UTC"),
    }
    return types.get(kind, pl.String())


def _foreign(file: Opened, name: str) -> bool:
    """Tell whether a column has letters that its file's encoding leaves in doubt."""
    values = file.columns[name].values
    if values.dtype != pl.String:
        return False
    return not name.isascii() or bool(values.str.contains(r"[^\x00-\x7f]").any())


def latest_day(column: Column) -> date | None:
    """Return the last day of a column of days; None where there is none or it is in doubt."""
    found = column.range if column.kind in _DAYS else None
    last = found[1] if found else None
    return last.date() if isinstance(last, datetime) else last if isinstance(last, date) else None
