"""Events as series over time."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from mlops.artifacts.predictions import event_schema
from mlops.monitoring.report import series
from mlops.window import Window

NOON = datetime(2026, 6, 30, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def events(*rows: Mapping[str, object]) -> pl.LazyFrame:
    usual = {
        "time": NOON,
        "source": "request",
        "deployment": "blue",
        "model_version": 1,
        "status": 200,
        "latency_ms": 10.0,
        "row": 0,
    }
    schema = {name: kind for name, kind in event_schema().items() if name in usual}
    return pl.LazyFrame([{**usual, **row} for row in rows], schema=schema)


@pytest.mark.parametrize(
    ("days", "every"),
    [
        (0.05, timedelta(minutes=1)),
        (0.5, timedelta(minutes=10)),
        (3, timedelta(hours=1)),
        (30, DAY),
        (365, timedelta(days=7)),
    ],
)
def test_parts_are_as_long_as_the_window_asks(days: float, every: timedelta) -> None:
    assert series.bucket_of(Window.last(timedelta(days=days), NOON)) == every


def test_a_picture_begins_with_the_first_event() -> None:
    month = Window.last(30 * DAY, NOON + timedelta(seconds=90))
    hours_ago = {"time": NOON - timedelta(hours=3, minutes=7)}
    assert series.seen_window(events({}, hours_ago), month) == (
        Window(NOON - timedelta(hours=3, minutes=10), NOON + timedelta(minutes=10)),
        timedelta(minutes=10),
    )


@pytest.mark.parametrize(
    ("rows", "start", "every"),
    [
        ([], NOON - 30 * DAY, DAY),
        ([{"time": NOON - 40 * DAY}], NOON - 30 * DAY, DAY),
        ([{"time": NOON - timedelta(seconds=9)}], NOON - timedelta(minutes=20), None),
    ],
)
def test_a_picture_is_neither_longer_than_was_asked_nor_a_moment(
    rows: list[dict[str, object]], start: datetime, every: timedelta | None
) -> None:
    found, part = series.seen_window(events(*rows), Window.last(30 * DAY, NOON))
    whole_days = every == DAY
    assert found.start == (start.replace(hour=0) if whole_days else start)
    assert part == (every or timedelta(minutes=1))
    assert found.end == (NOON.replace(hour=0) + DAY if whole_days else NOON)


def test_traffic_counts_each_version_of_each_deployment_and_what_was_scored() -> None:
    yesterday = NOON - DAY
    rows = events(
        {}, {}, {"status": 500}, {"model_version": 2}, {"time": yesterday},
        {"deployment": None, "source": "score", "latency_ms": None},
    )  # fmt: skip
    found = series.traffic(rows, DAY).collect()
    day = NOON.replace(hour=0)
    assert found.rows() == [
        (day - DAY, "blue", 1, 1),
        (day, "blue", 1, 3),
        (day, "blue", 2, 1),
        (day, "score", 1, 1),
    ]


def test_latency_is_of_answered_requests_alone() -> None:
    rows = events(
        *({"latency_ms": float(n)} for n in range(100)),
        {"latency_ms": 100.0, "source": "generated"},
        {"latency_ms": 9_999.0, "status": 500},
        {"latency_ms": 9_999.0, "row": 1},
        {"latency_ms": None, "source": "score", "row": None},
    )
    (found,) = series.latency(rows, DAY).collect().rows()
    assert found[1:] == (50.0, 95.0, 99.0, 101)


def test_errors_are_shares_of_a_version_s_requests() -> None:
    further_rows = [{"status": 400, "row": row} for row in (1, 2)]
    scored = {"source": "score", "row": None}
    rows = events({}, {}, {}, {"status": 400}, *further_rows, {"model_version": 2}, scored)
    found = series.errors(rows, DAY).collect()
    assert found.select("version", "errors", "failed", "requests").rows() == [
        (1, 0.25, 1, 4),
        (2, 0.0, 0, 1),
    ]


def test_there_may_be_nothing() -> None:
    nothing = pl.LazyFrame(schema=event_schema())
    for part in (series.traffic, series.latency, series.errors):
        assert part(nothing, DAY).collect().is_empty()
