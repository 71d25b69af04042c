"""The drift baseline: what features and predictions looked like when the model was trained."""

from typing import TYPE_CHECKING

import numpy as np

from mlops.arrays import Outputs
from mlops.features import Feature, Features, Kind
from mlops.tasks import BINARY_TARGET, Target, Task

if TYPE_CHECKING:
    import polars as pl

PREDICTION = "__prediction"
LEVELS = tuple(
    sorted({*(n / 100 for n in range(101)), *(n / 1000 for n in (1, 2, 5, 995, 998, 999))})
)
"""Of the quantiles: every hundredth, and more at both ends, where values can lie far apart."""
QUANTILES = len(LEVELS)
OTHER = "__other"
"""As this the values of a category count that have no code of their own."""
_SAME = 1e-6
"""Values this close count as one, as a part of their size and of the column's range."""


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
        107 rows a column of numbers: column, quantile (0 to 1), value, below and at_most (the exact
        shares of the present values that are less than this value, and no more than it), moment
        (what those that are no more than it add to the mean), std (the standard deviation of the
        present values), rows, null_fraction. Of a category, and of
        predicted classes, a row a value: column, category, share (of the rows that are not null),
        rows, null_fraction; those without a code of their own count as `__other`.
    """
    import polars as pl

    parts = [_described(train[feature.name], feature) for feature in features]
    if target.task is Task.MULTICLASS:
        names = pl.Series(PREDICTION, [target.classes[i] for i in outputs.argmax(axis=1)])
        parts.append(_shares(names, target.classes))
    else:
        parts.append(_quantiles(pl.Series(PREDICTION, outputs)))
    return pl.concat(parts, how="diagonal")


def neighbourhoods(values: np.ndarray, spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Return what is less than all that counts as one of these values, and what is more.

    A value is compared as float32, as the model sees it; an answer of the model may differ in its
    last digits from one machine to the next. So each value stands for what is close to it.

    Args:
        values: shape (values,).
        spread: the range in which the column's values lie, but for a hundredth at each end.

    Returns:
        The lowest and the highest value of each, float32, shape (values,).
    """
    reach = _SAME * (np.abs(values) + spread)
    return (values - reach).astype(np.float32), (values + reach).astype(np.float32)


def spread_of(values: np.ndarray, levels: np.ndarray) -> float:
    """Return the range between the quantiles of 1 and 99 %."""
    low, high = np.interp([0.01, 0.99], levels, values)
    return float(high - low)


def _described(values: "pl.Series", feature: Feature) -> "pl.DataFrame":
    if feature.kind is Kind.CATEGORY:
        return _shares(values, feature.categories)
    return _quantiles(values)


def _quantiles(values: "pl.Series") -> "pl.DataFrame":
    import polars as pl

    levels = np.array(LEVELS)
    present = np.sort(values.drop_nulls().to_numpy().astype(np.float32))
    if not len(present):
        nothing = np.full(QUANTILES, np.nan)
        quantiles, below, at_most, moment, std = (*[nothing] * 4, np.nan)
    else:
        quantiles = np.quantile(present.astype(np.float64), levels)
        low, high = neighbourhoods(quantiles, spread_of(quantiles, levels))
        below = np.searchsorted(present, low, side="left") / len(present)
        up_to = np.searchsorted(present, high, side="right")
        at_most = up_to / len(present)
        moment = np.append(0.0, present.cumsum(dtype=np.float64))[up_to] / len(present)
        std = float(present.astype(np.float64).std())
    shares = {"below": below, "at_most": at_most, "moment": moment}
    known = {"quantile": levels, "value": quantiles, **shares}
    return pl.DataFrame({name: each.astype(np.float64) for name, each in known.items()}).select(
        pl.lit(values.name).alias("column"),
        *known,
        pl.lit(std, dtype=pl.Float64).alias("std"),
        *_counts(values),
    )


def _shares(values: "pl.Series", known: tuple[str, ...]) -> "pl.DataFrame":
    import polars as pl

    counts = dict(values.drop_nulls().value_counts().iter_rows())
    total = max(sum(counts.values()), 1)
    rows = {name: counts.pop(name, 0) for name in known if name != OTHER}
    rows[OTHER] = sum(counts.values())
    return pl.DataFrame(
        {"category": list(rows), "share": [count / total for count in rows.values()]}
    ).select(pl.lit(values.name).alias("column"), "category", "share", *_counts(values))


def _counts(values: "pl.Series") -> "list[pl.Expr]":
    import polars as pl

    return [
        pl.lit(len(values)).alias("rows"),
        pl.lit(values.null_count() / max(len(values), 1)).alias("null_fraction"),
    ]
