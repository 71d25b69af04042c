"""Made-up events: as the machinery reads them, and as the tables of Azure Monitor hold them."""

import json
import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
from mlops.artifacts.predictions import event_schema
from mlops.monitoring.event_properties import SOURCES, Kind, SourceName
from mlops.monitoring.rules.evaluate import check_frame
from mlops.window import Window

DAY = Window(datetime(2026, 11, 29, tzinfo=UTC), datetime(2026, 11, 30, tzinfo=UTC))

Row = dict[str, Any]


def made_up(source: SourceName, rows: int, seed: int, versions: int = 3) -> list[Row]:
    """Return rows of a source, each at a time of its own, some before and some after DAY.

    Half are of the same hour. Values come from few, so that groups form and limits are met
    exactly; many are missing.
    """
    chance = random.Random(seed)
    close = chance.sample(range(10 * 3600, 11 * 3600), rows // 2)
    far = [each for each in chance.sample(range(-7200, 26 * 3600), 2 * rows) if each not in close]
    return [
        {"time": DAY.start + timedelta(seconds=second), **_properties(source, chance, versions)}
        for second in chance.sample([*close, *far[: rows - len(close)]], rows)
    ]


def _properties(source: SourceName, chance: random.Random, versions: int) -> Row:
    kinds = SOURCES[source].properties
    found = {name: _value(name, kind, chance, versions) for name, kind in kinds.items()}
    return {name: None if chance.random() < _LACKING else value for name, value in found.items()}


_LACKING = 0.15
_TEXTS: Mapping[str, list[str]] = {
    "source": ["request", "request", "score"],
    "endpoint": ["tiny-prod"],
    "deployment": ["blue", "green"],
    "error_type": ["", "", "Timeout", 'a "quoted" \\ one'],
    "metric": ["f1"],
    "kind": ["realised", "estimated"],
    "outcome": ["ok", "drift", "not enough", "schema broken", "below"],
}
_WHOLE: Mapping[str, list[int]] = {
    "status": [200, 200, 400, 408, 424, 429, 500],
    "model_status": [200, 500],
    "row": [*[0] * 12, 1],
}


def _value(name: str, kind: Kind, chance: random.Random, versions: int) -> Any:
    if name == "model_version":
        return chance.randint(1, versions)
    if kind is Kind.TEXT:
        return chance.choice(_TEXTS.get(name, ["a", "b", "Ünïcode", ""]))
    if kind is Kind.WHOLE:
        return chance.choice(_WHOLE.get(name, [0, 1, 20, 300]))
    return chance.choice([0.0, 0.25, 0.75, -0.5, 1e-05, 1234.5, chance.random()])


def as_frame(source: SourceName, rows: list[Row]) -> pl.DataFrame:
    """Return rows as the machinery reads them."""
    if source == "prediction":
        schema = event_schema()
        return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema)
    return check_frame(source, [{**row, "time": row["time"].isoformat()} for row in rows])


def as_table(source: SourceName, rows: list[Row], chance: random.Random) -> list[tuple[Any, ...]]:
    """Return rows as Azure Monitor's table has them: in AppEvents every property is a text.

    A value that is missing is left out, or an empty text.
    """
    place = SOURCES[source]
    if place.columns:
        names = list(place.columns)
        return [(_naive(row), *(row[name] for name in names)) for row in rows]
    return [(_naive(row), place.event, json.dumps(_texts(row, chance))) for row in rows]


def _texts(row: Row, chance: random.Random) -> dict[str, str]:
    filled = {name: str(value) for name, value in row.items() if value is not None}
    empty = {name: "" for name, value in row.items() if value is None and chance.random() < 0.5}
    return {name: value for name, value in (filled | empty).items() if name != "time"}


def _naive(row: Row) -> datetime:
    when: datetime = row["time"]
    return when.replace(tzinfo=None)
