"""The drift baseline: what features and predictions looked like when the model was trained."""

from typing import TYPE_CHECKING

import numpy as np

from mlops.arrays import Outputs
from mlops.features import Feature, Features, Kind
from mlops.tasks import BINARY_TARGET, Target, Task

if TYPE_CHECKING:
    import polars as pl

PREDICTION = "__prediction"
QUANTILES = 101
OTHER = "__other"
"""As this the values of a category count that have no code of their own."""


def drift_baseline(
    train: "pl.DataFrame", features: Features, outputs: Outputs, target: Target = BINARY_TARGET
) -> "pl.DataFrame":
    """Describe the training part column by column.

    Args:
        train: the training part.
        features: the feature columns to describe.
        outputs: the model's answers on it, see `Target.outputs`; described as `__prediction`: the
            probabilities of label 1, the predicted classes, or the predicted numbers.
        target: what is predicted.

    Returns:
        101 rows a column of numbers: column, quantile (0 to 1), value, rows, null_fraction. Of a
        category, and of predicted classes, a row a value: column, category, share (of the rows that
        are not null), rows, null_fraction; those without a code of their own count as `__other`.
    """
    import polars as pl

    parts = [_described(train[feature.name], feature) for feature in features]
    if target.task is Task.MULTICLASS:
        names = pl.Series(PREDICTION, [target.classes[i] for i in outputs.argmax(axis=1)])
        parts.append(_shares(names, target.classes))
    else:
        parts.append(_quantiles(pl.Series(PREDICTION, outputs)))
    return pl.concat(parts, how="diagonal")


def _described(values: "pl.Series", feature: Feature) -> "pl.DataFrame":
    if feature.kind is Kind.CATEGORY:
        return _shares(values, feature.categories)
    return _quantiles(values)


def _quantiles(values: "pl.Series") -> "pl.DataFrame":
    import polars as pl

    levels = np.linspace(0.0, 1.0, QUANTILES)
    present = values.drop_nulls().to_numpy()
    quantiles = np.quantile(present, levels) if len(present) else np.full(QUANTILES, np.nan)
    return pl.DataFrame({"quantile": levels, "value": quantiles.astype(np.float64)}).select(
        pl.lit(values.name).alias("column"), "quantile", "value", *_counts(values)
    )


def _shares(values: "pl.Series", known: tuple[str, ...]) -> "pl.DataFrame":
    import polars as pl

    counts = dict(values.drop_nulls().value_counts().iter_rows())
    total = max(sum(counts.values()), 1)
    rows = {name: counts.pop(name, 0) for name in known} | {OTHER: sum(counts.values())}
    return pl.DataFrame(
        {"category": list(rows), "share": [count / total for count in rows.values()]}
    ).select(pl.lit(values.name).alias("column"), "category", "share", *_counts(values))


def _counts(values: "pl.Series") -> "list[pl.Expr]":
    import polars as pl

    return [
        pl.lit(len(values)).alias("rows"),
        pl.lit(values.null_count() / max(len(values), 1)).alias("null_fraction"),
    ]
