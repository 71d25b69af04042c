"""The A/B decision of a generated project keeps its promise: by simulation, and cross-checked.

`sequential.py` of the template is loaded as it stands. Thousands of runs are simulated through the
counts of the possible blocks. What it is compared with: a z-test that is looked at after every
batch, and the package `ville`, an independent implementation of betting e-processes.
"""

import importlib.util
import sys
from dataclasses import dataclass
from itertools import pairwise
from math import comb
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from ville import BettingTest
from ville.evalues import combine

from tools.worktree import ROOT

RUNS = 2000
ALPHA = 0.05
METRICS = 2
NEVER = 1 << 30
SAMPLING_ERROR = 3 * (ALPHA * (1 - ALPHA) / RUNS) ** 0.5


def load_sequential() -> ModuleType:
    path = ROOT / "template/src/{{package_name}}/release/sequential.py"
    spec = importlib.util.spec_from_file_location("sequential_of_the_template", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


sequential = load_sequential()


@dataclass(frozen=True)
class Case:
    """Rates of both deployments, the margin, and how often one looks at how many new blocks."""

    baseline: float
    candidate: float
    margin: float = 0.01
    size: int = 9
    looks: int = 100
    batch: int = 200
    minimum: int = 200


@dataclass(frozen=True)
class Outcome:
    """Shares of the runs, and the candidate's requests in the median run that decided."""

    promoted: float
    rejected: float
    median: float

    @property
    def held(self) -> float:
        return 1 - self.promoted - self.rejected


def simulate(case: Case, seed: int = 0) -> Outcome:
    """Decide as the generated project does, for one metric out of two."""
    hits = np.arange(case.size + 1)
    differences = np.subtract.outer([0.0, 1.0], hits / case.size).ravel()
    q = case.baseline
    mass = [comb(case.size, k) * q**k * (1 - q) ** (case.size - k) for k in hits]
    probabilities = np.outer([1 - case.candidate, case.candidate], mass).ravel()
    counts = drawn(probabilities, case, seed)
    margin = case.margin
    promote = wealth(counts, sequential.log_growth(margin - differences, 1 - margin)) >= 1 / ALPHA
    reject = wealth(counts, sequential.log_growth(differences, 1.0)) >= METRICS / ALPHA
    enough = np.arange(1, case.looks + 1) * case.batch >= case.minimum
    return settled(case, promote & enough, reject)


def naive(case: Case, seed: int = 0) -> Outcome:
    """A z-test of the same two hypotheses, looked at after every batch."""
    random = np.random.default_rng(seed)
    shape = (RUNS, case.looks)
    ours = random.binomial(case.batch, case.candidate, shape).cumsum(axis=1)
    theirs = random.binomial(case.batch * case.size, case.baseline, shape).cumsum(axis=1)
    n = np.arange(1, case.looks + 1) * case.batch
    p, q = ours / n, theirs / (n * case.size)
    spread = np.sqrt(p * (1 - p) / n + q * (1 - q) / (n * case.size))
    # without any event there is no spread, and the z-test is certain of what it says
    with np.errstate(divide="ignore", invalid="ignore"):
        promote = np.nan_to_num((case.margin - (p - q)) / spread, nan=np.inf) > 1.645
        reject = (p - q) / spread > 1.645
    enough = n >= case.minimum
    return settled(case, promote & enough, reject & enough)


def drawn(probabilities: Any, case: Case, seed: int) -> Any:
    random = np.random.default_rng(seed)
    return random.multinomial(case.batch, probabilities, size=(RUNS, case.looks)).cumsum(axis=1)


def wealth(counts: Any, growth: Any) -> Any:
    return np.exp(np.minimum(counts @ growth, 700)).mean(axis=-1)


def settled(case: Case, promote: Any, reject: Any) -> Outcome:
    first = [np.where(hit.any(axis=1), hit.argmax(axis=1), NEVER) for hit in (promote, reject)]
    promoted, rejected = first[0] < first[1], first[1] <= first[0]
    decided = np.minimum(*first)
    rejected &= decided < NEVER
    known = decided[decided < NEVER]
    median = float(np.median((known + 1) * case.batch)) if len(known) else float("nan")
    return Outcome(float(promoted.mean()), float(rejected.mean()), median)


WORSE_BY_THE_MARGIN = [
    Case(0.02, 0.03),
    Case(0.02, 0.03, size=1),
    Case(0.001, 0.011),
    Case(0.0, 0.01),
    Case(0.2, 0.21),
    Case(0.02, 0.03, batch=20, minimum=20),
]
EQUAL = [
    Case(0.02, 0.02),
    Case(0.02, 0.02, size=1),
    Case(0.001, 0.001),
    Case(0.2, 0.2),
    Case(0.02, 0.02, batch=20, minimum=20),
]


@pytest.mark.parametrize("case", WORSE_BY_THE_MARGIN, ids=repr)
def test_a_worse_model_is_promoted_in_at_most_5_percent(case: Case) -> None:
    assert simulate(case).promoted <= ALPHA


@pytest.mark.parametrize("case", EQUAL, ids=repr)
def test_an_equal_model_is_rejected_in_at_most_5_percent(case: Case) -> None:
    # of two metrics, each may take half
    assert simulate(case).rejected <= ALPHA / METRICS + SAMPLING_ERROR


@pytest.mark.parametrize("minimum", [10, 50, 100])
@pytest.mark.parametrize("size", [1, 9])
def test_rare_errors_and_a_small_minimum_sample_are_no_loophole(minimum: int, size: int) -> None:
    case = Case(0.001, 0.02, size=size, looks=100, batch=10, minimum=minimum)
    assert simulate(case).promoted <= ALPHA
    assert naive(case).promoted > 0.1


@pytest.mark.parametrize("case", [EQUAL[0], EQUAL[2]], ids=repr)
def test_an_equal_model_is_promoted_in_the_end_and_not_held_for_ever(case: Case) -> None:
    outcome = simulate(case)
    assert outcome.promoted >= 0.95
    assert outcome.held <= 0.02
    assert outcome.median <= 5000


def test_a_bad_model_is_rejected_soon() -> None:
    outcome = simulate(Case(0.02, 0.06))
    assert outcome.rejected >= 0.99
    assert outcome.median <= 1000


def test_a_z_test_that_is_looked_at_again_and_again_shows_why() -> None:
    assert naive(WORSE_BY_THE_MARGIN[0]).promoted > 2 * ALPHA
    assert naive(EQUAL[0]).rejected > ALPHA + SAMPLING_ERROR
    # ... and with a single look it would have been fine
    once = Case(0.02, 0.03, looks=1, batch=20_000)
    assert naive(once).promoted <= ALPHA + SAMPLING_ERROR


@pytest.mark.parametrize(("baseline", "candidate"), [(0.02, 0.02), (0.001, 0.02), (0.3, 0.25)])
def test_the_evidence_is_that_of_an_independent_implementation(
    baseline: float, candidate: float
) -> None:
    """With a tiny `alpha`, `ville`'s stake is always at its bound `c`, which makes it constant."""
    random = np.random.default_rng(5)
    margin, size, n = 0.01, 9, 1500
    ours, theirs = random.random(n) < candidate, random.random(n * size) < baseline
    differences = sequential.blocks(ours, theirs, size)
    test = sequential.RateTest(margin)
    for start, end in pairwise([0, 1, 100, 101, 900, n]):
        test.add(differences[start:end])

    def by_ville(mean: float, largest_loss: float, alternative: str) -> float:
        stakes = np.geomspace(0.002, 0.95 / largest_loss, sequential.STAKES)
        tests = [
            BettingTest(
                mean, (-1.0, 1.0), alternative, alpha=1e-300, c=float(stake * largest_loss)
            ).fit(differences)
            for stake in stakes
        ]
        return float(combine(np.array([each.e_values_[-1] for each in tests])))

    found = test.evidence()
    assert found.worse == pytest.approx(by_ville(margin, 1 - margin, "less"), rel=1e-9)
    assert found.not_worse == pytest.approx(by_ville(0.0, 1.0, "greater"), rel=1e-9)


def test_another_betting_test_decides_alike() -> None:
    """`ville` bets with stakes that it adapts; on clear cases both say the same."""
    random = np.random.default_rng(6)
    for rate, promoted in ((0.02, True), (0.06, False)):
        for _ in range(10):
            differences = sequential.blocks(
                random.random(20_000) < rate, random.random(180_000) < 0.02, 9
            )
            test = sequential.RateTest(0.01)
            test.add(differences)
            theirs = BettingTest(0.01, (-1.0, 1.0), "less", alpha=ALPHA).fit(differences)
            assert (test.evidence().worse >= 1 / ALPHA) == promoted
            assert theirs.rejected_ == promoted
