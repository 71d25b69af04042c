"""Which kind the values of a column are, and what about that is in doubt."""

from dataclasses import dataclass
from enum import StrEnum

import polars as pl

from mlops.data.profile.days import days_in
from mlops.data.profile.numbers import numbers_in
from mlops.data.profile.remarks import Remark, Weight, heaviest
from mlops.data.text_values import parse

NULL_WORDS = frozenset(
    (
        *("na", "n/a", "n.a.", "n. a.", "#n/a", "#na", "nan", "null", "none", "nil", "missing"),
        *("-", "--", "---", "–", "—", "?", ".", "k.a.", "k. a.", "(null)", "<na>", "\\n"),  # noqa: RUF001
    )
)
"""Words that people and programs write where a value is missing; case does not count."""
MOSTLY = 0.9
"""So large a share of one kind makes a column one of it, with a remark."""

_NUMBER_LIKE = r"^[+-]?[0-9][0-9., '’]*$"  # noqa: RUF001
_DAY_LIKE = r"^[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}([ T].*)?$"
_ZEROS = r"^[+-]?0[0-9]+$"
_DIGITS = r"^[+-]?[0-9]+$"
_DIALLED = r"^(\+|00)[0-9]{7,}$"
_DAY_IN_DIGITS = r"^(19|20|21)[0-9]{6}$"


class Kind(StrEnum):
    """What the values of a column are."""

    WHOLE = "whole number"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"
    ZONED = "timestamp with a zone"
    TEXT = "text"
    EMPTY = "nothing"
    OTHER = "not read"


@dataclass(frozen=True)
class Found:
    """The kind of one column of one file.

    Attributes:
        kind: what its values are.
        values: the column, as long as the file, in a type of this kind; null also where a value is
            of another kind. Text, where doubt keeps the values from being told.
        missing: a mask of the cells without a value.
        remarks: what is to be said of it.
    """

    kind: Kind
    values: pl.Series
    missing: pl.Series
    remarks: frozenset[Remark] = frozenset()

    @property
    def in_doubt(self) -> bool:
        """Whether its values can be taken in more than one way."""
        return heaviest(self.remarks) is Weight.AMBIGUOUS


def kind_of_text(text: pl.Series, separator: str) -> Found:
    """Return the kind of a column of a CSV file.

    Args:
        text: its cells; an empty one is null.
        separator: what stands between two fields of the file.
    """
    cells = _where(text, text.str.strip_chars() != "").str.strip_chars()
    words = cells.str.to_lowercase().is_in(list(NULL_WORDS)).fill_null(value=False)
    rest = _where(cells, ~words)
    if rest.null_count() == len(rest):
        remarks = {Remark.EMPTY, *([Remark.NULL_WORDS] if words.any() else [])}
        return Found(Kind.EMPTY, rest, rest.is_null(), frozenset(remarks))
    kind, values, remarks = _kind_or_most(rest, separator)
    if kind is Kind.TEXT:
        more = {Remark.NULL_WORDS_IN_TEXT} if words.any() else set()
        return Found(kind, text, text.is_null(), frozenset(remarks | more))
    more = {Remark.NULL_WORDS} if words.any() else set()
    return Found(kind, values, rest.is_null(), frozenset(remarks | more))


def kind_of_stored(values: pl.Series) -> Found:
    """Return the kind of a column of a Parquet file, which its type says."""
    kind = _kind_of_type(values.dtype)
    missing = values.is_null()
    if missing.all() and kind is not Kind.OTHER:
        return Found(Kind.EMPTY, values, missing, frozenset({Remark.EMPTY}))
    if kind is Kind.OTHER:
        return Found(kind, values, missing, frozenset({Remark.NOT_READ}))
    if kind is Kind.TEXT:
        values = values.cast(pl.String)
        words = values.str.strip_chars().str.to_lowercase().is_in(list(NULL_WORDS)).any()
        remarks = frozenset({Remark.NULL_WORDS_IN_TEXT} if words else ())
        return Found(kind, values, missing, remarks)
    if kind is Kind.NUMBER:
        values = values.cast(pl.Float64)
        finite = bool(values.is_finite().fill_null(value=True).all())
        return Found(kind, values, missing, frozenset(() if finite else {Remark.NOT_FINITE}))
    return Found(kind, values, missing)


def as_text(text: pl.Series) -> Found:
    """Return a column as text, since a contract says that it is."""
    return Found(Kind.TEXT, text.cast(pl.String), text.is_null())


def _kind_of_type(kind: pl.DataType) -> Kind:
    if kind.is_integer():
        return Kind.WHOLE
    if kind.is_float() or isinstance(kind, pl.Decimal):
        return Kind.NUMBER
    if isinstance(kind, pl.Datetime):
        return Kind.ZONED if kind.time_zone else Kind.TIMESTAMP
    plain: dict[type[pl.DataType], Kind] = {
        pl.Boolean: Kind.BOOLEAN,
        pl.Date: Kind.DATE,
        pl.String: Kind.TEXT,
        pl.Categorical: Kind.TEXT,
        pl.Enum: Kind.TEXT,
        pl.Null: Kind.EMPTY,
    }
    return plain.get(kind.base_type(), Kind.OTHER)


def _kind_or_most(cells: pl.Series, separator: str) -> tuple[Kind, pl.Series, set[Remark]]:
    """Return the kind of all cells, or the one that most of them are."""
    found = _kind(cells, separator)
    if found[0] is not Kind.TEXT or found[2]:
        return found
    known = len(cells) - cells.null_count()
    for like in (_DAY_LIKE, _NUMBER_LIKE):
        fits = cells.str.contains(like).fill_null(value=False)
        if MOSTLY * known <= int(fits.sum()) < known:
            kind, values, remarks = _kind(_where(cells, fits), separator)
            if kind is not Kind.TEXT:
                return kind, values, remarks | {Remark.MIXED}
    return found


def _kind(cells: pl.Series, separator: str) -> tuple[Kind, pl.Series, set[Remark]]:
    """Return the kind of cells without blanks around them, null where there is no value."""
    if cells.str.to_lowercase().is_in(["true", "false"]).all():
        return Kind.BOOLEAN, parse(cells, pl.Boolean(), separator).values, set()
    dialled = cells.str.contains(_DIALLED).any()
    if dialled or (cells.str.contains(_DIGITS).all() and cells.str.contains(_ZEROS).any()):
        numeric = cells.str.contains(_DIGITS).all()
        return Kind.TEXT, cells, {Remark.LEADING_ZEROS} if numeric else set()
    whole = parse(cells, pl.Int64(), separator)
    if whole.wrong is None:
        in_digits = cells.str.contains(_DAY_IN_DIGITS).all() and _is_day_in_digits(cells)
        return Kind.WHOLE, whole.values, {Remark.DIGITS} if in_digits else set()
    if cells.str.contains(_DIGITS).all():  # more than 64 bits hold: a name
        return Kind.TEXT, cells, {Remark.LEADING_ZEROS}
    if numbers := numbers_in(cells, separator):
        return Kind.NUMBER, *numbers
    if days := days_in(cells):
        kind = Kind.DATE
        if isinstance(days.values.dtype, pl.Datetime) or days.clock:
            kind = Kind.ZONED if days.zone else Kind.TIMESTAMP
        return kind, days.values, set(days.remarks)
    return Kind.TEXT, cells, set()


def _is_day_in_digits(cells: pl.Series) -> bool:
    days = cells.str.to_date("%Y%m%d", strict=False)
    return days.null_count() == cells.null_count()


def _where(text: pl.Series, mask: pl.Series) -> pl.Series:
    return pl.select(pl.when(mask).then(text).alias(text.name)).to_series()
