"""What queries may read is what events have: a name that changes in one place is noticed here."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl
import pytest

from fakes.watched import drift, performance_result
from mlops.artifacts.predictions import event_schema
from mlops.monitoring.event_properties import SOURCES, Kind, SourceName
from mlops.monitoring.rules.words import WORDS

TYPES = {Kind.TEXT: pl.String(), Kind.WHOLE: pl.Int64(), Kind.NUMBER: pl.Float64()}
NO_PROPERTIES = {"time", "probabilities", "has_features"}
"""An event's time is a column of its own in each table; KQL reads no list and no features."""


def test_queries_read_of_predictions_what_events_of_predictions_have() -> None:
    properties = SOURCES["prediction"].properties
    there = {name: kind for name, kind in event_schema().items() if name not in NO_PROPERTIES}
    assert {name: TYPES[kind] for name, kind in properties.items()} == there


@pytest.mark.parametrize("source", ["drift", "performance"])
def test_queries_read_of_checks_what_all_checks_have(source: SourceName) -> None:
    """And the event bears the name under which checks are kept."""
    assert SOURCES[source].event == source
    assert (
        SOURCES[source].properties.items()
        >= {
            "environment": Kind.TEXT,
            "endpoint": Kind.TEXT,
            "deployment": Kind.TEXT,
            "model_name": Kind.TEXT,
            "model_version": Kind.WHOLE,
            "outcome": Kind.TEXT,
            "window_start": Kind.TEXT,
            "window_end": Kind.TEXT,
            "rows": Kind.WHOLE,
        }.items()
    )


KINDS: Mapping[Kind, tuple[type, ...]] = {
    Kind.TEXT: (str,),
    Kind.WHOLE: (int,),
    Kind.NUMBER: (float, int),
}
CHECKS: Mapping[SourceName, Callable[[], Sequence[Mapping[str, Any]]]] = {
    "drift": lambda: drift().kept(),
    "performance": lambda: performance_result().rows(),
}


@pytest.mark.parametrize("source", CHECKS)
def test_queries_read_of_checks_what_checks_keep(source: SourceName) -> None:
    """What is kept is sent to Azure by these very names (test_insights.py has predictions)."""
    rows = CHECKS[source]()
    assert {row["check"] for row in rows} == {SOURCES[source].event}
    for name, kind in SOURCES[source].properties.items():
        values = [row[name] for row in rows if name in row]
        assert values, f"no row has {name}"
        assert all(value is None or isinstance(value, KINDS[kind]) for value in values), name


def test_the_front_end_s_log_has_columns_and_no_properties() -> None:
    traffic = SOURCES["traffic"]
    assert traffic.columns.keys() == traffic.properties.keys()
    assert traffic.event == ""


def test_no_property_hides_what_queries_add() -> None:
    for source in SOURCES.values():
        assert not {"n", "_at", "TimeGenerated", "Properties", "Name"} & source.properties.keys()
    assert {"kind", "limit", "missing"} <= WORDS
