"""What a file of charts and rules may say."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from mlops.monitoring.event_properties import SOURCES, Kind, SourceName
from mlops.monitoring.rules.words import WORDS
from mlops.window import span_of

ROWS = "n"
"""The column of every answer that counts the events it is made of."""
Bucket = Literal["1m", "5m", "10m", "15m", "30m", "1h", "2h", "3h", "6h", "12h", "1d"]
"""A day is a whole number of each, so that all engines cut time at the same moments."""
ALERT_WINDOWS = tuple(f"{n}m" for n in (5, 10, 15, 30, 45, 60)) + tuple(
    f"{n}h" for n in (1, 2, 3, 4, 5, 6, 24, 48)
)
"""The windows that Azure Monitor has for a rule (SPEC of scheduledQueryRules)."""
MOST_DIMENSIONS = 6
"""By so many columns Azure Monitor splits a rule at most."""
_OF_TEXTS = {"==", "!=", "in", "filled", "empty"}

Operator = Literal["==", "!=", ">", ">=", "<", "<=", "in", "filled", "empty"]
Limit = Literal[">", ">=", "<", "<="]
MeasureKind = Literal[
    "count", "share", "p50", "p90", "p95", "p99", "average", "min", "max", "latest"
]
ChartKind = Literal["lines", "areas", "bars", "table"]


def _span(text: str) -> str:
    span_of(text)
    if not text[:-1].isdecimal():  # KQL has it as it is
        raise ValueError(f"{text!r} is no whole number of m, h or d, such as 15m, 6h or 7d")
    return text


def _plain(text: str) -> str:
    if not text.strip() or not text.isprintable() or {"{", "}"} & {*text}:
        # a workbook takes {name} for one of its parameters
        raise ValueError("must be one line of text without { and }")
    return text


Span = Annotated[str, AfterValidator(_span)]
Line = Annotated[str, AfterValidator(_plain)]
Whole = Annotated[int, Field(ge=-(2**63), lt=2**63)]
"""What a `long` of Azure and an Int64 here can hold."""
Value = Whole | float | Line
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Condition(_Part):
    """What a row must be to count; a missing number satisfies no comparison.

    Attributes:
        column: a property of the source.
        operator: how it is compared; `filled` and `empty` take no value, `in` takes several.
        value: with what.
    """

    column: str
    operator: Operator
    value: Value | tuple[Value, ...] | None = None

    @field_validator("value", mode="before")
    @classmethod
    def _as_tuple(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @model_validator(mode="after")
    def _value_fits(self) -> "Condition":
        if (self.operator in ("filled", "empty")) != (self.value is None):
            needs = "needs a" if self.value is None else "takes no"
            raise ValueError(f"{self.operator} {needs} value")
        if (self.operator == "in") != isinstance(self.value, tuple):
            raise ValueError("in, and nothing else, needs a list of values")
        if self.value == ():
            raise ValueError("in needs at least one value")
        return self

    @property
    def values(self) -> tuple[int | float | str, ...]:
        """All values it compares with."""
        if self.value is None:
            return ()
        return self.value if isinstance(self.value, tuple) else (self.value,)

    def allows(self, text: str) -> bool:
        """Tell whether a row may have this text in the column."""
        if self.operator == "!=":
            return text not in self.values
        if self.operator in ("==", "in"):
            return text in self.values
        return bool(text) == (self.operator == "filled")


class Measure(_Part):
    """One number of each group of rows.

    Attributes:
        kind: `count` and `share` (0 to 1) of the rows that `where` describes; the others are of the
            numbers of the column `of`, those missing left out; `latest` is what the newest row has,
            also if it is missing. A percentile is of the nearest rank.
        of: the column.
        where: conditions, all of which must hold.
    """

    kind: MeasureKind
    of: str | None = None
    where: tuple[Condition, ...] = Field(default=(), strict=False)

    @model_validator(mode="after")
    def _fits(self) -> "Measure":
        if self.kind in ("count", "share"):
            if self.of is not None:
                raise ValueError(f"{self.kind} counts rows: it takes where, not of")
            if self.kind == "share" and not self.where:
                raise ValueError("share needs where: the share of which rows?")
        elif self.of is None or self.where:
            raise ValueError(f"{self.kind} takes of, the column, and no where")
        return self

    @property
    def percent(self) -> int | None:
        """Which percentile it is, if it is one."""
        return int(self.kind[1:]) if self.kind[1:].isdecimal() else None


class Threshold(_Part):
    """When an answer is an alarm.

    Attributes:
        measure: which number of the answer.
        operator: how it is compared.
        threshold: the setting that holds the limit, such as `drift.psi`; conf/ sets it.
    """

    measure: str
    operator: Limit
    threshold: str = Field(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)+$")


class Chart(_Part):
    """How an answer is shown.

    Attributes:
        kind: lines and areas run over time, bars and table do not have to.
        show: the measures to draw, or `n`; a table shows all.
    """

    kind: ChartKind
    show: tuple[str, ...] = Field(default=(), strict=False)


class Query(_Part):
    """One question to events.

    Attributes:
        id: names it, and the files made of it.
        title: its heading.
        tells: what one learns from the answer, in a sentence or two.
        source: which events.
        where: conditions, all of which must hold.
        by: the properties whose values make a group each.
        bucket: each stretch of time of this length makes groups of its own.
        window: how far back it looks.
        least: groups of fewer rows are left out.
        measures: what is computed, by name.
        chart: how it is shown.
        rule: when it is an alarm.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60)
    title: Line
    tells: Line
    source: SourceName
    where: tuple[Condition, ...] = Field(default=(), strict=False)
    by: tuple[str, ...] = Field(default=(), strict=False)
    bucket: Bucket | None = None
    window: Span
    least: int = Field(ge=1, lt=2**63)
    measures: dict[Name, Measure] = Field(default_factory=dict)
    chart: Chart
    rule: Threshold | None = None

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield what does not fit together: the field, and what is wrong."""
        properties = SOURCES[self.source].properties
        yield from self._unknown_columns(properties)
        for place, condition in self.conditions():
            if condition.column in properties:
                yield from _mistyped(place, condition, properties[condition.column])
        for name, measure in self.measures.items():
            if name == ROWS or name in properties:
                yield f"measures.{name}", "is the name of a column: choose another"
            if name in WORDS:
                yield f"measures.{name}", "is a word of KQL: choose another"
            if measure.of is not None and properties.get(measure.of) is Kind.TEXT:
                yield f"measures.{name}.of", f"{measure.of} is a text, of which there is none"
        if len({*self.by}) < len(self.by):
            yield "by", "a column stands twice"
        if self.bucket and span_of(self.bucket) > span_of(self.window):
            yield "bucket", "is longer than the window"
        yield from self._wrong_chart()
        yield from self._wrong_rule()

    def conditions(self) -> Iterator[tuple[str, Condition]]:
        """Yield every condition and the field where it stands."""
        for number, condition in enumerate(self.where):
            yield f"where.{number}", condition
        for name, measure in self.measures.items():
            for number, condition in enumerate(measure.where):
                yield f"measures.{name}.where.{number}", condition

    def columns(self) -> list[tuple[str, str]]:
        """Return every property that it reads, with the field that names it."""
        return [
            *((f"{place}.column", each.column) for place, each in self.conditions()),
            *((f"by.{number}", each) for number, each in enumerate(self.by)),
            *((f"measures.{name}.of", each.of) for name, each in self.measures.items() if each.of),
        ]

    def _unknown_columns(self, properties: Any) -> Iterator[tuple[str, str]]:
        for place, column in self.columns():
            if column not in properties:
                yield place, f"{self.source} has no {column!r} (it has {', '.join(properties)})"

    def _wrong_chart(self) -> Iterator[tuple[str, str]]:
        for number, each in enumerate(self.chart.show):
            if each != ROWS and each not in self.measures:
                yield f"chart.show.{number}", f"there is no measure {each!r}"
        if (self.chart.kind == "table") == bool(self.chart.show):
            yield "chart.show", "a chart names what it draws, a table shows all"
        if self.chart.kind in ("lines", "areas") and not self.bucket:
            yield "bucket", f"{self.chart.kind} run over time: it needs one"
        if self.chart.kind == "bars" and self.bucket:
            yield "bucket", "bars do not run over time: it has none"

    def _wrong_rule(self) -> Iterator[tuple[str, str]]:
        if self.rule is None:
            return
        if self.rule.measure not in self.measures:
            yield "rule.measure", f"there is no measure {self.rule.measure!r}"
        if self.bucket:
            yield "bucket", "a rule judges its window as a whole: it has none"
        if span_of(self.window) not in {span_of(each) for each in ALERT_WINDOWS}:
            yield "window", f"a rule can have {', '.join(ALERT_WINDOWS)}"
        if len(self.by) > MOST_DIMENSIONS:
            yield "by", f"a rule has at most {MOST_DIMENSIONS} columns"


def _mistyped(place: str, condition: Condition, kind: Kind) -> Iterator[tuple[str, str]]:
    if kind is Kind.TEXT and condition.operator not in _OF_TEXTS:
        yield f"{place}.operator", f"{condition.column} is a text, which has no order"
    for value in condition.values:
        if isinstance(value, str) != (kind is Kind.TEXT) or (
            kind is Kind.WHOLE and not isinstance(value, int)
        ):
            yield f"{place}.value", f"{condition.column} is a {kind.value}, {value!r} is not"


class Content(_Part):
    """What the whole file holds."""

    KEY: ClassVar[str] = "queries"
    PAGE: ClassVar[str] = "docs/observability.md"

    schema_: Literal[1] = Field(alias="schema")
    queries: tuple[Query, ...] = Field(strict=False)

    @property
    def all(self) -> tuple[Query, ...]:
        """What it lists."""
        return self.queries
