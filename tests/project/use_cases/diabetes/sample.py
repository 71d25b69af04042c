"""The diabetes table that scikit-learn ships: real data, 442 rows."""

from datetime import date

import numpy as np
import polars as pl
from sklearn.datasets import load_diabetes


def make_sample(size: int, seed: int, drift: float, reference_date: date) -> pl.DataFrame:
    """Return `size` rows in random order, or all 442 if more are asked for.

    With `drift`, all patients weigh more by up to a third.
    """
    data = load_diabetes(scaled=False)
    table = pl.DataFrame(data.data, schema=list(data.feature_names)).select(
        pl.int_range(pl.len()).alias("row_id"),
        "age",
        (pl.col("sex") == 2).alias("female"),
        pl.col("bmi") * (1 + drift / 3),
        "bp",
        "s5",
        pl.Series("progression", data.target, dtype=pl.Float64),
    )
    return table[np.random.default_rng(seed).permutation(table.height)[:size]]
