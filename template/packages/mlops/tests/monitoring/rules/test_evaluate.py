"""The answer to a query, computed here; tests of the template compare it with executed KQL."""

from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from fakes.queries import DAY, FAILED, event, events, query
from mlops.errors import ConfigError
from mlops.monitoring.rules.evaluate import alarms, check_frame, evaluate, last_window
from mlops.monitoring.rules.shapes import Query, Threshold

P95 = {"kind": "p95", "of": "latency_ms"}


def answer(found: Query, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    return evaluate(found, {"prediction": events(*rows).lazy()}, DAY).to_dicts()


def of_one_group(**measure: Any) -> Query:
    return query(by=[], least=1, measures={"found": measure})


def test_each_version_has_its_own_share_of_failures() -> None:
    found = query(measures={"failed": {"kind": "share", "where": [FAILED]}})
    sound = [event(model_version=1) for _ in range(8)]
    broken = [event(model_version=2, error_type="Timeout", value=None) for _ in range(2)]
    assert answer(found, *sound, *broken) == [
        {"model_version": 1, "n": 8, "failed": 0.0},
        {"model_version": 2, "n": 2, "failed": 1.0},
    ]


def test_a_group_of_too_few_rows_says_nothing() -> None:
    rows = [event(model_version=version) for version in (1, 1, 1, 2, 2)]
    assert [row["model_version"] for row in answer(query(least=3), *rows)] == [1]
    assert answer(query(least=4), *rows) == []


def test_no_event_is_no_answer() -> None:
    assert answer(query()) == []
    assert answer(query(by=[], least=1)) == []


@pytest.mark.parametrize(
    ("count", "percent", "expected"),
    [
        (1, 95, 1),
        (19, 95, 19),
        (20, 95, 19),
        (21, 95, 20),
        (100, 99, 99),
        (101, 50, 51),
        (2, 50, 1),
    ],
)
def test_a_percentile_is_that_of_the_nearest_rank(count: int, percent: int, expected: int) -> None:
    rows = [event(latency_ms=float(number)) for number in range(count, 0, -1)]
    (row,) = answer(of_one_group(kind=f"p{percent}", of="latency_ms"), *rows)
    assert row["found"] == expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("average", 2.0), ("min", 1.0), ("max", 3.0), ("p50", 1.0), ("latest", None)],
)
def test_a_missing_number_is_left_out_but_may_be_the_newest(kind: str, expected: Any) -> None:
    rows = [event(3, value=None), event(2, value=1.0), event(1, value=3.0)]
    (row,) = answer(of_one_group(kind=kind, of="value"), *rows)
    assert row == {"n": 3, "found": expected}


@pytest.mark.parametrize("kind", ["average", "min", "max", "p95", "latest"])
def test_of_no_number_there_is_none(kind: str) -> None:
    assert answer(of_one_group(kind=kind, of="value"), event(value=None))[0]["found"] is None


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"column": "status", "operator": "==", "value": 200}, 1),
        ({"column": "status", "operator": "!=", "value": 200}, 2),
        ({"column": "status", "operator": ">=", "value": 429}, 2),
        ({"column": "status", "operator": "<", "value": 429}, 1),
        ({"column": "status", "operator": "in", "value": [200, 1000]}, 2),
        ({"column": "status", "operator": "filled"}, 3),
        ({"column": "status", "operator": "empty"}, 1),
        ({"column": "key", "operator": "!=", "value": "a"}, 3),
        ({"column": "key", "operator": "in", "value": ["a"]}, 1),
        ({"column": "key", "operator": "empty"}, 2),
        ({"column": "key", "operator": "filled"}, 2),
    ],
)
def test_a_condition_decides_on_rows(condition: dict[str, Any], expected: int) -> None:
    """1000 is more than 429, as a text it would be less; a missing text is an empty one."""
    rows = [
        event(status=200, key="a"),
        event(status=429, key="b"),
        event(status=1000, key=""),
        event(status=None, key=None),
    ]
    assert answer(of_one_group(kind="count", where=[condition]), *rows)[0]["found"] == expected
    counted = answer(query(by=[], least=1, measures={}, where=[condition]), *rows)
    assert counted == [{"n": expected}]


def test_the_window_has_its_start_and_not_its_end() -> None:
    found = query(by=[], least=1, measures={})
    assert answer(found, *(event(hour) for hour in (-0.1, 0, 23.9, 24))) == [{"n": 2}]


def test_time_is_cut_into_buckets() -> None:
    found = query(by=[], bucket="6h", least=1, measures={}, chart={"kind": "table"})
    rows = answer(found, event(5.9), event(6), event(11.9), event(18))
    hours = [(row["time"] - DAY.start) / timedelta(hours=1) for row in rows]
    assert list(zip(hours, (row["n"] for row in rows), strict=True)) == [(0, 1), (6, 2), (18, 1)]


def test_a_missing_group_is_an_empty_text() -> None:
    found = query(by=["deployment"], least=1, measures={})
    assert answer(found, event(deployment=None)) == [{"deployment": "", "n": 1}]


def test_events_that_are_not_kept_here_are_named() -> None:
    found = query(source="traffic", by=["status"], measures={})
    with pytest.raises(ConfigError, match="events of traffic, which are not kept here"):
        evaluate(found, {"prediction": events()}, DAY)


def test_an_alarm_is_a_row_over_the_limit() -> None:
    rule = Threshold.model_validate({"measure": "p95", "operator": ">", "threshold": "drift.psi"})
    found = pl.DataFrame({"deployment": ["a", "b", "c"], "p95": [200.0, 201.0, None]})
    assert alarms(found, rule, 200.0)["deployment"].to_list() == ["b"]
    below = rule.model_copy(update={"operator": "<="})
    assert alarms(found, below, 200.0)["deployment"].to_list() == ["a"]


def test_findings_of_checks_are_asked_too() -> None:
    rows = [
        {"check": "drift", "time": f"2026-06-30T{hour}:00:00+02:00", "model_version": 3, **more}
        for hour, more in (
            ("11", {"column": "age", "psi": 0.1}),
            ("12", {"column": "age", "psi": 0.4}),
            ("12", {"column": None, "outcome": "drift", "drifted_columns": 1}),
        )
    ]
    frame = check_frame("drift", rows)
    found = query(
        source="drift",
        by=["column"],
        least=1,
        where=[{"column": "column", "operator": "filled"}],
        measures={"newest": {"kind": "latest", "of": "psi"}},
    )
    assert evaluate(found, {"drift": frame}, DAY).to_dicts() == [
        {"column": "age", "n": 2, "newest": 0.4}
    ]
    assert frame["time"].dtype == pl.Datetime("us", "UTC")
    assert check_frame("drift", []).is_empty()


def test_a_whole_number_that_no_column_holds_is_missing_as_in_azure() -> None:
    rows = [
        {
            "check": "drift",
            "time": "2026-06-30T11:00:00+00:00",
            "model_version": number,
            "psi": number,
        }
        for number in (10**30, 3, -(2**63) - 1, 2**63 - 1)
    ]
    found = check_frame("drift", rows)
    assert found["model_version"].to_list() == [None, 3, None, 2**63 - 1]


def test_a_query_looks_back_as_far_as_it_says() -> None:
    assert last_window(query(window="36h")) == timedelta(hours=36)
