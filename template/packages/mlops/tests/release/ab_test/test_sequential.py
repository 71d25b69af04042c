"""The test of a rate keeps its promise however often one looks, also where events are rare.

Runs are simulated through the counts of the possible blocks, which gives the same e-values as
adding block after block (see the first test) but thousands of them in a moment.
"""

import math
from math import comb

import numpy as np
import pytest

from mlops.release.ab_test.sequential import Evidence, RateTest, blocks, log_growth

ALPHA = 0.05
RUNS = 300
LOOKS = 40
MARGIN = 0.01


def outcomes(baseline: float, candidate: float, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The possible differences of a block, and their probabilities."""
    hits = np.arange(size + 1)
    weights = np.array([comb(size, k) * baseline**k * (1 - baseline) ** (size - k) for k in hits])
    differences = np.subtract.outer([0.0, 1.0], hits / size).ravel()
    return differences, np.outer([1 - candidate, candidate], weights).ravel()


def simulate(baseline: float, candidate: float, size: int, looks: int, batch: int) -> list[float]:
    """The shares of runs that promote and that reject; one looks after every batch of blocks."""
    differences, probabilities = outcomes(baseline, candidate, size)
    draws = np.random.default_rng(1).multinomial(batch, probabilities, size=(RUNS, looks))
    counts = draws.cumsum(axis=1)
    first = []
    for growth in (
        log_growth(MARGIN - differences, 1 - MARGIN),
        log_growth(differences - MARGIN, 1 + MARGIN),
    ):
        wealth = np.exp(np.minimum(counts @ growth, 700)).mean(axis=-1)
        reached = wealth >= 1 / ALPHA
        first.append(np.where(reached.any(axis=1), reached.argmax(axis=1), looks))
    promoted, rejected = first
    return [float((promoted < rejected).mean()), float((rejected < looks).mean())]


def test_counts_give_the_same_evidence_as_block_after_block() -> None:
    random = np.random.default_rng(0)
    candidate, baseline = random.random(400) < 0.1, random.random(3600) < 0.05
    differences = blocks(candidate, baseline, 9)
    test = RateTest(MARGIN)
    for part in np.array_split(differences, 23):
        test.add(part)
    values, counts = np.unique(differences, return_counts=True)
    wealth = np.exp(counts @ log_growth(MARGIN - values, 1 - MARGIN)).mean()
    assert test.evidence().worse == pytest.approx(wealth)
    assert test.evidence().blocks == 400


@pytest.mark.parametrize("size", [1, 9])
@pytest.mark.parametrize("rate", [0.001, 0.02, 0.3])
def test_a_candidate_worse_by_the_margin_is_hardly_ever_promoted(rate: float, size: int) -> None:
    promoted, _ = simulate(rate, rate + MARGIN, size, LOOKS, batch=250)
    assert promoted <= ALPHA


@pytest.mark.parametrize("size", [1, 9])
@pytest.mark.parametrize("rate", [0.001, 0.02, 0.3])
@pytest.mark.parametrize("worse_by", [0.0, MARGIN / 2, MARGIN])
def test_a_candidate_within_the_margin_is_hardly_ever_rejected(
    rate: float, size: int, worse_by: float
) -> None:
    _, rejected = simulate(rate, rate + worse_by, size, LOOKS, batch=250)
    assert rejected <= ALPHA


def test_rare_errors_and_a_small_sample_mislead_nobody() -> None:
    promoted, _ = simulate(0.001, 0.02, 9, looks=50, batch=10)
    assert promoted <= ALPHA


def test_an_equal_candidate_is_promoted_in_the_end_and_a_bad_one_rejected() -> None:
    promoted, _ = simulate(0.02, 0.02, 9, looks=100, batch=200)
    assert promoted >= 0.9
    _, rejected = simulate(0.02, 0.06, 9, looks=100, batch=200)
    assert rejected >= 0.95


def test_blocks_pair_in_order_and_drop_what_is_incomplete() -> None:
    assert blocks([1, 0, 1], [0, 1, 1, 1, 0], 2).tolist() == [0.5, -1.0]
    assert blocks([1], [], 3).tolist() == []


@pytest.mark.parametrize("margin", [0.0, 1.0, -0.1, 1.1])
def test_a_margin_lies_between_0_and_1_and_is_neither(margin: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        RateTest(margin)


def test_the_smallest_and_the_largest_margin_are_margins() -> None:
    for margin in (math.nextafter(0, 1), math.nextafter(1, 0)):
        assert RateTest(margin).margin == margin


@pytest.mark.parametrize("difference", [math.nextafter(1, 2), math.nextafter(-1, -2), 1.5])
def test_what_is_no_difference_of_rates_is_refused(difference: float) -> None:
    test = RateTest(0.1)
    test.add([-1.0, 1.0])
    with pytest.raises(ValueError, match="between -1 and 1"):
        test.add([difference])
    assert test.evidence().blocks == 2


def test_a_block_is_complete_with_its_last_answer() -> None:
    assert blocks([1, 1], [0] * 5, 3).tolist() == [1.0]
    assert blocks([1, 1], [0] * 6, 3).tolist() == [1.0, 1.0]
    assert blocks([1], [0] * 6, 3).tolist() == [1.0]


def test_each_bet_is_against_its_own_null() -> None:
    worse, better = RateTest(0.1), RateTest(0.1)
    worse.add([1.0] * 50)
    better.add([-1.0] * 50)
    assert worse.evidence().not_worse > 1 > worse.evidence().worse
    assert better.evidence().worse > 1 > better.evidence().not_worse
    before = better.evidence()
    better.restart_worse()
    assert better.evidence() == Evidence(50, 1.0, before.not_worse)


def test_a_difference_of_just_the_margin_wins_and_loses_nothing() -> None:
    test = RateTest(0.25)
    test.add([0.25] * 10)
    assert test.evidence() == Evidence(10, 1.0, 1.0)


def test_overwhelming_evidence_does_not_overflow() -> None:
    test = RateTest(0.5)
    test.add(np.full(100_000, -1.0))
    assert test.evidence().worse == float("inf")
