"""Brings the columns of a Parquet file into the types that a contract asks for.

A number may become a wider one and a timestamp its date. A conversion that a reader of the contract
would not expect, such as one between time zones, is not made.
"""

import polars as pl

from mlops.data.conversion import Converted, anywhere, lost, narrowed


def convert(values: pl.Series, target: pl.DataType) -> Converted | str:
    """Convert a column, or say why it is none of this type; the reason may be empty."""
    source = values.dtype
    if source in (target, pl.Null):
        return Converted(values.cast(target))
    if source in (pl.Date, pl.Datetime) and target in (pl.Date, pl.Datetime):
        return _temporal(values, target)
    if target == pl.String and isinstance(source, pl.Categorical | pl.Enum):
        return Converted(values.cast(target))
    if isinstance(target, pl.Categorical | pl.Enum) and source in (pl.String, pl.Categorical):
        cast = values.cast(target, strict=False)
        return Converted(cast, lost(values, cast))
    if target.is_float() and source.is_float():
        cast, changed = narrowed(values, target)
        return Converted(cast, None, changed)
    if _is_number(target) and (source.is_integer() or isinstance(source, pl.Decimal)):
        return "" if target.is_integer() and not source.is_integer() else _exact(values, target)
    return ""


def _is_number(kind: pl.DataType) -> bool:
    return kind.is_float() or kind.is_integer() or isinstance(kind, pl.Decimal)


def _exact(values: pl.Series, target: pl.DataType) -> Converted:
    """Cast whole or decimal numbers; what comes back as another number is changed."""
    cast = values.cast(target, strict=False)
    same = cast.cast(values.dtype, strict=False) == values
    return Converted(cast, None, anywhere(values.is_not_null() & ~same.fill_null(False)))


def _temporal(values: pl.Series, target: pl.DataType) -> Converted | str:
    zone = values.dtype.time_zone if isinstance(values.dtype, pl.Datetime) else None
    if not isinstance(target, pl.Datetime):
        local = values if zone is None else values.dt.replace_time_zone(None)
        return Converted(local.dt.date())
    if (zone is None) != (target.time_zone is None):
        has = "no time zone" if zone is None else f"the time zone {zone}"
        return f"they have {has}, which the contract has to declare"
    cast = values.cast(pl.Datetime(target.time_unit, zone))
    if target.time_zone is not None:
        cast = cast.dt.convert_time_zone(target.time_zone)
    again = cast.dt.convert_time_zone(zone) if zone else cast
    changed = again.cast(values.dtype) != values
    return Converted(cast, None, anywhere(changed))
