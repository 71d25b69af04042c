"""Events of predictions, and versions of each task that have nothing but what feedback reads."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from mlops.artifacts.documents import CARD, LINEAGE, SIGNATURE
from mlops.artifacts.predictions import FEATURE, REQUEST, Predictions, event_schema
from mlops.artifacts.version_folder import ONNX
from mlops.features import Feature, Features, Kind
from mlops.files import file_hashes
from mlops.tasks import Target, Task

NOW = datetime(2024, 6, 30, 12, tzinfo=UTC)
FEATURES = Features(
    (Feature("a", has_nulls=True, example=1.0), Feature("c", True, "x", kind=Kind.CATEGORY))
)
CLASSES = ("blue", "green", "red")
TARGETS = {
    Task.BINARY: Target(),
    Task.MULTICLASS: Target(Task.MULTICLASS, CLASSES),
    Task.REGRESSION: Target(Task.REGRESSION, scale=10.0),
}


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def events(
    outputs: Sequence[Any],
    times: Sequence[datetime],
    target: Target = TARGETS[Task.BINARY],
    keys: Sequence[str | None] | None = None,
    ids: Sequence[str] | None = None,
    version: int | None = 9,
    source: str = REQUEST,
    features: Mapping[str, Sequence[Any]] | None = None,
    status: int = 200,
) -> pl.DataFrame:
    """Return answers of one version; ids are `0`, `1` … unless they are given."""
    count = len(outputs)
    values = np.asarray(outputs, dtype=float)
    several = target.task is Task.MULTICLASS
    decided = target.decisions(values, 0.5)
    said = [target.classes[int(i)] for i in decided] if several else decided
    columns: dict[str, Any] = {
        "inference_id": ids if ids is not None else [str(n) for n in range(count)],
        "key": keys if keys is not None else [None] * count,
        "time": times,
        "source": [source] * count,
        "endpoint": ["tiny-dev"] * count,
        "deployment": ["blue"] * count,
        "model_name": ["tiny"] * count,
        "model_version": [version] * count,
        "row": [0 if source == REQUEST else None] * count,
        "has_features": [features is not None] * count,
        "latency_ms": [5.0] * count,
        "status": [status] * count,
        "error_type": [None] * count,
        "prediction": [str(each) if status == 200 else None for each in said],
        "value": values.max(axis=1) if several else values,
        "probabilities": values.tolist() if several else [None] * count,
        **{f"{FEATURE}{name}": column for name, column in (features or {}).items()},
    }
    schema = event_schema(FEATURES)
    empty = {name: [None] * count for name in schema if name not in columns}
    return pl.DataFrame({**columns, **empty}, schema_overrides=schema).select(list(schema))


def predictions(*frames: pl.DataFrame, **others: Any) -> Predictions:
    return Predictions(pl.concat(frames).lazy(), **others)


def write_bare_version(
    folder: Path, target: Target, number: int = 9, holdout: Mapping[str, float] | None = None
) -> Path:
    """Fill `folder` with a version that nobody asks: signature, lineage and card."""
    folder.mkdir(parents=True)
    (folder / ONNX).write_bytes(b"nobody asks it")
    signature = {
        "model_name": "tiny",
        "model_version": number,
        **target.to_dict(),
        "decision_threshold": 0.5,
        "features": [{**each, "nullable": True} for each in FEATURES.to_list()],
    }
    SIGNATURE.write(folder, signature)
    lineage: dict[str, Any] = {
        "model": {"name": "tiny", "version": number},
        "git": {"commit": "0123456789abcdef", "dirty": False},
        "data": {},
        "files": file_hashes(folder),
    }
    LINEAGE.write(folder, lineage)
    CARD.write(folder, {"evaluation": {"model": dict(holdout or {})}})
    return folder
