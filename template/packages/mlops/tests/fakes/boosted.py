"""Data on which boosted trees go wrong where their conversion does, and models to fit on them."""

from typing import Any

import numpy as np

from mlops.arrays import Matrix

ROWS = 900
CODES = 20
LIGHTGBM_FIXED: dict[str, Any] = {"deterministic": True, "force_row_wise": True, "verbose": -1}
"""What LightGBM has to be told, so that it fits the same model again."""


def numbers_data(nulls: bool = False) -> tuple[Matrix, np.ndarray]:
    """Amounts near 100,000 with cents, Unix seconds and counters above 2^24: few float32 apart."""
    random = np.random.default_rng(0)
    inputs = np.column_stack(
        [
            100_000 + random.integers(0, 200, ROWS) / 100,
            1.7e9 + random.integers(0, 20_000, ROWS),
            2.0**24 + random.integers(0, 400, ROWS),
        ]
    ).astype(np.float32)
    exact = inputs.astype(float)
    odd = (exact[:, 0] // 0.5 + exact[:, 1] // 4096 + exact[:, 2] // 100) % 2
    labels = (odd > 0) ^ (random.random(ROWS) < 0.1)
    if nulls:
        inputs[random.random(inputs.shape) < 0.05] = np.nan
    return inputs, labels.astype(int)


def codes_data(codes: int = CODES, rows: int = 3000) -> tuple[Matrix, np.ndarray]:
    """Whole codes of a category, each with an effect of its own, and a number."""
    random = np.random.default_rng(0)
    inputs = np.column_stack([random.integers(0, codes, rows), random.normal(size=rows)])
    effects = random.normal(size=codes)
    labels = effects[inputs[:, 0].astype(int)] + inputs[:, 1] + random.normal(0, 0.5, rows) > 0
    return inputs.astype(np.float32), labels.astype(int)
