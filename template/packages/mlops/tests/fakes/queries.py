"""Queries of the tests, and events that they are asked of."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import yaml

from mlops.artifacts.predictions import event_schema
from mlops.monitoring.rules.reading import parse_queries
from mlops.monitoring.rules.shapes import Query
from mlops.window import Window

DAY = Window(datetime(2026, 6, 30, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))
FAILED = {"column": "error_type", "operator": "filled"}
PLAIN: Mapping[str, Any] = {
    "id": "latency",
    "title": "Latency",
    "tells": "How long it took.",
    "source": "prediction",
    "by": ["model_version"],
    "window": "1d",
    "least": 2,
    "measures": {"p95": {"kind": "p95", "of": "latency_ms"}},
    "chart": {"kind": "table"},
}


def content(*queries: Mapping[str, Any]) -> str:
    """Return a file of queries."""
    return yaml.safe_dump(
        {"schema": 1, "queries": [dict(each) for each in queries]}, sort_keys=False
    )


def query(**changes: Any) -> Query:
    """Return the plain query with other values."""
    (found,) = parse_queries(content({**PLAIN, **changes}), "queries.yaml")
    return found


def event(hour: float = 12, **values: Any) -> dict[str, Any]:
    """Return an event of DAY."""
    sound = {"source": "request", "endpoint": "tiny", "deployment": "blue", "model_version": 1}
    answered = {"latency_ms": 10.0, "status": 200, "value": 0.5}
    return {"time": DAY.start + timedelta(hours=hour), **sound, **answered, **values}


def events(*rows: Mapping[str, Any]) -> pl.DataFrame:
    """Return events as platforms answer them."""
    schema = event_schema()
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema)
