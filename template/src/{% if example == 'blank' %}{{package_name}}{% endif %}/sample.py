"""Made-up raw data, with which everything can be tried before there is real data."""

from datetime import date

import polars as pl
from mlops.errors import StubNotFilled


def make_sample(size: int, seed: int, drift: float, reference_date: date) -> pl.DataFrame:
    """Return raw rows that satisfy the contract and hold something to learn.

    Args:
        size: number of keys; return fewer only if there are no more.
        seed: the same seed gives the same data.
        drift: from 0 to 1, how far the values move from what is usual.
        reference_date: the date of the newest row. Without dates, ignore it.

    Returns:
        The contract's columns. Both labels occur.

    Example:
        rng = np.random.default_rng(seed)
        age = rng.integers(0, 700, size)
        return pl.DataFrame({
            "machine_id": [f"M{i}" for i in range(size)],
            "visited_on": [reference_date - timedelta(days=int(a - age.min())) for a in age],
            "cost": rng.lognormal(4 + drift, 1, size),
        })
    """
    raise StubNotFilled("generated raw data that satisfies the contract")
