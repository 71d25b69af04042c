"""The drift baseline: what features and predictions looked like when the model was trained."""

from typing import TYPE_CHECKING

import numpy as np

from mlops.arrays import Probabilities

if TYPE_CHECKING:
    import polars as pl

PREDICTION = "__prediction"
QUANTILES = 101


def drift_baseline(
    train: "pl.DataFrame", features: list[str], probabilities: Probabilities
) -> "pl.DataFrame":
    """Describe the training part column by column.

    Args:
        train: the training part.
        features: the feature columns to describe.
        probabilities: the model's predictions on it, shape (rows,); described as `__prediction`.

    Returns:
        101 rows a column: column, quantile (0 to 1), value, rows, null_fraction.
    """
    import polars as pl

    levels = np.linspace(0.0, 1.0, QUANTILES)
    parts = []
    for name in [*features, PREDICTION]:
        values = pl.Series(probabilities) if name == PREDICTION else train[name]
        present = values.drop_nulls().to_numpy()
        quantiles = np.quantile(present, levels) if len(present) else np.full(QUANTILES, np.nan)
        parts.append(
            pl.DataFrame({"quantile": levels, "value": quantiles.astype(np.float64)}).select(
                pl.lit(name).alias("column"),
                "quantile",
                "value",
                pl.lit(len(values)).alias("rows"),
                pl.lit(values.null_count() / max(len(values), 1)).alias("null_fraction"),
            )
        )
    return pl.concat(parts)
