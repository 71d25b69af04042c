"""The A/B decision keeps its promise: by simulation, and cross-checked.

The machinery's own code decides: `run_ab_test` with both phases, on a simulated clock and an
endpoint whose requests overlap, end out of order and sometimes hang. What it is compared with: a
z-test that is looked at after every batch in the same simulation, and the package `ville`, an
independent implementation of betting e-processes.
"""

import functools
import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from statistics import median
from typing import Any

import numpy as np
import pytest
from mlops.clock import system_clock
from mlops.platforms.azure.observations import status_of
from mlops.platforms.base import Deployment, Observation
from mlops.platforms.local.mirror import MAX_COPIES_IN_FLIGHT
from mlops.platforms.local.observations import ObservationLog
from mlops.release.ab_test import run
from mlops.release.ab_test.comparison import Comparison
from mlops.release.ab_test.decision import Decision
from mlops.release.ab_test.looks import RATES
from mlops.release.ab_test.sequential import STAKES, RateTest, blocks
from mlops.settings.sections import AbTestSettings
from ville import BettingTest
from ville.evalues import combine

QUICK_RUNS, RUNS = 100, 1000
ALPHA = 0.05
TIMEOUT_SECONDS = 30.0
PATIENCE_SECONDS = 2.0


@dataclass(frozen=True)
class Behaviour:
    """Which shares of its requests a deployment fails at once, answers late, or never answers."""

    errors: float = 0.0
    slow: float = 0.0
    hangs: float = 0.0


@dataclass(frozen=True)
class Case:
    """Two deployments, the traffic and the settings of the test."""

    baseline: Behaviour
    candidate: Behaviour
    per_second: int = 200
    seconds: float = 120.0
    failure: int = 500
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def test_settings(self) -> Any:
        chosen = {"margins": {"errors": 0.02}, "batch_seconds": 2.0, **self.settings}
        return AbTestSettings(duration_seconds=self.seconds, **chosen)


COPY = 2
KINDS = [("blue", False), ("green", False), ("green", True)]
HANGING, FAILED, LATE, GOOD = range(4)
ENDS = [(0, PATIENCE_SECONDS), (500, 0.03), (200, 0.5), (200, 0.03)]


@functools.cache
def observations_of(failure: int) -> Any:
    """Return what is observed, by kind and end of a request, where a failed one has this status."""
    ends = [(failure if status == 500 else status, seconds) for status, seconds in ENDS]
    return np.array(
        [
            [Observation(0, name, *end, mirrored=mirrored) for end in ends]
            for name, mirrored in KINDS
        ],
        dtype=object,
    )


OBSERVATIONS = observations_of(500)


@dataclass(frozen=True)
class Requests:
    """Arrays over requests in the order in which they began, `kinds` and `ends` as numbers."""

    began: Any
    kinds: Any
    ends: Any
    latencies: Any

    def only(self, which: Any) -> "Requests":
        return Requests(
            self.began[which], self.kinds[which], self.ends[which], self.latencies[which]
        )

    def and_then(self, later: "Requests") -> "Requests":
        pairs = zip(vars(self).values(), vars(later).values(), strict=True)
        return Requests(*(np.concatenate(pair) for pair in pairs))


class SimulatedEndpoint:
    """An endpoint on a clock of its own: `sleep` lets requests come and go.

    It tells of requests as the router's log does (a test holds them in step), but draws and orders
    them in bulk.
    """

    name = "simulated"

    def __init__(self, case: Case, seed: int) -> None:
        self.now = 0.0
        self._case = case
        self._random = np.random.default_rng(seed)
        self._shares, self._mirror = {"blue": 100, "green": 0}, dict[str, int]()
        self._copies_end: list[float] = []
        none = np.empty(0, dtype=int)
        self._untold = Requests(np.empty(0), none, none, np.empty(0))

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        began, kinds = self._drawn_requests(seconds)
        ends = self._drawn_ends(kinds)
        latencies = self._drawn_latencies(ends)
        drawn = Requests(began, kinds, ends, latencies)
        self._untold = self._untold.and_then(drawn.only(self._sent(drawn)))
        self.now += seconds

    def observations(self, _after: int = 0, patience_seconds: float = np.inf) -> Sequence[Any]:
        known_at = self._untold.began + np.minimum(self._untold.latencies, patience_seconds)
        count = np.searchsorted(np.maximum.accumulate(known_at), self.now, side="right")
        told, self._untold = self._untold.only(slice(count)), self._untold.only(slice(count, None))
        observations = observations_of(self._case.failure)
        found: Sequence[Any] = observations[told.kinds, told.ends].tolist()
        return found

    def await_observation(self, _deployment: str, _report: Any) -> None:
        pass

    def traffic(self) -> dict[str, int]:
        return dict(self._shares)

    def set_traffic(self, traffic: Mapping[str, int]) -> None:
        self._shares = dict(traffic)

    def mirror(self) -> dict[str, int]:
        return dict(self._mirror)

    def set_mirror(self, deployment: str | None, percent: int = 0) -> None:
        self._mirror = {deployment: percent} if deployment else {}

    def deployments(self) -> list[Any]:
        return [Deployment(name, 1, "", "", healthy=True) for name in self._shares]

    def _drawn_requests(self, seconds: float) -> tuple[Any, Any]:
        count = round(seconds * self._case.per_second)
        began = self.now + (np.arange(count) + 0.5) / self._case.per_second
        kinds = (self._random.random(count) * 100 < self._shares["green"]).astype(int)
        percent = self._mirror.get("green", 0)
        if not percent:
            return began, kinds
        copied = self._random.random(count) * 100 < percent
        began = np.concatenate([began, began[copied] + 1e-6])
        kinds = np.concatenate([kinds, np.full(copied.sum(), COPY)])
        order = np.argsort(began)
        return began[order], kinds[order]

    def _drawn_ends(self, kinds: Any) -> Any:
        blue, green = self._case.baseline, self._case.candidate
        limits = np.array([[b.hangs, b.errors, b.slow] for b in (blue, green, green)]).cumsum(1)
        drawn = self._random.random(len(kinds))
        return (drawn[:, np.newaxis] >= limits[kinds]).sum(axis=1)

    def _drawn_latencies(self, ends: Any) -> Any:
        latencies = np.minimum(self._random.lognormal(np.log(0.03), 0.6, len(ends)), 0.19)
        late = ends == LATE
        latencies[late] = self._random.uniform(0.25, 1.5, late.sum())
        latencies[ends == HANGING] = TIMEOUT_SECONDS
        return latencies

    def _sent(self, drawn: Requests) -> Any:
        """Which requests are sent: all of callers, and the copies that there is room for."""
        sent = np.ones(len(drawn.began), dtype=bool)
        for n in np.flatnonzero(drawn.kinds == COPY):
            began = drawn.began[n]
            self._copies_end = [end for end in self._copies_end if end > began]
            sent[n] = len(self._copies_end) < MAX_COPIES_IN_FLIGHT
            if sent[n]:
                self._copies_end.append(began + drawn.latencies[n])
        return sent


class RoutersEndpoint(SimulatedEndpoint):
    """Tells what the router's own log tells of the same requests."""

    def __init__(self, case: Case, seed: int) -> None:
        super().__init__(case, seed)
        self._moment = 0.0
        self._log = ObservationLog(system_clock(), clock=lambda: self._moment)
        self._to_end: list[tuple[float, int, Any, int]] = []

    def sleep(self, seconds: float) -> None:
        known = len(self._untold.began)
        super().sleep(seconds)
        new = self._untold.only(slice(known, None))
        for began, kind, end, latency in zip(*vars(new).values(), strict=True):
            self._end_until(began)
            self._moment = began
            name, mirrored = KINDS[kind]
            request = self._log.begin(name, mirrored=mirrored)
            status = ENDS[end][0] or 504
            heapq.heappush(self._to_end, (began + latency, request.sequence, request, status))
        self._end_until(self.now)

    def observations(self, after: int = 0, patience_seconds: float = np.inf) -> Sequence[Any]:
        super().observations(after, patience_seconds)
        self._moment = self.now
        found: Sequence[Any] = self._log.after(after, patience_seconds, limit=1 << 30)
        return found

    def _end_until(self, moment: float) -> None:
        while self._to_end and self._to_end[0][0] <= moment:
            self._moment, _, request, status = heapq.heappop(self._to_end)
            self._log.end(request, status)


class HastyEndpoint(SimulatedEndpoint):
    """Tells of a request as soon as it has ended, and until then nothing."""

    def observations(self, _after: int = 0, patience_seconds: float = np.inf) -> Sequence[Any]:
        if not patience_seconds:
            return super().observations(patience_seconds=0)
        ended = self._untold.began + self._untold.latencies <= self.now
        told, self._untold = self._untold.only(ended), self._untold.only(~ended)
        found: Sequence[Any] = OBSERVATIONS[told.kinds, told.ends].tolist()
        return found


@dataclass(frozen=True)
class Outcome:
    """Shares of the runs, and the median seconds of those that decided."""

    promoted: float
    rejected: float
    seconds: float

    @property
    def held(self) -> float:
        return 1 - self.promoted - self.rejected


def run_once(case: Case, seed: int, kind: type[SimulatedEndpoint] = SimulatedEndpoint) -> Any:
    endpoint = kind(case, seed)
    simulated: Any = endpoint
    return run.run_ab_test(simulated, "blue", "green", case.test_settings, clock=endpoint)


@pytest.fixture(params=[QUICK_RUNS, pytest.param(RUNS, marks=pytest.mark.slow)])
def runs(request: pytest.FixtureRequest) -> int:
    """How often a simulation is run: the whole proof takes minutes."""
    return int(request.param)


def simulate(case: Case, runs: int, kind: type[SimulatedEndpoint] = SimulatedEndpoint) -> Outcome:
    """Run the A/B test so many times."""
    results = [run_once(case, seed, kind) for seed in range(runs)]
    decided = [each.looks[-1].seconds for each in results if each.decision != "hold"]
    decisions = [each.decision for each in results]
    found = Outcome(
        decisions.count("promote") / runs,
        decisions.count("reject") / runs,
        median(decided) if decided else float("nan"),
    )
    print(found)  # shown by pytest --capture=no, and where a test fails
    return found


class Naive(Comparison):
    """Asks a z-test after every batch, with the same margins and the same minimum."""

    def decide(self) -> Decision | None:
        look, margins = self.look(0), self.settings.margins
        ours, theirs = look.compared, look.baseline
        if look.phase == "mirror" or ours.requests < self.settings.min_requests:
            return None
        scores = [z_score(ours, theirs, metric, getattr(margins, metric)) for metric in RATES]
        if max(scores) > 1.96:
            return "reject"
        return "promote" if max(scores) < -1.645 else None


def z_score(ours: Any, theirs: Any, metric: str, margin: float) -> float:
    p, q = ours.rate(metric), theirs.rate(metric)
    spread = (p * (1 - p) / ours.requests + q * (1 - q) / theirs.requests) ** 0.5
    # without any event there is no spread, and the z-test is certain of what it says
    return float((p - q - margin) / spread) if spread else -np.inf


@pytest.fixture
def z_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "Comparison", Naive)


def equal(seconds: float, margin: float = 0.02, **rates: float) -> Case:
    settings = {"margins": {"errors": margin}}
    return Case(Behaviour(**rates), Behaviour(**rates), seconds=seconds, settings=settings)


HALF = {"share_percent": 50, "mirror_percent": 50}
EQUAL = equal(120, errors=0.02, slow=0.01)
WORSE = replace(EQUAL, candidate=Behaviour(errors=0.0405, slow=0.01), seconds=60)
AT_THE_MARGIN = replace(
    EQUAL,
    candidate=Behaviour(errors=0.04, slow=0.01),
    seconds=30,
    settings={**HALF, "min_requests": 50, "batch_seconds": 1.0},
)
RARE = Case(
    Behaviour(errors=0.001),
    Behaviour(errors=0.02),
    per_second=20,
    seconds=60,
    settings={
        **HALF,
        "margins": {"errors": 0.01},
        "min_requests": 10,
        "mirror_requests": 20,
        "batch_seconds": 1.0,
    },
)
HANGING_CASE = Case(
    Behaviour(),
    Behaviour(hangs=0.02),
    per_second=150,
    seconds=60,
    settings={**HALF, "margins": {"errors": 0.01}},
)


@pytest.mark.parametrize(
    "case",
    [
        WORSE,
        replace(WORSE, settings={"mirror_percent": 0, "share_percent": 50}, seconds=30),
        Case(Behaviour(slow=0.05), Behaviour(slow=0.101), seconds=30, settings=HALF),
        RARE,
    ],
    ids=["errors", "half-the-traffic", "slow", "rare-errors-small-sample"],
)
def test_a_model_worse_by_more_than_the_margin_is_promoted_in_at_most_5_percent(
    case: Case, runs: int
) -> None:
    assert simulate(case, runs).promoted <= ALPHA


@pytest.mark.parametrize("hangs", [0.02, 0.05, 0.10])
def test_a_model_that_hangs_is_promoted_in_at_most_5_percent(hangs: float, runs: int) -> None:
    found = simulate(replace(HANGING_CASE, candidate=Behaviour(hangs=hangs)), runs)
    assert found.promoted <= ALPHA
    assert found.rejected >= 0.95


@pytest.mark.parametrize(
    "case",
    [EQUAL, equal(120, 0.01, errors=0.001), equal(120, errors=0.005, slow=0.02, hangs=0.005)],
    ids=["two-percent", "rare", "hanging"],
)
def test_an_equal_model_is_hardly_ever_rejected_and_promoted_in_the_end(
    case: Case, runs: int
) -> None:
    found = simulate(case, runs)
    assert found.rejected <= ALPHA
    assert found.promoted >= 0.95


def test_a_model_right_at_the_margin_is_hardly_ever_promoted_nor_rejected(runs: int) -> None:
    found = simulate(AT_THE_MARGIN, runs)
    assert found.promoted <= ALPHA
    assert found.rejected <= ALPHA


def test_a_model_within_the_margin_is_hardly_ever_rejected(runs: int) -> None:
    settings = {**HALF, "margins": {"errors": 0.01}}
    case = Case(Behaviour(errors=0.005), Behaviour(errors=0.01), seconds=30, settings=settings)
    assert simulate(case, runs).rejected <= ALPHA


def test_a_bad_model_is_rejected_soon(runs: int) -> None:
    found = simulate(replace(WORSE, candidate=Behaviour(errors=0.1, slow=0.01)), runs)
    assert found.rejected >= 0.99
    assert found.seconds <= 30


REFUSES_ONE_IN_TWENTY = Case(Behaviour(errors=0.002), Behaviour(errors=0.05), seconds=120)
ON_AZURE = [(424, 400), (424, None), (408, 0), (429, None), (424, 500)]
"""What Azure's front answers, with the deployment's own status beside it."""


def test_a_model_that_answers_one_in_twenty_with_another_code_is_rejected(runs: int) -> None:
    found = simulate(replace(REFUSES_ONE_IN_TWENTY, failure=400), runs)
    assert found.promoted <= ALPHA
    assert found.rejected >= 0.95


@pytest.mark.parametrize(
    "failure",
    [
        *(400, 404, 502, 504),
        *(status_of({"ResponseCode": front, "ModelStatusCode": own}) for front, own in ON_AZURE),
    ],
)
def test_whatever_code_it_is_on_either_platform_counts_alike(failure: int) -> None:
    for seed in range(3):
        usual, found = (
            run_once(replace(REFUSES_ONE_IN_TWENTY, failure=status), seed)
            for status in (500, failure)
        )
        assert found.looks == usual.looks
        assert found.decision == usual.decision == "reject"


@pytest.mark.usefixtures("z_test")
def test_a_z_test_that_is_looked_at_again_and_again_shows_why(runs: int) -> None:
    found = simulate(AT_THE_MARGIN, runs)
    assert found.promoted > 2 * ALPHA
    assert found.rejected > ALPHA
    assert simulate(RARE, runs).promoted > 2 * ALPHA
    # ... and with a single look it would have been fine
    once = {"share_percent": 50, "mirror_percent": 0, "batch_seconds": 30.0}
    found = simulate(replace(AT_THE_MARGIN, settings=once), runs)
    assert max(found.promoted, found.rejected) <= ALPHA + 3 * (ALPHA * (1 - ALPHA) / runs) ** 0.5


def test_a_log_of_ended_requests_shows_why_those_that_began_are_waited_for() -> None:
    found = simulate(HANGING_CASE, runs=100, kind=HastyEndpoint)
    assert found.promoted > 0.9


@pytest.mark.parametrize(
    "case",
    [AT_THE_MARGIN, replace(HANGING_CASE, baseline=Behaviour(errors=0.005, hangs=0.01))],
    ids=["late", "hanging"],
)
def test_the_simulated_endpoint_tells_what_the_routers_log_tells(case: Case) -> None:
    for seed in range(5):
        simulated, real = (run_once(case, seed, k) for k in (SimulatedEndpoint, RoutersEndpoint))
        assert len(simulated.looks) >= 3
        assert simulated.looks == real.looks
        assert simulated.reason == real.reason


@pytest.mark.parametrize(("baseline", "candidate"), [(0.02, 0.02), (0.001, 0.02), (0.3, 0.25)])
def test_the_evidence_is_that_of_an_independent_implementation(
    baseline: float, candidate: float
) -> None:
    """With a tiny `alpha`, `ville`'s stake is always at its bound `c`, which makes it constant."""
    random = np.random.default_rng(5)
    margin, size, n = 0.01, 9, 1500
    ours, theirs = random.random(n) < candidate, random.random(n * size) < baseline
    differences = blocks(ours, theirs, size)
    test = RateTest(margin)
    for start, end in pairwise([0, 1, 100, 101, 900, n]):
        test.add(differences[start:end])

    def by_ville(largest_loss: float, alternative: str) -> float:
        stakes = np.geomspace(0.002, 0.95 / largest_loss, STAKES)
        tests = [
            BettingTest(
                margin, (-1.0, 1.0), alternative, alpha=1e-300, c=float(stake * largest_loss)
            ).fit(differences)
            for stake in stakes
        ]
        return float(combine(np.array([each.e_values_[-1] for each in tests])))

    found = test.evidence()
    assert found.worse == pytest.approx(by_ville(1 - margin, "less"), rel=1e-9)
    assert found.not_worse == pytest.approx(by_ville(1 + margin, "greater"), rel=1e-9)


@pytest.mark.parametrize(("rate", "decision"), [(0.02, "promote"), (0.07, "reject")])
def test_another_betting_test_decides_alike(rate: float, decision: str) -> None:
    """`ville` bets with stakes that it adapts; on clear cases both say the same."""
    random = np.random.default_rng(6)
    settings = AbTestSettings(share_percent=10)
    for _ in range(10):
        ours, theirs = random.random(20_000) < rate, random.random(180_000) < 0.02
        comparison = Comparison("blue", "green", settings)
        comparison.begin("share")
        for green, blue in zip(ours.reshape(20, -1), theirs.reshape(20, -1), strict=True):
            comparison.add(observed(0, blue))
            comparison.add(observed(1, green))
        differences = blocks(ours, theirs, 9)
        alternative = "less" if decision == "promote" else "greater"
        assert BettingTest(0.01, (-1.0, 1.0), alternative, alpha=ALPHA).fit(differences).rejected_
        assert comparison.decide() == decision


def observed(kind: int, failed: Any) -> list[Any]:
    found: list[Any] = OBSERVATIONS[kind, np.where(failed, FAILED, GOOD)].tolist()
    return found
