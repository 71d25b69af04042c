"""What a model's answers mean."""

import numpy as np
import pytest

from mlops.tasks import BINARY_TARGET


@pytest.mark.parametrize(("above", "predicted"), [(0.0, 1), (1e-12, 0)])
def test_a_probability_is_compared_in_double_precision(above: float, predicted: int) -> None:
    """In single precision, in which models answer, both thresholds would be the same."""
    answer = np.array([0.3], dtype=np.float32)
    threshold = float(answer[0]) + above
    assert np.float32(threshold) == answer[0]
    assert BINARY_TARGET.decisions(answer, threshold).tolist() == [predicted]
