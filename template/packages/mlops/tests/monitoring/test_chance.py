"""What chance alone would do: exact where there is a formula, drawn where there is none."""

import numpy as np
import pytest
from scipy.stats import fisher_exact, norm

from mlops.monitoring.chance import (
    DRAWS,
    Chance,
    adjusted,
    more_than_chance,
    other_than_chance,
    tail,
)
from mlops.monitoring.distances import Cells

SHARES = [((0, 5000), (3, 500)), ((40, 800), (9, 60)), ((2000, 5000), (230, 500)), ((5, 9), (0, 4))]


@pytest.mark.parametrize(("training", "window"), SHARES)
def test_shares_are_tested_exactly(training: tuple[int, int], window: tuple[int, int]) -> None:
    (theirs, rows), (ours, size) = training, window
    table = [[ours, size - ours], [theirs, rows - theirs]]
    more = fisher_exact(table, alternative="greater").pvalue
    less = fisher_exact(table, alternative="less").pvalue
    assert more_than_chance(training, window) == pytest.approx(more, rel=1e-6)
    assert other_than_chance(training, window) == pytest.approx(min(1, 2 * min(more, less)), 1e-6)


def test_large_shares_are_no_burden() -> None:
    assert more_than_chance((0, 1_000_000), (0, 1_000_000)) == 1.0
    assert more_than_chance((1000, 1_000_000), (500_000, 1_000_000)) == 1e-300
    assert other_than_chance((300_000, 1_000_000), (300_100, 1_000_000)) > 0.5


def test_holm_shares_the_chance_of_being_wrong_out() -> None:
    assert adjusted([0.01, 0.04, 0.001], tests=3).tolist() == pytest.approx([0.02, 0.04, 0.003])
    assert adjusted([0.01, 0.012], tests=100).tolist() == pytest.approx([1.0, 1.0])
    assert adjusted([0.0001], tests=100).tolist() == pytest.approx([0.01])
    assert adjusted([], tests=100).tolist() == []


@pytest.mark.parametrize("scores", [1.0, 2.0, 3.0, 4.0, 5.0])
def test_beyond_the_draws_a_chance_is_rather_told_too_large(scores: float) -> None:
    told = [
        tail(np.abs(np.random.default_rng(seed).normal(size=DRAWS)), scores) for seed in range(20)
    ]
    true = 2 * norm.sf(scores)
    assert np.median(told) >= 0.9 * true
    assert min(told) <= 30 * max(true, 1e-5)


def test_draws_all_alike_say_nothing_of_what_is_beyond() -> None:
    assert tail(np.zeros(DRAWS), 0.5) == 1 / (DRAWS + 1)
    assert tail(np.zeros(DRAWS), 0.0) == 1.0


def test_unchanged_data_have_even_p_values() -> None:
    """Also of a small baseline, which is itself a sample."""
    shares = np.full(8, 1 / 8)
    cells = Cells(np.arange(8), np.arange(8), None)
    random, found = np.random.default_rng(1), []
    for _ in range(250):
        theirs, ours = (random.multinomial(rows, shares) / rows for rows in (300, 200))
        from_middle = (theirs + ours) / 2
        halves = [
            (each[each > 0] * np.log2(each[each > 0] / from_middle[each > 0])).sum()
            for each in (theirs, ours)
        ]
        found.append(Chance().of_distance(theirs, 300, 200, cells, np.sqrt(sum(halves) / 2)))
    assert np.mean(np.array(found) <= 0.05) == pytest.approx(0.05, abs=0.035)
    assert np.mean(found) == pytest.approx(0.5, abs=0.06)
