"""The KQL of each query, executed, and the answer computed by the machinery are the same rows.

Azure Monitor itself runs nowhere but in Azure: duckdb-kql stands for it.
"""

import functools
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from mlops.monitoring.event_properties import SOURCES, SourceName
from mlops.monitoring.rules.evaluate import evaluate
from mlops.monitoring.rules.kql import to_kql, to_rule, to_series
from mlops.monitoring.rules.shapes import ROWS, Query
from mlops.window import Window

from tests.observability.engine import Engine, here, sql_of
from tests.observability.events import DAY, Row, as_frame, made_up
from tests.observability.known import QUERIES

pytestmark = pytest.mark.fast


CASES = {
    "nothing": (0, 0),
    "a few of three versions": (9, 0),
    "many of three versions": (300, 0),
    "many of one version": (200, 1),
}
"""How many rows and which seed; those of odd seeds are of one version."""
MANY = CASES["many of three versions"]


@functools.cache
def rows_of(rows: int, seed: int) -> Mapping[SourceName, list[Row]]:
    versions = 1 if seed % 2 else 3
    return {source: made_up(source, rows, seed, versions) for source in SOURCES}


@functools.cache
def of_one_day(source: SourceName) -> tuple[Engine, pl.DataFrame]:
    """Return the same rows twice, none of another day, for what does not say itself which it is."""
    rows = [row for row in rows_of(*MANY)[source] if DAY.start <= row["time"] < DAY.end]
    return Engine({source: rows}), as_frame(source, rows)


@functools.cache
def engine(rows: int, seed: int) -> Engine:
    return Engine(rows_of(rows, seed), seed)


@functools.cache
def sql(name: str) -> str:
    return sql_of(to_kql(QUERIES[name], DAY))


def computed(query: Query, rows: int, seed: int) -> list[tuple[Any, ...]]:
    frame = as_frame(query.source, rows_of(rows, seed)[query.source])
    return here(evaluate(query, {query.source: frame}, DAY))


@pytest.mark.parametrize("size", CASES)
@pytest.mark.parametrize("name", QUERIES)
def test_both_answer_the_same_rows(name: str, size: str) -> None:
    case = CASES[size]
    assert engine(*case).answer(sql(name)) == computed(QUERIES[name], *case)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(50))
def test_both_answer_the_same_rows_of_many_samples(seed: int) -> None:
    case = (seed**2 // 4, seed)
    for name, query in QUERIES.items():
        assert engine(*case).answer(sql(name)) == computed(query, *case)


@pytest.mark.parametrize("name", QUERIES)
def test_there_is_something_to_agree_on(name: str) -> None:
    """Each query answers some of the many rows, and its least count leaves out some groups."""
    query = QUERIES[name]
    assert computed(query, *MANY)
    assert computed(query, 0, 0) == []
    if query.least > 1:
        loose = query.model_copy(update={"least": 1})
        place = len(query.by) + bool(query.bucket)
        counts = {row[place] for row in computed(loose, *MANY)}
        assert min(counts) < query.least <= max(counts)


@pytest.mark.parametrize("name", [each for each in QUERIES if not QUERIES[each].bucket])
def test_an_alarm_looks_at_the_same_numbers(name: str) -> None:
    query = QUERIES[name]
    there, frame = of_one_day(query.source)
    answer = here(evaluate(query, {query.source: frame}, DAY))
    assert answer
    assert sorted(there.answer(sql_of(to_rule(query))), key=repr) == sorted(answer, key=repr)


@pytest.mark.parametrize("name", ["latency", "predictions", "front-answers"])
def test_a_chart_draws_the_same_numbers(name: str) -> None:
    query = QUERIES[name]
    there, frame = of_one_day(query.source)
    drawn = there.answer(sql_of(to_series(query)))
    answer = evaluate(query, {query.source: frame}, DAY)
    names = [
        ["" if each is None else str(each) for each in row]
        for row in answer.select(query.by).rows()
    ]
    expected = [
        (row[0], " ".join(series), *row[1:])
        for row, series in zip(here(answer.select("time", *query.chart.show)), names, strict=True)
    ]
    assert sorted(drawn, key=repr) == sorted(expected, key=repr)


def test_the_file_s_own_window_ends_when_it_runs() -> None:
    """`ago` asks this machine's clock, so an hour lies between the rows and the window's edge."""
    query = QUERIES["traffic-split"]
    now = datetime.now(UTC)
    row = made_up("prediction", 1, 0)[0] | {"source": "request", "row": 0}
    rows = [row | {"time": now - timedelta(hours=hours)} for hours in (23, 25)]
    there = Engine({"prediction": rows}).answer(sql_of(to_kql(query)))
    frames = {query.source: as_frame("prediction", rows)}
    assert there == here(evaluate(query, frames, Window.last(timedelta(hours=24), now)))
    assert len(there) == 1


def test_a_text_in_the_place_of_a_number_is_no_number() -> None:
    """So the query reads what the table holds, as it does in Azure."""
    rows = [row | {"latency_ms": "soon"} for row in rows_of(*MANY)["prediction"]]
    query = QUERIES["every-measure"]
    (answer,) = Engine({"prediction": rows}).answer(sql("every-measure"))
    values = dict(zip((ROWS, *query.measures), answer, strict=True))
    assert values[ROWS] > 100
    assert [values[name] for name in ("p50", "p90", "p95", "p99")] == [None] * 4
    assert values["mean_value"] is not None
