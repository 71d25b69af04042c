"""Data on which boosted trees go wrong where their conversion does, and models to fit on them."""

from typing import Any

import numpy as np

from mlops.arrays import Matrix

CODES = 20
LIGHTGBM_FIXED: dict[str, Any] = {"deterministic": True, "force_row_wise": True, "verbose": -1}
"""What LightGBM has to be told, so that it fits the same model again."""


def codes_data(codes: int = CODES, rows: int = 3000) -> tuple[Matrix, np.ndarray]:
    """Whole codes of a category, each with an effect of its own, and a number."""
    random = np.random.default_rng(0)
    inputs = np.column_stack([random.integers(0, codes, rows), random.normal(size=rows)])
    effects = random.normal(size=codes)
    labels = effects[inputs[:, 0].astype(int)] + inputs[:, 1] + random.normal(0, 0.5, rows) > 0
    return inputs.astype(np.float32), labels.astype(int)
