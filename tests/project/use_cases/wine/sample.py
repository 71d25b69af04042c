"""The wine table that scikit-learn ships: real data, 178 rows."""

from datetime import date

import numpy as np
import polars as pl
from sklearn.datasets import load_wine

MEASURED = ["alcohol", "flavanoids", "color_intensity", "proline", "hue"]


def make_sample(size: int, seed: int, drift: float, reference_date: date) -> pl.DataFrame:
    """Return `size` rows in random order, or all 178 if more are asked for.

    With `drift`, the colour of all wines grows more intense by up to a half.
    """
    data = load_wine()
    table = pl.DataFrame(data.data, schema=list(data.feature_names)).select(
        pl.int_range(pl.len()).alias("row_id"),
        *MEASURED,
        pl.Series("grower", data.target_names[data.target], dtype=pl.String),
    )
    table = table.with_columns(pl.col("color_intensity") * (1 + 0.5 * drift))
    return table[np.random.default_rng(seed).permutation(table.height)[:size]]
