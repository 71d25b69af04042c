"""The answer to a query, computed on this machine from the same events: what its KQL answers."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from mlops.errors import ConfigError
from mlops.monitoring.event_properties import SOURCES, Kind, SourceName
from mlops.monitoring.rules.shapes import ROWS, Condition, Measure, Query, Threshold
from mlops.window import Window, span

if TYPE_CHECKING:
    from datetime import timedelta

    import polars as pl

TIME = "time"

Frames = Mapping[SourceName, "pl.DataFrame | pl.LazyFrame"]
"""Events by source. Each frame has `time` (Datetime, UTC) and the properties of its source as
columns, texts as String and numbers as Int64 or Float64; more columns do no harm."""


def evaluate(query: Query, frames: Frames, window: Window) -> "pl.DataFrame":
    """Return the answer: a row a group that has enough events.

    Its columns are `time` (where there is a bucket: its start, UTC), those of `by` (a missing text
    is empty, as in Azure), `n`, and the measures: Int64 or Float64, null where there is no number.
    The rows are in the order of time and `by`.

    Args:
        query: what is asked.
        frames: the events, as `Predictions.rows` and `check_frame` return them.
        window: the time that is looked at, whatever the query's own window.

    Raises:
        ConfigError: there are no events of the query's source here.
    """
    import polars as pl

    if query.source not in frames:
        raise ConfigError(
            f"{query.id} asks for events of {query.source}, which are not kept here",
            "run its KQL in Azure Monitor: observability/queries/ has it",
        )
    rows = _rows(frames[query.source].lazy(), query, window)
    measured = [pl.len().cast(pl.Int64).alias(ROWS)]
    measured += [_measured(each).alias(name) for name, each in query.measures.items()]
    keys = [*([TIME] if query.bucket else []), *query.by]
    answer = rows.group_by(keys).agg(measured).sort(keys) if keys else rows.select(measured)
    return answer.filter(pl.col(ROWS) >= query.least).collect()


def alarms(answer: "pl.DataFrame", rule: Threshold, limit: float) -> "pl.DataFrame":
    """Return the rows of an answer that are an alarm; a missing number is none.

    Args:
        answer: what `evaluate` returned.
        rule: which measure is compared, and how.
        limit: the limit in force, see `limit_of`.
    """
    import polars as pl

    return answer.filter(_compared(pl.col(rule.measure), rule.operator, limit))


def last_window(query: Query) -> "timedelta":
    """Return how far back a query looks by itself."""
    return span(query.window)


def check_frame(source: SourceName, checks: Iterable[Mapping[str, Any]]) -> "pl.DataFrame":
    """Return findings of checks as a frame of their source; what a finding lacks is null.

    Args:
        source: `drift`, `performance` or `decision`.
        checks: as an endpoint keeps them: `time` is a text with its offset.
    """
    import polars as pl

    properties = SOURCES[source].properties
    kinds = {Kind.TEXT: pl.String(), Kind.WHOLE: pl.Int64(), Kind.NUMBER: pl.Float64()}
    schema = {TIME: pl.String(), **{name: kinds[kind] for name, kind in properties.items()}}
    rows = [{name: each.get(name) for name in schema} for each in checks]
    return pl.DataFrame(rows, schema=schema, strict=False).with_columns(
        pl.col(TIME).str.to_datetime(time_unit="us", time_zone="UTC")
    )


def _rows(events: "pl.LazyFrame", query: Query, window: Window) -> "pl.LazyFrame":
    """Return the rows that count, with the columns that are read and the time of their bucket."""
    import polars as pl

    properties = SOURCES[query.source].properties
    used = dict.fromkeys(column for _, column in query.columns())
    columns = [
        pl.col(each).fill_null("") if properties[each] is Kind.TEXT else pl.col(each)
        for each in used
    ]
    when = pl.col(TIME)
    rows = events.filter((when >= window.start) & (when < window.end)).select(
        when.alias(_AT), when.dt.truncate(query.bucket) if query.bucket else when, *columns
    )
    return rows.filter(_all(query.where)) if query.where else rows


_AT = "_at"


def _all(conditions: Iterable[Condition]) -> "pl.Expr":
    import polars as pl

    return pl.all_horizontal(_satisfied(each) for each in conditions)


def _satisfied(condition: Condition) -> "pl.Expr":
    """Return whether each row satisfies a condition; a missing number does not."""
    import polars as pl

    column = pl.col(condition.column)
    missing = column.is_null() | (column.cast(pl.String) == "")
    if condition.operator == "empty":
        return missing
    if condition.operator == "filled":
        return ~missing
    if condition.operator == "in":
        return column.is_in(list(condition.values)).fill_null(value=False)
    (value,) = condition.values
    return _compared(column, condition.operator, value)


def _compared(column: "pl.Expr", operator: str, value: float | str) -> "pl.Expr":
    compared = {
        "==": column == value,
        "!=": column != value,
        ">": column > value,
        ">=": column >= value,
        "<": column < value,
        "<=": column <= value,
    }[operator]
    return compared.fill_null(value=False)


def _measured(measure: Measure) -> "pl.Expr":
    import polars as pl

    if measure.kind == "count":
        return (_all(measure.where).sum() if measure.where else pl.len()).cast(pl.Int64)
    if measure.kind == "share":
        return _all(measure.where).mean()
    column = pl.col(str(measure.of))
    if measure.percent is not None:
        return _nearest_rank(column, measure.percent)
    if measure.kind == "latest":
        return column.sort_by(_AT).last()
    return {"average": column.mean(), "min": column.min(), "max": column.max()}[measure.kind]


def _nearest_rank(column: "pl.Expr", percent: int) -> "pl.Expr":
    """Return the smallest number that at least so many percent of the numbers do not exceed."""
    there = column.drop_nulls().sort()
    # in whole numbers, as 0.95 of a count may come out a little above the rank
    rank = (there.len().cast(int) * percent + 99) // 100
    return there.get(rank - 1, null_on_oob=True)
