"""The events of predictions as all that watches a model reads them, whatever the platform.

A row is one prediction, or one that failed. Both kinds are alike: what answered a request (`source`
is `request`) and what `mlops score` predicted (`score`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from mlops.features import Features

FEATURE = "feature."
"""Before the name of a feature, so that none is taken for a column of the event."""
ANSWERED = 200
"""The status of what was answered."""
REQUEST, SCORE = "request", "score"
GENERATED = "generated"
"""The source of requests that a rehearsal generates of the holdout: they say nothing of callers."""
DIRECT = "direct"
"""The source of requests that name their deployment, such as smoke tests: nobody reads these."""


@dataclass(frozen=True)
class Predictions:
    """The events of predictions of a window, whatever made them.

    Attributes:
        rows: one a prediction or failure, in no order; columns as in `event_schema`.
        dropped: how many were not written, as the servers themselves counted.
        unread: files or answers that could not be read, by name, with what is wrong.
        of_scores: those of them that are of `mlops score`, at whatever time it was.
    """

    rows: "pl.LazyFrame"
    dropped: int = 0
    unread: Mapping[str, str] = field(default_factory=dict)
    of_scores: frozenset[str] = frozenset()


def event_schema(features: "Features | None" = None) -> "dict[str, pl.DataType]":
    """Return the columns with their types.

    - `inference_id`: 32 hex digits
    - `key`: whom or what it is of; null unless `telemetry.keys` allows it
    - `time`: when it was answered, UTC
    - `source`: `request`, `score` or `generated`
    - `endpoint`, `deployment` (null where none was asked), `model_name`, `model_version`
    - `latency_ms`: of the whole request inside the server; null of `score`
    - `status`: what the server answered; `error_type`: the kind of failure, else null
    - `prediction`: 0 or 1, the name of a class, or a number, as a text; null of a failure
    - `value`: the probability of label 1, of the class that was predicted, or the number predicted
    - `probabilities`: of several classes alone, in the order of the signature
    - `row`: which row of its request it is, from 0; null of `score`. What counts requests looks at
      row 0, which each of them has, also one that failed
    - `has_features`: whether its features were kept, even if all of them are null
    - `feature.<name>`: Float64, or String of a category; a boolean is 0 or 1

    Args:
        features: the features to read; None: none.
    """
    import polars as pl

    from mlops.features import Kind

    return {
        "inference_id": pl.String(),
        "key": pl.String(),
        "time": pl.Datetime("us", "UTC"),
        "source": pl.String(),
        "endpoint": pl.String(),
        "deployment": pl.String(),
        "model_name": pl.String(),
        "model_version": pl.Int64(),
        "latency_ms": pl.Float64(),
        "status": pl.Int64(),
        "error_type": pl.String(),
        "prediction": pl.String(),
        "value": pl.Float64(),
        "probabilities": pl.List(pl.Float64()),
        "row": pl.Int64(),
        "has_features": pl.Boolean(),
        **{
            f"{FEATURE}{each.name}": pl.String() if each.kind is Kind.CATEGORY else pl.Float64()
            for each in features or ()
        },
    }
