"""The penguins of the Palmer archipelago (Horst, Hill and Gorman, 2020): real data, 344 rows."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl


def make_sample(size: int, seed: int, drift: float, reference_date: date) -> pl.DataFrame:
    """Return `size` rows in random order, or all 344 if more are asked for.

    With `drift`, all penguins weigh more by up to a half.
    """
    data = pl.read_csv(Path(__file__).with_name("penguins.csv"), null_values="NA")
    table = data.select(
        pl.int_range(pl.len()).alias("row_id"),
        "island",
        "sex",
        pl.col("bill_length_mm").cast(pl.Float64),
        pl.col("body_mass_g").cast(pl.Float64) * (1 + drift / 2),
        "species",
    )
    return table[np.random.default_rng(seed).permutation(table.height)[:size]]
