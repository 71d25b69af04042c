"""Parses the text of a CSV file into the type that a contract asks for.

What is not written in just the way that the type is written is wrong, never guessed at.
"""

import polars as pl

from mlops.data.conversion import Converted, anywhere, lost, narrowed

_DAY = r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
_JUST_A_DAY = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_CLOCK = r"((?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?)"
_FRACTION = r"(\.[0-9]{1,9})?"
_ZONE = r"(Z|[+-][0-9]{2}(?::?[0-9]{2})?)?"
_MOMENT = f"^{_DAY}(?:[ T]{_CLOCK}{_FRACTION}{_ZONE})?$"
_DIGITS = {"ms": 3, "us": 6, "ns": 9}
_EXACT_WHOLE = 2**53

_GROUPED = r"^[+-]?[1-9][0-9]{0,2}(?:[.,][0-9]{3})+$"
_WITH_COMMA = r"^[+-]?(?:[0-9]+,[0-9]*|,?[0-9]+)(?:[eE][+-]?[0-9]+)?$"
_WHOLE = r"^[+-]?(?<whole>[0-9]+)(?:\.(?<rest>[0-9]*))?$"
_PLAIN = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)$"
_WORDS = {"true": True, "false": False, "1": True, "0": False}


def parse(text: pl.Series, target: pl.DataType, separator: str) -> Converted:
    """Parse a column of text; a null stays one.

    Args:
        text: the cells; spaces around a value that is no text do not count, and an empty text is
            a null unless text is asked for.
        target: the contract's type.
        separator: what stands between two fields of the file. Where it is no comma, a comma may be
            the decimal mark.
    """
    if target == pl.String:
        return Converted(text)
    as_written = _parse(text, target, separator)
    if as_written.wrong is None:
        return as_written
    return _parse(_where(text, text != "").str.strip_chars(), target, separator)


def _parse(text: pl.Series, target: pl.DataType, separator: str) -> Converted:
    if isinstance(target, pl.Date | pl.Datetime):
        return _temporal(text, target)
    if target.is_float() or isinstance(target, pl.Decimal):
        return _number(text, target, separator)
    if target == pl.Boolean:
        words = text.str.to_lowercase()
        values = words.replace_strict(_WORDS, default=None, return_dtype=pl.Boolean)
    elif target.is_integer() or isinstance(target, pl.Categorical | pl.Enum):
        values = text.cast(target, strict=False)
    else:
        values = pl.repeat(None, len(text), dtype=target, eager=True)
    return Converted(values, lost(text, values))


def _temporal(text: pl.Series, target: pl.Date | pl.Datetime) -> Converted:
    """Parse days and moments; a moment with a zone is on the day that it names itself."""
    zoned = isinstance(target, pl.Datetime) and target.time_zone is not None
    if not zoned and text.str.contains(_JUST_A_DAY).all():
        values = text.str.to_date("%Y-%m-%d", strict=False).cast(target)
        return Converted(values, lost(text, values))
    parts = text.to_frame("text").select(
        pl.col("text").str.extract(_MOMENT, group).alias(name)
        for group, name in enumerate(("day", "clock", "fraction", "zone"), start=1)
    )
    if isinstance(target, pl.Datetime):
        return _moment(text, parts, target)
    values = parts["day"].str.to_date("%Y-%m-%d", strict=False)
    return Converted(values, lost(text, values))


def _moment(text: pl.Series, parts: pl.DataFrame, target: pl.Datetime) -> Converted:
    """Put moments together: `parts` has the columns day, clock, fraction and zone."""
    clock = pl.col("clock").fill_null("00:00")
    clock = pl.when(clock.str.len_bytes() == 5).then(clock + ":00").otherwise(clock)
    whole = pl.col("day") + " " + clock + pl.col("fraction").fill_null("")
    form = "%Y-%m-%d %H:%M:%S%.f"
    if target.time_zone is None:
        whole = pl.when(pl.col("zone").is_null()).then(whole)
        strays, hint = parts["zone"].is_not_null(), "the contract's type has no time zone"
    else:
        zone = pl.col("zone").replace("Z", "+0000").str.replace(":", "").str.pad_end(5, "0")
        whole, form = whole + zone, f"{form}%z"
        strays, hint = parts["zone"].is_null(), "the contract's type needs a time zone"
    moments = parts.select(whole).to_series()
    values = moments.str.to_datetime(form, strict=False, time_unit=target.time_unit)
    if target.time_zone is not None:
        values = values.dt.convert_time_zone(target.time_zone)
    digits = pl.col("fraction").str.slice(1 + _DIGITS[target.time_unit])
    finer = parts.select(digits.str.contains("[1-9]")).to_series()
    said = hint if (strays & parts["day"].is_not_null()).any() else ""
    return Converted(values, lost(text, values), anywhere(finer & values.is_not_null()), said)


def _number(text: pl.Series, target: pl.DataType, separator: str) -> Converted:
    plain, hint = _with_points(text, separator)
    if isinstance(target, pl.Decimal):
        return _decimal(text, plain, target, hint)
    exact = plain.cast(pl.Float64, strict=False)
    values, changed = narrowed(exact, target)
    misread = _misread(plain, exact)
    if changed is not None and misread is not None:
        changed = changed | misread
    return Converted(values, lost(text, values), misread if changed is None else changed, hint)


def _with_points(text: pl.Series, separator: str) -> tuple[pl.Series, str]:
    """Write decimal commas as points where they are certain; what is doubtful becomes null.

    In doubt is a column in which every mark could part thousands: a single value that it could not
    part, such as 1,5, settles the column.

    Returns:
        The text, and what to say of values that are no number.
    """
    if separator == ",":
        return text, ""
    commas, points = (text.str.contains(mark, literal=True) for mark in (",", "."))
    marked = commas | points
    if not marked.any():
        return text, ""
    if commas.any() and points.any():
        hint = "commas and points in one column: write thousands without a mark"
    elif _in_doubt(text.filter(marked)):
        name, mark = ("comma", ",") if commas.any() else ("point", ".")
        hint = f"a {name} may be a decimal mark or part thousands: write 1234 or 1{mark}2340"
    elif points.any():
        return text, ""
    else:
        good = text.str.contains(_WITH_COMMA)
        return _where(text.str.replace(",", ".", literal=True), good), ""
    return _where(text, ~marked), hint


def _in_doubt(marked: pl.Series) -> bool:
    """Tell whether numbers with one kind of mark could have it in their thousands, all of them."""
    grouped = marked.str.contains(_GROUPED)
    decimal = marked.str.replace(".", ",", literal=True).str.contains(_WITH_COMMA)
    return grouped.any() and not (decimal & ~grouped).any()


def _where(text: pl.Series, mask: pl.Series) -> pl.Series:
    return pl.select(pl.when(mask).then(text)).to_series()


def _misread(text: pl.Series, values: pl.Series) -> pl.Series | None:
    """Tell which numbers no Float64 can be: too large, too small, or with more digits than kept."""
    zero, largest = values == 0, values.abs().max()
    if not zero.any() and isinstance(largest, float) and largest < _EXACT_WHOLE:
        return None
    large = (values.abs() >= _EXACT_WHOLE) & ~values.is_nan()
    suspects = (zero | large).fill_null(False)
    if not suspects.any():
        return None
    few = pl.DataFrame({"text": text.filter(suspects), "value": values.filter(suspects)})
    spelt = pl.col("text").str.extract_groups(_WHOLE)
    whole, rest = spelt.struct.field("whole"), spelt.struct.field("rest")
    number = pl.col("value").abs().cast(pl.Int128, strict=False)
    kept = (number == whole.cast(pl.Int128, strict=False)).fill_null(False)
    more = rest.str.contains("[1-9]").fill_null(False)
    infinite = pl.col("value").is_infinite() & ~pl.col("text").str.contains("(?i)inf")
    found = few.select(
        pl.when(pl.col("value") == 0)
        .then(pl.col("text").str.contains("^[^eE]*[1-9]"))
        .otherwise(infinite | (whole.is_not_null() & (~kept | more)))
    ).to_series()
    if not found.any():
        return None
    places = suspects.arg_true().filter(found.fill_null(False))
    return pl.repeat(False, len(text), dtype=pl.Boolean, eager=True).scatter(places, True)


def _decimal(text: pl.Series, plain: pl.Series, target: pl.Decimal, hint: str) -> Converted:
    values = _where(plain, plain.str.contains(_PLAIN)).cast(target, strict=False)
    fraction = plain.str.extract(r"\.([0-9]*)$").str.strip_chars_end("0")
    changed = anywhere((fraction.str.len_bytes() > target.scale) & values.is_not_null())
    return Converted(values, lost(text, values), changed, hint)
