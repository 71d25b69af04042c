"""KQL for Azure Monitor from a query, for the tables of a Log Analytics workspace."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Literal

from mlops.monitoring.event_properties import SOURCES, TIME, Kind, Source, SourceName
from mlops.monitoring.rules.deny import require_allowed
from mlops.monitoring.rules.shapes import ROWS, Condition, Measure, Query
from mlops.monitoring.rules.words import WORDS
from mlops.window import Window

Since = Literal["ago", "outside"]

_CASTS = {Kind.TEXT: "tostring", Kind.WHOLE: "tolong", Kind.NUMBER: "todouble"}
_AT = "_at"
_FUNCTIONS = {"average": "avg", "min": "min", "max": "max"}


def to_kql(query: Query, window: Window | Since = "ago") -> str:
    """Return the KQL of a query.

    The columns of its result are `TimeGenerated` (where there is a bucket: its start), those of
    `by`, `n`, and the measures; the rows come in the order of time and `by`. An average of no
    number is NaN there. A percentile of many values is an estimate of Azure's.

    Args:
        query: what is asked.
        window: which time it looks at: one; `ago`: the query's own, back from when it runs;
            `outside`: whoever runs it says so, as alert rules and workbooks do.

    Raises:
        ConfigError: an alert rule may not have what came out.
    """
    return _joined(query, [*_answer(query, window), _order(query)])


def to_series(query: Query) -> str:
    """Return the KQL of a chart over time: `TimeGenerated`, `series`, and the measures it draws.

    `series` is a text of the values of `by`: in the place of columns, whose numbers would be drawn.
    It is bounded in time by whoever runs it.
    """
    names = [f"tostring({_name(each)})" for each in query.by] or ['""']
    between = ', " ", '
    series = f"strcat({between.join(names)})" if len(names) > 1 else names[0]
    columns = ", ".join([TIME, f"series = {series}", *query.chart.show])
    last = [f"project {columns}", f"order by {TIME} asc, series asc"]
    return _joined(query, [*_answer(query, "outside"), *last])


def to_rule(query: Query) -> str:
    """Return the KQL of an alert rule, which is bounded in time by the rule, and not ordered."""
    return _joined(query, _answer(query, "outside"))


def to_rows(
    source: SourceName,
    where: str,
    start: datetime,
    end: datetime,
    rows: int,
    extra: Mapping[str, str] | None = None,
) -> str:
    """Return the KQL of the first events of a source in a time, as they are.

    Its columns are `TimeGenerated`, the source's properties, typed, and what is asked for besides.
    No alert rule may have it.

    Args:
        source: which events.
        where: a further condition, in KQL, on what the table has.
        start: from when on.
        end: until when; excluded.
        rows: how many, in the order of time.
        extra: further columns by name, in KQL.
    """
    found = SOURCES[source]
    more = [f"{name} = {what}" for name, what in (extra or {}).items()]
    lines = [
        *([f"where Name == {literal(found.event)}"] if found.event else []),
        within(start, end),
        f"where {where}",
        _typed(found, found.properties),
        f"project {', '.join([TIME, *map(_name, found.properties), *more])}",
        f"order by {TIME} asc",
        f"take {rows}",
    ]
    return found.table + "".join(f"\n| {line}" for line in lines)


def within(start: datetime, end: datetime) -> str:
    """Return the line that keeps the rows of a time, the end excluded."""
    first, last = (f"datetime({each.isoformat()})" for each in (start, end))
    return f"where {TIME} >= {first} and {TIME} < {last}"


def literal(value: float | str) -> str:
    """Return a value as KQL writes it."""
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return f"real({value!r})" if isinstance(value, float) else f"{value}"


def _joined(query: Query, lines: Iterable[str]) -> str:
    text = SOURCES[query.source].table + "".join(f"\n| {line}" for line in lines if line)
    return require_allowed(text + "\n", query.id)


def _answer(query: Query, window: Window | Since) -> Iterator[str]:
    """Yield the lines that compute the answer, without the table and the order."""
    source = SOURCES[query.source]
    if source.event:
        yield f"where Name == {literal(source.event)}"
    yield _bounds(query, window)
    yield _read(query, source)
    for condition in query.where:
        yield f"where {_condition(condition, source)}"
    latest = {name: each.of for name, each in query.measures.items() if each.kind == "latest"}
    if latest:
        copies = "".join(f", {name} = {_name(str(column))}" for name, column in latest.items())
        yield f"extend {_AT} = {TIME}{copies}"
    measures = [f"{ROWS} = count()"]
    measures += [
        f"{name} = {_measured(each, source)}"
        for name, each in query.measures.items()
        if name not in latest
    ]
    if latest:
        measures.append(f"arg_max({', '.join([_AT, *latest])})")
    yield f"summarize {', '.join(measures)}{_groups(query)}"
    yield f"where {ROWS} >= {query.least}"
    yield f"project {', '.join([*_keys(query), ROWS, *query.measures])}"


def _keys(query: Query) -> list[str]:
    """Return the columns that tell the rows of the answer apart."""
    return [*([TIME] if query.bucket else []), *map(_name, query.by)]


def _groups(query: Query) -> str:
    bins = [f"{TIME} = bin({TIME}, {query.bucket})"] if query.bucket else []
    groups = [*bins, *map(_name, query.by)]
    return f" by {', '.join(groups)}" if groups else ""


def _order(query: Query) -> str:
    keys = _keys(query)
    return f"order by {', '.join(f'{each} asc' for each in keys)}" if keys else ""


def _bounds(query: Query, window: Window | Since) -> str:
    if isinstance(window, Window):
        return within(window.start, window.end)
    return f"where {TIME} >= ago({query.window})" if window == "ago" else ""


def _read(query: Query, source: Source) -> str:
    """Return the line that gives each property that is read its name and type."""
    used = {column for _, column in query.columns()}
    return _typed(source, [each for each in source.properties if each in used])


def _typed(source: Source, names: Iterable[str]) -> str:
    read = [
        f"{_name(each)} = {_CASTS[source.properties[each]]}"
        f"({source.columns.get(each) or _property(each)})"
        for each in names
    ]
    return f"extend {', '.join(read)}" if read else ""


def _condition(condition: Condition, source: Source) -> str:
    column = _name(condition.column)
    text = source.properties[condition.column] is Kind.TEXT
    if condition.operator in ("filled", "empty"):
        asked = "isnot" if condition.operator == "filled" else "is"
        return f"{asked}{'empty' if text else 'null'}({column})"
    values = ", ".join(literal(each) for each in condition.values)
    if condition.operator == "in":
        return f"{column} in ({values})"
    compared = f"{column} {condition.operator} {values}"
    # Kusto's page on null says two things of null != 1: here a missing number satisfies nothing
    guarded = condition.operator == "!=" and not text
    return f"(isnotnull({column}) and {compared})" if guarded else compared


def _measured(measure: Measure, source: Source) -> str:
    counted = " and ".join(_condition(each, source) for each in measure.where)
    if measure.kind == "count":
        return f"countif({counted})" if counted else "count()"
    if measure.kind == "share":
        return f"1.0 * countif({counted}) / count()"
    column = _name(str(measure.of))
    if measure.percent is not None:
        return f"percentile({column}, {measure.percent})"
    return f"{_FUNCTIONS[measure.kind]}({column})"


def _name(name: str) -> str:
    return f"['{name}']" if name in WORDS else name


def _property(name: str) -> str:
    return f"Properties['{name}']" if name in WORDS else f"Properties.{name}"
