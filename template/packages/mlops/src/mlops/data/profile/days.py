"""Days and moments as people write them, and what their order of numbers leaves open."""

from dataclasses import dataclass

import polars as pl

from mlops.data.profile.remarks import Remark
from mlops.data.text_values import parse

_CLOCK = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?(?: ?[AaPp]\.?[Mm]\.?)?"
_ZONE = r" ?(?:Z|UTC|GMT|[+-][0-9]{2}:?(?:[0-9]{2})?)"
_TAIL = rf"(?:[ T](?<clock>{_CLOCK})(?<zone>{_ZONE})?)?$"
_YEAR_FIRST = (
    r"^(?<year>[0-9]{4})(?<mark>[-/.])(?<first>[0-9]{1,2})(?<again>[-/.])(?<second>[0-9]{1,2})"
    + _TAIL
)
_YEAR_LAST = (
    r"^(?<first>[0-9]{1,2})(?<mark>[-/.])(?<second>[0-9]{1,2})(?<again>[-/.])"
    r"(?<year>[0-9]{4}|[0-9]{2})" + _TAIL
)
_NAMED = ("%d %b %Y", "%d-%b-%Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d. %B %Y", "%d-%b-%y")
_FIRST, _LAST = 1900, 2200


@dataclass(frozen=True)
class Days:
    """The days of a column.

    Attributes:
        values: dates or moments; the text where it leaves open which.
        remarks: what is to be said of how they are written.
        clock: whether times of the day are among them.
        zone: whether these have a zone.
    """

    values: pl.Series
    remarks: frozenset[Remark]
    clock: bool = False
    zone: bool = False


def days_in(cells: pl.Series) -> Days | None:
    """Return the days of a column of text; None if not all of it are days.

    Args:
        cells: text without blanks around it, null where there is no value.
    """
    for kind in (pl.Date(), pl.Datetime("us"), pl.Datetime("us", "UTC")):
        read = parse(cells, kind, ",")
        if read.wrong is None and not (kind == pl.Date and cells.str.contains(":").any()):
            zone = isinstance(kind, pl.Datetime) and kind.time_zone is not None
            return Days(read.values, _range(read.values), kind != pl.Date, zone)
    return _named(cells) or _numbered(cells)


def _range(values: pl.Series) -> frozenset[Remark]:
    years = values.dt.year()
    wrong = ((years < _FIRST) | (years > _LAST)).any()
    return frozenset({Remark.IMPLAUSIBLE} if wrong else ())


def _named(cells: pl.Series) -> Days | None:
    """Read days with the names of months, in English."""
    for form in _NAMED:
        values = cells.str.to_date(form, strict=False)
        if values.null_count() == cells.null_count():
            century = {Remark.CENTURY} if form.endswith("%y") else set()
            return Days(values, frozenset({Remark.DAY_SHAPE, *century}) | _range(values))
    return None


def _numbered(cells: pl.Series) -> Days | None:
    names = ("year", "mark", "first", "again", "second", "clock", "zone")
    table = cells.to_frame("text").select(
        "text",
        *(
            pl.coalesce(_group(form, name) for form in (_YEAR_FIRST, _YEAR_LAST)).alias(name)
            for name in names
        ),
        leads=pl.col("text").str.contains(_YEAR_FIRST),
    )
    known = table.filter(pl.col("text").is_not_null())
    if known["year"].null_count() or not (known["mark"] == known["again"]).all():
        return None
    known = known.with_columns(pl.col("first", "second").cast(pl.Int8, strict=False))
    if known.select(pl.min_horizontal("first", "second").min()).item() == 0:
        return None
    return _ordered(table, known)


def _group(pattern: str, name: str) -> pl.Expr:
    """Return the text of a named group; null where the pattern does not fit or the group is out."""
    return pl.col("text").str.extract_groups(pattern).struct.field(name)


def _ordered(table: pl.DataFrame, known: pl.DataFrame) -> Days | None:
    """Tell days from months for each mark that parts them, by what their numbers leave possible."""
    groups = known.group_by("leads", "mark").agg(
        pl.col("first").max(), pl.col("second").max(), pl.col("year").str.len_bytes().min()
    )
    possible = pl.col("first").is_between(1, 31) & pl.col("second").is_between(1, 31)
    either = (pl.col("first") <= 12) | (pl.col("second") <= 12)
    if not known.select((possible & either).all()).item():
        return None
    if not known.filter(pl.col("leads")).select((pl.col("first") <= 12).all()).item():
        return None
    last = groups.filter(~pl.col("leads"))
    open_ = last.filter(_is_open())
    years = last["year"].min()
    shapes = (
        groups.height > 1
        or table.filter("leads").select(pl.col("text").str.len_bytes())["text"].n_unique() > 1
    )
    remarks = {Remark.DAY_SHAPES if shapes else Remark.DAY_SHAPE}
    remarks |= {Remark.DAY_ORDER} if open_.height else set()
    remarks |= {Remark.CENTURY} if years == 2 else set()
    clock, zone = (bool(known[name].is_not_null().any()) for name in ("clock", "zone"))
    if remarks & {Remark.DAY_ORDER, Remark.CENTURY}:
        return Days(table["text"], frozenset(remarks), clock, zone)
    values = _put_together(table, last)
    if values.null_count() != table["text"].null_count():
        return None
    return Days(values, frozenset(remarks) | _range(values), clock, zone)


def _is_open() -> pl.Expr:
    """Tell whether the numbers of a mark leave open which is the day; with points it comes first.

    Open is also where one value says this and another one that.
    """
    day_first = pl.col("second") <= 12
    month_first = pl.col("first") <= 12
    with_points = (pl.col("mark") == ".") & day_first
    return (day_first == month_first) & ~with_points


def _put_together(table: pl.DataFrame, last: pl.DataFrame) -> pl.Series:
    """Return the days; the time of the day is left out, since it settles no range of days."""
    month_first = last.filter((pl.col("first") <= 12) & (pl.col("second") > 12))["mark"].to_list()
    day_leads = ~pl.col("leads") & ~pl.col("mark").is_in(month_first)
    day = pl.when(day_leads).then("first").otherwise("second")
    month = pl.when(day_leads).then("second").otherwise("first")
    whole = pl.concat_str("year", month.str.zfill(2), day.str.zfill(2), separator="-")
    return table.select(whole.str.to_date("%Y-%m-%d", strict=False)).to_series()
