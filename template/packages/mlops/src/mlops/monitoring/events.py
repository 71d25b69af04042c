"""Events of predictions: what a model answered, when, and as which version.

One Parquet file holds many events; its metadata say `mlops.events.schema`. Its columns:

- `inference_id` (String): 32 hex digits; of a scoring run, a hash of the run and the key
- `key` (String): whom or what the prediction is of; null unless `telemetry.keys` allows it
- `time` (Datetime, UTC): when it was made
- `environment` (String)
- `deployment` (String): what of an endpoint served the version; null where none was asked for it
- `model_name` (String), `model_version` (Int64)
- `prediction`: Int64 0 or 1; String, the name of a class; Float64, an amount
- `probability`: Float64 of label 1; a struct of the classes' Float64; null of an amount
- `status` (Int64): 200, as an endpoint would have answered
- `feature.<name>`: what the model was given, Float32 or the String of a category; not there where
  `telemetry.features` does not allow it, and never of what is declared personal

`event_store.py` reads them beside those of requests.
Without its key an event is not anonymous: whoever can guess keys and knows the run can compute ids.
"""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from mlops.artifacts.predictions import FEATURE
from mlops.artifacts.scores import PREDICTION, PROBABILITY

SCHEMA = 1
_SCHEMA_NAME = "mlops.events.schema"
_STATUS = 200


@dataclass(frozen=True)
class Source:
    """What all events of one scoring run have in common.

    Attributes:
        run: the run's id.
        environment: whose settings were in force.
        deployment: what served the version, or None.
        model_name: the model's name.
        model_version: the number of the version.
        keys: whether events may name the key.
        features: the features that events may hold.
    """

    run: str
    environment: str
    deployment: str | None
    model_name: str
    model_version: int
    keys: bool
    features: tuple[str, ...] = ()


def inference_id(run: str, key: Any) -> str:
    """Return the id of the prediction that a run makes of a key: the same one each time."""
    return hashlib.blake2b(f"{run}|{key}".encode(), digest_size=16).hexdigest()


def events_of(
    scores: pl.DataFrame, keys: Iterable[Any], source: Source, at: datetime, table: pl.DataFrame
) -> pl.DataFrame:
    """Return an event for each prediction.

    Args:
        scores: the predictions and, of a classifier, the probabilities.
        keys: whom or what they are of, in the same order.
        source: what they have in common.
        at: when they were made, in UTC.
        table: the features, a column each.
    """
    known = list(keys)
    probability = scores[PROBABILITY] if PROBABILITY in scores.columns else None
    return pl.DataFrame(
        [
            pl.Series("inference_id", [inference_id(source.run, key) for key in known], pl.String),
            pl.Series("key", [str(key) if source.keys else None for key in known], pl.String),
            _same("time", at, pl.Datetime("us", "UTC"), len(known)),
            _same("environment", source.environment, pl.String(), len(known)),
            _same("deployment", source.deployment, pl.String(), len(known)),
            _same("model_name", source.model_name, pl.String(), len(known)),
            _same("model_version", source.model_version, pl.Int64(), len(known)),
            scores[PREDICTION],
            _same(PROBABILITY, None, pl.Float64(), len(known))
            if probability is None
            else probability,
            _same("status", _STATUS, pl.Int64(), len(known)),
            *(table[name].alias(f"{FEATURE}{name}") for name in source.features),
        ]
    )


def write_events(events: pl.DataFrame, path: Path) -> None:
    """Write events to a Parquet file, whose own time is that of the first: by it files get old."""
    events.write_parquet(path, metadata={_SCHEMA_NAME: str(SCHEMA)})
    at = events["time"][0].timestamp()
    os.utime(path, (at, at))


def schema_of(path: Path) -> str:
    """Return what is wrong with the schema that a file of events says, or nothing.

    Raises:
        OSError, PolarsError: it is no Parquet file, or cannot be read.
    """
    said = pl.read_parquet_metadata(path).get(_SCHEMA_NAME)
    return "" if said == str(SCHEMA) else f"it has schema {said}, not {SCHEMA}"


def _same(name: str, value: Any, kind: pl.DataType, rows: int) -> pl.Series:
    return pl.repeat(value, rows, dtype=kind, eager=True).alias(name)
