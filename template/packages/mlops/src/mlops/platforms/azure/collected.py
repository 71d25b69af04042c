"""Features of requests, which Azure ML's data collector wrote to the workspace's storage.

A line of its files is an object with `data`, a list of rows; ours have `inference_id` and
`features` (JSON), by which they come to their events.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, cast

import polars as pl

from mlops.artifacts.predictions import FEATURE, event_schema
from mlops.features import Features
from mlops.monitoring.event_store import feature_value
from mlops.platforms.azure.blobs import WorkspaceBlobs
from mlops.platforms.azure.collector import FEATURES, ROOT
from mlops.platforms.base import NotObserved

_MARGIN = timedelta(hours=1)
"""The collector names the hour in which it writes, which may be the one after."""


def with_features(
    blobs: WorkspaceBlobs, endpoint: str, events: pl.DataFrame, features: Features
) -> tuple[pl.DataFrame, dict[str, str]]:
    """Return events of requests with their features, and what could not be read.

    Those of an event that has none are null, all of them: of a failure, and of what the collector
    has not written yet.

    Args:
        blobs: the workspace's files.
        endpoint: the endpoint's name.
        events: as `event_schema` says, without features.
        features: those to read.

    Raises:
        NotObserved: no prediction has any.
    """
    columns = _columns(features)
    if events.is_empty():
        nothing = [pl.lit(None, kind).alias(name) for name, kind in columns.items()]
        return events.with_columns(nothing, has_features=False), {}
    unread: dict[str, str] = {}
    wanted = frozenset(events["inference_id"])
    rows = [
        row
        for name in _files(blobs, endpoint, events)
        for row in _rows(name, blobs.read(name), features, wanted, unread)
    ]
    found = pl.DataFrame(rows, {"inference_id": pl.String(), **columns}, orient="row").unique(
        "inference_id"
    )
    predicted = events["prediction"].is_not_null().sum()
    if predicted and found.is_empty():
        raise NotObserved(
            f"no features of the {predicted:,} predictions of {endpoint} were collected",
            "some minutes after the first request they should be: see that the endpoint's identity "
            "has the role Storage Blob Data Contributor on the workspace's storage, or set "
            "telemetry.features: false",
        )
    found = found.with_columns(has_features=True)
    joined = events.drop("has_features").join(found, on="inference_id", how="left")
    told = joined.with_columns(pl.col("has_features").fill_null(value=False))
    return told.select(list(event_schema(features))), unread


def _columns(features: Features) -> dict[str, pl.DataType]:
    schema = event_schema(features)
    return {name: kind for name, kind in schema.items() if name.startswith(FEATURE)}


def _files(blobs: WorkspaceBlobs, endpoint: str, events: pl.DataFrame) -> Iterator[str]:
    """Yield the collector's files of the hours in which events were."""
    first, last = (cast(datetime, each) for each in (events["time"].min(), events["time"].max()))
    hours = [f"{each:%Y/%m/%d/%H}" for each in (first - _MARGIN, last + _MARGIN)]
    days = (last - first + 2 * _MARGIN).days + 2
    for deployment in sorted(events["deployment"].drop_nulls().unique()):
        collection = f"{ROOT}/{endpoint}/{deployment}/{FEATURES}"
        for number in range(days):
            day = f"{collection}/{first - _MARGIN + timedelta(days=number):%Y/%m/%d}/"
            for blob in blobs.listed(day):
                if hours[0] <= blob.name[len(collection) + 1 :][:13] <= hours[1]:
                    yield blob.name


def _rows(
    name: str, content: bytes, features: Features, wanted: frozenset[str], unread: dict[str, str]
) -> Iterable[tuple[Any, ...]]:
    """Return a row for each prediction that a file has and that is wanted."""
    found, bad = [], 0
    for line in content.splitlines():
        try:
            for row in json.loads(line)["data"]:
                if row["inference_id"] in wanted:
                    values = json.loads(row["features"])
                    has = [feature_value(values.get(each.name), each) for each in features]
                    found.append((row["inference_id"], *has))
        except (AttributeError, KeyError, TypeError, ValueError):
            bad += 1
    if bad:
        unread[name] = f"{bad:,} of its lines are no features"
    return found
