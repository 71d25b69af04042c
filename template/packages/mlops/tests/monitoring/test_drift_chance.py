"""Unchanged data hardly ever drift; the whole proof is in the template's own repository."""

import numpy as np
import pytest

from fakes.drift_data import Population
from fakes.drift_simulation import false_alarms

SEEDS = 8


@pytest.mark.parametrize(("rows", "columns"), [(20, 11), (300, 5)])
def test_unchanged_data_hardly_ever_drift(rows: int, columns: int) -> None:
    """With an alpha of 1 % two alarms of eight come once in 400 proofs."""
    assert sum(false_alarms(Population(columns), rows, range(SEEDS))) <= 1


def test_without_chance_a_small_window_would_drift_always() -> None:
    """The limits alone say nothing at this size: that is what the test above is worth."""
    alarms = false_alarms(Population(11), 50, range(4), alpha=None)
    assert np.mean(alarms) > 0.9
