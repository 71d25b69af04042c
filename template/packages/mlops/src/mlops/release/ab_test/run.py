"""The A/B test: may the candidate answer everybody, judged by how both deployments answer?

The candidate first receives copies of requests (mirror), then a small share of the traffic. After
every batch the evidence decides: promote, reject, or go on; without a decision in time: hold. How
often one looks does not matter, see `sequential`. Requests are counted in the order in which they
began, and one that hangs as an error once the patience is over: else only those that are answered
would be counted.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from mlops.errors import ConfigError
from mlops.platforms.base import ALL_TRAFFIC, Endpoint, NotObserved, Observation
from mlops.progress import Report, silent
from mlops.release.ab_test.sequential import Evidence, RateTest, blocks
from mlops.settings.sections import AbTestSettings

METRICS = ("errors", "slow")
NO_ANSWER = 0
SERVER_ERROR = 500
LARGEST = 1e300
EXPECTED_COPIES = 10
"""If so many are to be expected and none is seen, that is no chance."""
_SILENT_SECONDS = 10.0
_LOST_SECONDS = 600.0
_PAUSE_SECONDS = 10.0

Decision = Literal["promote", "hold", "reject"]
Phase = Literal["mirror", "share"]


@dataclass(frozen=True)
class Arm:
    """What one deployment answered so far."""

    requests: int = 0
    errors: int = 0
    slow: int = 0

    def rate(self, metric: str) -> float | None:
        """Return the share of requests that were `errors` or `slow`, or None without requests."""
        return getattr(self, metric) / self.requests if self.requests else None

    def plus(self, ends: Sequence[tuple[bool, bool]]) -> "Arm":
        """Return this with further requests, of which each was an error or not, slow or not."""
        return Arm(
            self.requests + len(ends),
            self.errors + sum(error for error, _ in ends),
            self.slow + sum(slow for _, slow in ends),
        )


@dataclass(frozen=True)
class Look:
    """The numbers after one batch.

    `baseline` and `candidate` are answers to callers in this phase, `copies` the candidate's
    answers to copies of requests.
    """

    seconds: float
    phase: Phase
    baseline: Arm
    candidate: Arm
    copies: Arm
    evidence: Mapping[str, Evidence]

    @property
    def compared(self) -> Arm:
        """What the candidate is judged by in this phase."""
        return self.copies if self.phase == "mirror" else self.candidate


@dataclass(frozen=True)
class Limits:
    """The e-values that decide."""

    promote: float
    reject: float


@dataclass(frozen=True)
class AbResult:
    """A decision, why it was taken, and every look on the way to it."""

    baseline: str
    candidate: str
    decision: Decision
    reason: str
    limits: Limits
    settings: AbTestSettings
    looks: tuple[Look, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON content."""
        return {
            "decision": self.decision,
            "reason": self.reason,
            "baseline": self.baseline,
            "candidate": self.candidate,
            "limits": {"promote": self.limits.promote, "reject": self.limits.reject},
            "settings": self.settings.model_dump(mode="json"),
            "looks": [_look_to_dict(look) for look in self.looks],
        }


@dataclass
class Comparison:
    """Accumulates answers of both deployments and says what they are evidence for.

    Args:
        baseline: the present deployment.
        candidate: the one to be judged.
        settings: margins, error probability, minimum sample and latency objective.
    """

    baseline: str
    candidate: str
    settings: AbTestSettings
    _phase: Phase = "mirror"
    _block: int = 1
    _baseline: Arm = Arm()
    _candidate: Arm = Arm()
    _copies: Arm = Arm()
    _waiting: dict[str, list[tuple[bool, bool]]] = field(default_factory=dict)
    _tests: dict[str, RateTest] = field(default_factory=dict)

    def __post_init__(self) -> None:
        margins = self.settings.margins
        self._tests = {metric: RateTest(getattr(margins, metric)) for metric in METRICS}
        self.begin("mirror")

    @property
    def limits(self) -> Limits:
        """The e-values that decide."""
        return limits_of(self.settings)

    @property
    def copies(self) -> int:
        """The copies of requests whose end is known."""
        return self._copies.requests

    @property
    def lacks_copies(self) -> bool:
        """Whether none of the requests of this phase was copied, as far as one sees."""
        expected = self._baseline.requests * self.settings.mirror_percent / ALL_TRAFFIC
        return self._phase == "mirror" and not self.copies and expected >= EXPECTED_COPIES

    def begin(self, phase: Phase) -> None:
        """Enter a phase; answers that found no partner in the last one count no further.

        Nor does what copies of requests showed count for promotion.
        """
        self._phase = phase
        settings = self.settings
        if phase == "mirror":
            ratio = ALL_TRAFFIC / max(settings.mirror_percent, 1)
        else:
            ratio = (ALL_TRAFFIC - settings.share_percent) / settings.share_percent
        self._block = max(1, round(ratio))
        if phase == "share":
            # copies are answered beside the queue that callers wait in: they prove nothing good
            for test in self._tests.values():
                test.restart_worse()
        self._baseline = self._candidate = Arm()
        self._waiting = {self.baseline: [], self.candidate: []}

    def add(self, observations: Sequence[Observation]) -> None:
        """Add requests of this phase in the order in which they began.

        In the mirror phase the candidate is judged by copies, afterwards by callers' requests only.
        """
        copied = {self.baseline: False, self.candidate: self._phase == "mirror"}
        ends: dict[str, list[tuple[bool, bool]]] = {self.baseline: [], self.candidate: []}
        for each in observations:
            if copied.get(each.deployment) == each.mirrored:
                ends[each.deployment].append(self._classified(each))
        for name, found in ends.items():
            self._waiting[name] += found
        self._baseline = self._baseline.plus(ends[self.baseline])
        if self._phase == "mirror":
            self._copies = self._copies.plus(ends[self.candidate])
        else:
            self._candidate = self._candidate.plus(ends[self.candidate])
        self._test_complete_blocks()

    def evidence(self) -> dict[str, Evidence]:
        """Return the e-values of each metric."""
        return {metric: test.evidence() for metric, test in self._tests.items()}

    def decide(self) -> Decision | None:
        """Return `promote` or `reject` if the evidence suffices.

        Copies alone can reject a candidate, but not promote it.
        """
        found = self.evidence().values()
        if any(each.not_worse >= self.limits.reject for each in found):
            return "reject"
        enough = self._phase == "share" and self._candidate.requests >= self.settings.min_requests
        if enough and all(each.worse >= self.limits.promote for each in found):
            return "promote"
        return None

    def look(self, seconds: float) -> Look:
        """Return the numbers of this moment."""
        return Look(
            seconds,
            self._phase,
            self._baseline,
            self._candidate,
            self._copies,
            self.evidence(),
        )

    def explain(self, decision: Decision | None) -> str:
        """Return a sentence that says why; None for a test that ends without a decision."""
        found = self.evidence()
        if decision == "reject":
            metric = max(found, key=lambda name: found[name].not_worse)
            return (
                f"{self.candidate} is worse than {self.baseline} in {metric} by more than the "
                f"margin: {self._rates(metric)}, e-value {number(found[metric].not_worse)}, "
                f"limit {number(self.limits.reject)}"
            )
        if self._phase == "mirror":
            return self._explain_mirror()
        if not self._candidate.requests:
            return "no decision yet: no request came to the candidate"
        values = ", ".join(f"{name} {number(each.worse)}" for name, each in found.items())
        numbers = (
            f"{self._candidate.requests:,} requests gave the e-values {values}, and each needs "
            f"{number(self.limits.promote)}"
        )
        if decision == "promote":
            return f"{self.candidate} is not worse than {self.baseline} by the margins: {numbers}"
        return f"no decision yet: {numbers}"

    def _explain_mirror(self) -> str:
        if self.lacks_copies:
            return (
                f"no decision yet: {self.baseline} answered {self._baseline.requests:,} requests, "
                f"but no copy of one was seen at {self.candidate}; if copies are not logged here, "
                "set ab_test.mirror_percent to 0 in conf"
            )
        return (
            f"no decision yet: {self.candidate} was given {self.copies:,} of "
            f"{self.settings.mirror_requests:,} copies, so it answered no callers"
        )

    def _classified(self, observation: Observation) -> tuple[bool, bool]:
        milliseconds = 1000 * observation.seconds
        error = (
            observation.status == NO_ANSWER
            or observation.status >= SERVER_ERROR
            or milliseconds > self.settings.patience_ms
        )
        return error, milliseconds > self.settings.objective_ms

    def _rates(self, metric: str) -> str:
        against = f"against {_percent(self._baseline.rate(metric))}"
        copies = f"{_percent(self._copies.rate(metric))} of the copies"
        if self._phase == "mirror":
            return f"{copies} {against}"
        also = f", {copies} before" if self.copies else ""
        return f"{_percent(self._candidate.rate(metric))} {against}{also}"

    def _test_complete_blocks(self) -> None:
        ours, theirs = self._waiting[self.candidate], self._waiting[self.baseline]
        count = min(len(ours), len(theirs) // self._block)
        if not count:
            return
        candidate = np.array(ours[:count], dtype=np.float64)
        baseline = np.array(theirs[: count * self._block], dtype=np.float64)
        for column, metric in enumerate(METRICS):
            differences = blocks(candidate[:, column], baseline[:, column], self._block)
            self._tests[metric].add(differences)
        del ours[:count], theirs[: count * self._block]


def limits_of(settings: AbTestSettings) -> Limits:
    """Return the e-values that decide.

    Every metric must speak for promotion, so each is tested at `alpha`; a single one suffices for a
    rejection, so that `alpha` is shared among them.
    """
    return Limits(1 / settings.alpha, len(METRICS) / settings.alpha)


Watch = Callable[[Look, dict[str, int], dict[str, int]], None]
"""Receives the numbers after each batch, the traffic and the mirror."""


def unwatched(_look: Look, _traffic: dict[str, int], _mirror: dict[str, int]) -> None:
    """Watch nothing."""


def run_ab_test(
    endpoint: Endpoint,
    baseline: str,
    candidate: str,
    settings: AbTestSettings,
    report: Report = silent,
    watch: Watch = unwatched,
) -> AbResult:
    """Compare two deployments under the endpoint's own traffic: mirror, share, decision.

    The caller holds the endpoint's lease and restores or shifts the traffic afterwards; copies of
    requests have ended then.

    Args:
        endpoint: the endpoint; `baseline` has all its traffic.
        baseline: the present deployment.
        candidate: the one to be judged; it has no traffic.
        settings: shares, margins, error probability, duration.
        report: receives lines about the progress.
        watch: receives the numbers after each batch.

    Raises:
        ConfigError: there is no such deployment, or the traffic is not all with the baseline.
        PlatformError: the endpoint cannot be reached.
    """
    check_arms(endpoint, baseline, candidate)
    comparison = Comparison(baseline, candidate, settings)
    patience = settings.patience_ms / 1000
    looks: list[Look] = []
    seen = 0
    silent_so_far = True
    started = time.monotonic()
    lacking_since: float | None = None

    def ended(decision: Decision, reason: str) -> AbResult:
        report(f"{decision}: {reason}")
        limits = comparison.limits
        return AbResult(baseline, candidate, decision, reason, limits, settings, tuple(looks))

    def in_time() -> bool:
        return time.monotonic() - started < settings.duration_seconds

    for phase in phases(settings):
        if not in_time():
            break
        _enter(endpoint, baseline, candidate, phase, settings, report)
        # what began before belongs to the last phase, also if it is still open
        seen = _latest(_observed(endpoint, seen, 0, report), seen)
        comparison.begin(phase)
        traffic, mirror = endpoint.traffic(), endpoint.mirror()
        while in_time():
            time.sleep(settings.batch_seconds)
            new = _observed(endpoint, seen, patience, report)
            seen = _latest(new, seen)
            comparison.add(new)
            looks.append(comparison.look(time.monotonic() - started))
            silent_so_far = silent_so_far and not new
            if silent_so_far and looks[-1].seconds > _SILENT_SECONDS:
                silent_so_far = False
                report(f"no request has come to {endpoint.name} yet")
            watch(looks[-1], traffic, mirror)
            if decision := comparison.decide():
                return ended(decision, comparison.explain(decision))
            if problem := _problem(endpoint, candidate):
                return ended("reject", f"{candidate} is not healthy: {problem}")
            if phase == "mirror" and comparison.copies >= settings.mirror_requests:
                break
            if comparison.lacks_copies:
                lacking_since = looks[-1].seconds if lacking_since is None else lacking_since
                if looks[-1].seconds - lacking_since >= settings.mirror_seconds:
                    return ended("hold", comparison.explain(None))
    return ended("hold", comparison.explain(None))


def _observed(
    endpoint: Endpoint, after: int, patience_seconds: float, report: Report
) -> list[Observation]:
    """Return what the endpoint observed; an outage of some minutes is waited out."""
    started = time.monotonic()
    while True:
        try:
            return endpoint.observations(after, patience_seconds)
        except NotObserved as error:
            if time.monotonic() - started > _LOST_SECONDS:
                raise
            report(f"trying again: {error}")
        time.sleep(_PAUSE_SECONDS)


def _latest(observations: Sequence[Observation], known: int) -> int:
    return observations[-1].sequence if observations else known


def phases(settings: AbTestSettings) -> tuple[Phase, ...]:
    """Return the phases that the settings ask for, in order."""
    mirrors = settings.mirror_percent > 0 and settings.mirror_requests > 0
    return ("mirror", "share") if mirrors else ("share",)


def number(value: float) -> str:
    """Return an e-value or a limit for people."""
    if value > 1e6:
        return "over a million"
    return f"{value:.2g}" if value < 10 else f"{value:,.0f}"


def check_arms(endpoint: Endpoint, baseline: str, candidate: str) -> None:
    """Check that an A/B test of two deployments can start.

    Raises:
        ConfigError: there is no such deployment, or the traffic is not all with the baseline.
    """
    traffic = endpoint.traffic()
    for name in (baseline, candidate):
        if name not in traffic:
            known = ", ".join(traffic) or "none"
            raise ConfigError(
                f"{endpoint.name} has no deployment {name!r} (it has: {known}); `mlops deploy "
                f"--deployment {name} --traffic 0 --model-version …` makes one"
            )
    if baseline == candidate:
        raise ConfigError(f"{baseline} cannot be compared with itself: name two deployments")
    if traffic[baseline] != ALL_TRAFFIC:
        raise ConfigError(
            f"the A/B test starts with all traffic at {baseline}, which has {traffic[baseline]} %: "
            "`mlops switch-traffic` moves it"
        )


def _enter(
    endpoint: Endpoint,
    baseline: str,
    candidate: str,
    phase: Phase,
    settings: AbTestSettings,
    report: Report,
) -> None:
    if phase == "mirror":
        percent = settings.mirror_percent
        report(f"{percent} % of the requests are copied to {candidate}")
        endpoint.set_mirror(candidate, percent)
        return
    percent = settings.share_percent
    endpoint.set_mirror(None)
    report(f"{candidate} answers {percent} % of the requests")
    endpoint.set_traffic({baseline: ALL_TRAFFIC - percent, candidate: percent})


def _problem(endpoint: Endpoint, name: str) -> str:
    """Return why a deployment is not healthy, or nothing; one late answer is not enough."""
    return _unhealthy(endpoint, name) and _unhealthy(endpoint, name)


def _unhealthy(endpoint: Endpoint, name: str) -> str:
    found = {each.name: each for each in endpoint.deployments()}.get(name)
    if found is None:
        return "it is gone"
    return "" if found.healthy else found.detail or "it does not answer"


def _percent(rate: float | None) -> str:
    return "no requests" if rate is None else f"{100 * rate:.2f} %"


def _look_to_dict(look: Look) -> dict[str, Any]:
    return {
        "seconds": round(look.seconds, 3),
        "phase": look.phase,
        "baseline": vars(look.baseline),
        "candidate": vars(look.candidate),
        "copies": vars(look.copies),
        "evidence": {
            metric: {
                "blocks": each.blocks,
                "for_promotion": min(each.worse, LARGEST),
                "for_rejection": min(each.not_worse, LARGEST),
            }
            for metric, each in look.evidence.items()
        },
    }
