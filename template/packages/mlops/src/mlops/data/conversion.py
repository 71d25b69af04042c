"""The outcome of bringing a column into the type that a contract asks for."""

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Converted:
    """A column in the contract's type, and the rows whose value could not be kept.

    Attributes:
        values: the column in its new type, as long as the column it came from.
        wrong: a mask of the values that are none of that type, or None if there are none.
        changed: a mask of the values that the type would change, or None if there are none.
        hint: what may be the reason, for the message.
    """

    values: pl.Series
    wrong: pl.Series | None = None
    changed: pl.Series | None = None
    hint: str = ""


def anywhere(mask: pl.Series) -> pl.Series | None:
    """Return a mask that is true somewhere, without nulls; None for one that is not."""
    return mask.fill_null(False) if mask.any() else None


def lost(before: pl.Series, after: pl.Series) -> pl.Series | None:
    """Return a mask of the values that became null, or None if there are none."""
    if before.null_count() == after.null_count():
        return None
    return anywhere(before.is_not_null() & after.is_null())


def narrowed(values: pl.Series, target: pl.DataType) -> tuple[pl.Series, pl.Series | None]:
    """Round floating-point numbers to those of a type, and tell where that is more than rounding.

    A fraction becomes the nearest number of the type, as whoever declares a float expects. A whole
    number that becomes another one, a number that becomes infinite and one that becomes zero are
    changed.
    """
    cast = values.cast(target, strict=False)
    if values.dtype == target:
        return cast, None
    again = cast.cast(values.dtype)
    whole = (values == values.floor()) & (again != values)
    gone = (cast.is_infinite() & ~values.is_infinite()) | ((again == 0) & (values != 0))
    return cast, anywhere(whole | gone)
