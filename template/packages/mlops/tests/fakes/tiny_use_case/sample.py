"""Machines whose readings are near 10 or near 30 raise an alarm later, those near 20 do not."""

from datetime import date, timedelta

import numpy as np
import polars as pl

from fakes.tiny_use_case.labels import ALARM, WINDOW_DAYS


def make_sample(size: int, seed: int, drift: float, reference_date: date) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    level = random.choice([10.0, 20.0, 20.0, 30.0], size) + random.normal(0, 2.5, size) + drift
    machines = [f"m{number:05}" for number in range(size)]
    alarm = np.abs(level - 20.0 - drift) > 5.0
    early = [
        pl.DataFrame(
            {
                "machine": machines,
                "day": [reference_date - timedelta(days=WINDOW_DAYS + age)] * size,
                "reading": np.abs(level + random.normal(0, 0.5, size)),
            }
        )
        for age in (0, 5, 9)
    ]
    late = pl.DataFrame(
        {
            "machine": machines,
            "day": [reference_date] * size,
            "reading": np.where(alarm, ALARM + level, level),
        }
    )
    return pl.concat([*early, late])
