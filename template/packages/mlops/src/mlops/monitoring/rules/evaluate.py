"""The answer to a query, computed on this machine from the same events: what its KQL answers."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlops.errors import ConfigError
from mlops.monitoring.event_properties import SOURCES, Kind, SourceName
from mlops.monitoring.rules.shapes import ROWS, Condition, Measure, Query, Threshold
from mlops.window import Window, span_of

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


def evaluate_sliding(
    query: Query, frames: Frames, window: Window, every: "timedelta"
) -> "pl.DataFrame":
    """Return the answers of all the query's windows that end at or before the end of a time.

    They end `every` before each other, the last at the end of that time; those that end in it
    count. Of each the rows are those of `evaluate`, and `end` is when it ends.

    Args:
        query: what is asked; it has no bucket.
        frames: the events, as for `evaluate`, from one window before that time on.
        window: the time in which the windows end, its start excluded and its end included.
        every: from one window to the next.
    """
    import polars as pl

    span, keys = last_window(query), [*query.by]
    rows = _rows(frames[query.source].lazy(), query, Window(window.start - span, window.end))
    measured = [pl.len().cast(pl.Int64).alias(ROWS)]
    measured += [_measured(each).alias(name) for name, each in query.measures.items()]
    # a row of nothing, before all windows that count: windows begin at the first row of a group
    steps = -((window.start - window.end) // every)
    first = window.end - steps * every - span
    earliest = pl.lit(first, pl.Datetime("us", "UTC"))
    nothing = (rows.unique(keys) if keys else rows.head(1)).select(
        earliest.alias(_AT), earliest.alias(TIME), *keys
    )
    columns = [*dict.fromkeys((_AT, TIME, *(column for _, column in query.columns())))]
    whole = pl.concat([rows, nothing], how="diagonal").select(columns).sort(TIME)
    slid = whole.group_by_dynamic(
        TIME,
        every=every,
        period=span,
        offset=(first - _EPOCH) % every,
        closed="left",
        label="left",
        group_by=keys or None,
    ).agg(measured)
    end = pl.col(TIME) + span
    answer = slid.select(end.alias(END), *keys, ROWS, *query.measures)
    inside = (pl.col(END) > window.start) & (pl.col(END) <= window.end)
    enough = pl.col(ROWS) >= query.least
    return answer.filter(inside & enough).sort(END, *keys).collect()


END = "end"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
    return span_of(query.window)


def check_frame(source: SourceName, checks: Iterable[Mapping[str, Any]]) -> "pl.DataFrame":
    """Return findings of checks, or requests, as a frame of their source; what lacks is null.

    So is a whole number that is too large for a column.

    Args:
        source: any but `prediction`.
        checks: as an endpoint returns them: `time` is a text with its offset.
    """
    import polars as pl

    properties = SOURCES[source].properties
    kinds = {Kind.TEXT: pl.String(), Kind.WHOLE: pl.Int64(), Kind.NUMBER: pl.Float64()}
    schema = {TIME: pl.String(), **{name: kinds[kind] for name, kind in properties.items()}}
    rows = [{name: _held(each.get(name)) for name in schema} for each in checks]
    return pl.DataFrame(rows, schema=schema, strict=False).with_columns(
        pl.col(TIME).str.to_datetime(time_unit="us", time_zone="UTC")
    )


def _held(value: Any) -> Any:
    """Return a value, or null of a whole number that no column holds, as KQL has it."""
    return None if isinstance(value, int) and not -(2**63) <= value < 2**63 else value


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
