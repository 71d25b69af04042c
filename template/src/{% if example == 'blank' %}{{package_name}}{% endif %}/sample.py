"""Made-up raw data, with which everything can be tried before there is real data.

Fill this right after the contract: the tests of all other files need rows.
"""

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
        The contract's columns. What `labels.py` makes of them differs from key to key.

    Example:
        from datetime import timedelta

        import numpy as np

        rng = np.random.default_rng(seed)
        wear = rng.gamma(shape=1, scale=4, size=size)  # of each machine
        machine = np.repeat(np.arange(size), 1 + rng.poisson(wear))
        site = rng.choice(["Lyon", "Oslo", "Riga"], size)
        age = rng.integers(0, 365, machine.size)
        return pl.DataFrame({
            "machine_id": [f"M{number}" for number in machine],
            "visited_on": [reference_date - timedelta(days=int(a - age.min())) for a in age],
            "cost": rng.lognormal(4 + drift, 0.5, machine.size) * (1 + wear[machine] / 4),
            "site": site[machine],
        })
    """
    raise StubNotFilled("generated raw data that satisfies the contract")
