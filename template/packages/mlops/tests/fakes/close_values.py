"""Rows whose values are only some float32 apart, where a conversion shows what it rounds."""

import numpy as np

from mlops.arrays import Matrix

ROWS = 900


def close_values(nulls: bool = False) -> tuple[Matrix, np.ndarray]:
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
