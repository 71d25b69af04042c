"""Numbers as people write them: with points or commas as decimal mark or between thousands."""

import polars as pl

from mlops.data.profile.remarks import Remark
from mlops.data.text_values import parse

_GAP = r"[ '’\u00a0\u202f]"  # noqa: RUF001


def _written(decimal: str, thousands: str) -> str:
    """Return the pattern of numbers with these marks."""
    grouped = rf"[0-9]{{1,3}}(?:(?:{thousands}|{_GAP})[0-9]{{3}})+"
    return rf"^[+-]?(?:{grouped}|[0-9]+)(?:{decimal}[0-9]+)?$"


_WITH_POINT = _written(r"\.", ",")
_WITH_COMMA = _written(",", r"\.")
_TO_LEAVE_OUT = {",": rf"{_GAP}|\.", ".": rf"{_GAP}|,"}


def numbers_in(cells: pl.Series, separator: str) -> tuple[pl.Series, set[Remark]] | None:
    """Return the numbers of a column, and what is to be said of how they are written.

    Args:
        cells: text without blanks around it, null where there is no value.
        separator: what stands between two fields of the file.

    Returns:
        Float64 (or the text where its marks are in doubt) and remarks; None if not all are numbers.
    """
    read = parse(cells, pl.Float64(), separator)
    if read.wrong is None:
        return read.values, _of_read(cells, read.values)
    point = bool(cells.str.contains(_WITH_POINT).all())
    comma = bool(cells.str.contains(_WITH_COMMA).all())
    if not point and not comma:
        return None
    if point and comma and cells.str.contains("[.,]").any():
        return cells, {Remark.MARK_IN_DOUBT}
    return _plain(cells, "." if point else ",", separator)


def _of_read(cells: pl.Series, values: pl.Series) -> set[Remark]:
    remarks = {Remark.DECIMAL_COMMA} if cells.str.contains(",", literal=True).any() else set()
    finite = values.is_finite().fill_null(value=True).all()
    return remarks if finite else {*remarks, Remark.NOT_FINITE}


def _plain(cells: pl.Series, decimal: str, separator: str) -> tuple[pl.Series, set[Remark]]:
    bare = cells.str.replace_all(_TO_LEAVE_OUT[decimal], "")
    remarks = {Remark.THOUSANDS} if (bare != cells).any() else set()
    if decimal == "," and bare.str.contains(",", literal=True).any():
        refused = separator == ","
        remarks |= {Remark.DECIMAL_COMMA_REFUSED if refused else Remark.DECIMAL_COMMA}
    return bare.str.replace(",", ".", literal=True).cast(pl.Float64), remarks
