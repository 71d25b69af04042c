"""Raw rows and registered versions of the typed use case, one of each task."""

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import polars as pl
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from fakes.project import TODAY
from mlops.artifacts.documents import LINEAGE, PROBES, SIGNATURE
from mlops.artifacts.prepared import Prepared
from mlops.artifacts.version_folder import ONNX
from mlops.features import Features
from mlops.files import file_hashes
from mlops.settings.training import TrainingSettings
from mlops.steps.fit import fit_model
from mlops.steps.onnx_model import answers, convert, open_session
from mlops.steps.register import build_probes, build_signature
from mlops.steps.typed_table import check_features, describe_features, feature_kinds
from mlops.tasks import Target, Task

NAMES = ["red", "Zürich", "grün", "a b", "rare"]
TARGETS = {
    Task.BINARY: Target(Task.BINARY),
    Task.MULTICLASS: Target(Task.MULTICLASS, ("", "grün", "mid dle")),
    Task.REGRESSION: Target(Task.REGRESSION, scale=50.0),
}


def raw_rows(shops: int, seed: int = 1, new: tuple[str, ...] = ()) -> pl.DataFrame:
    """Return three days of each shop, with nulls; the names `new` are colours, too."""
    random = np.random.default_rng(seed)
    count = 3 * shops
    names = np.array([*NAMES, *new])
    amounts = np.round(random.gamma(2, 40, count), 2)
    return pl.DataFrame(
        {
            "shop": [f"s{n // 3:06}" for n in range(count)],
            "day": [TODAY - timedelta(days=n % 3) for n in range(count)],
            "amount": [None if random.random() < 0.1 else float(x) for x in amounts],
            "visits": random.integers(0, 20, count),
            "open": [None if x == 2 else bool(x) for x in random.integers(0, 3, count)],
            "colour": [
                None if random.random() < 0.25 else str(x) for x in random.choice(names, count)
            ],
        },
        schema_overrides={"amount": pl.Float64, "open": pl.Boolean, "colour": pl.String},
    )


def feature_rows(raw: pl.DataFrame) -> pl.DataFrame:
    """Return what features.py of the typed use case returns, computed another way."""
    newest = raw.sort("shop", "day", descending=[False, True])
    return newest.group_by("shop", maintain_order=True).agg(
        pl.when(pl.col("amount").count() > 0).then(pl.col("amount").sum()).first().alias("amount"),
        pl.col("visits").sum(),
        pl.col("open").first(),
        pl.col("colour").first(),
    )


def write_typed_version(folder: Path, task: Task, number: int = 1, threshold: float = 0.4) -> Path:
    """Fill `folder` with what serving and scoring need of a version; return it."""
    table = check_features(feature_rows(raw_rows(600)), "shop")
    kinds = feature_kinds(feature_rows(raw_rows(3)), ("shop",))
    features = describe_features(table, table, kinds, (), TrainingSettings(min_category_rows=5))
    target = TARGETS[task]
    inputs = features.matrix(table)
    model = fit_model(_model(task, features), inputs, _labels(table, task), target)
    onnx = convert(model, len(features), target)
    folder.mkdir(parents=True)
    (folder / ONNX).write_bytes(onnx)
    prepared = cast(Prepared, SimpleNamespace(target=target, features=features))
    SIGNATURE.write(
        folder, build_signature("tiny", number, threshold, prepared, set(features.names))
    )
    probes = build_probes(
        inputs[:20], answers(open_session(onnx), inputs[:20], target), 1e-5, target
    )
    PROBES.write(folder, probes)
    lineage: dict[str, Any] = {
        "model": {"name": "tiny", "version": number},
        "git": {"commit": "0123456789abcdef", "dirty": False},
        "data": {},
        "files": file_hashes(folder),
    }
    LINEAGE.write(folder, lineage)
    return folder


def _model(task: Task, features: Features) -> Any:
    encoder = OneHotEncoder(
        categories=features.category_codes, handle_unknown="ignore", sparse_output=False
    )
    columns = ColumnTransformer(
        [("category", encoder, features.categories)], remainder="passthrough"
    )
    kind = (
        HistGradientBoostingRegressor if task is Task.REGRESSION else HistGradientBoostingClassifier
    )
    return make_pipeline(columns, kind(max_iter=20, random_state=0))


def _labels(table: pl.DataFrame, task: Task) -> Any:
    random = np.random.default_rng(5)
    level = table["amount"].fill_null(60).to_numpy() + 100 * (table["colour"] == "red").fill_null(
        value=False
    ).to_numpy().astype(float)
    level = level + random.normal(0, 10, len(level))
    if task is Task.REGRESSION:
        return level
    edges = [130.0] if task is Task.BINARY else [100.0, 160.0]
    return np.digitize(level, edges)
