"""The A/B test: may the candidate answer everybody, judged by how both deployments answer?

The candidate first receives copies of requests (mirror), then a small share of the traffic. After
every batch the evidence decides: promote, reject, or go on; without a decision in time: hold. How
often one looks does not matter, see `sequential`.
"""

import time
from typing import Protocol

from mlops.errors import ConfigError
from mlops.hints import typed
from mlops.platforms.base import ALL_TRAFFIC, Endpoint, NotObserved, Observation
from mlops.progress import Report, silent
from mlops.release.ab_test.comparison import Comparison, phases
from mlops.release.ab_test.decision import AbResult
from mlops.release.ab_test.looks import Phase, Watch, unwatched
from mlops.release.ab_test.trial import Conclusion, Trial
from mlops.release.health import lasting_problem
from mlops.settings.sections import AbTestSettings

SILENT_SECONDS = 10.0
LOST_SECONDS = 600.0
PAUSE_SECONDS = 10.0


class Clock(Protocol):
    """Time that passes: that of the module `time`, or a test's."""

    def monotonic(self) -> float:
        """Return the seconds since some moment."""

    def sleep(self, seconds: float, /) -> None:
        """Return after so many seconds."""


def run_ab_test(
    endpoint: Endpoint,
    baseline: str,
    candidate: str,
    settings: AbTestSettings,
    report: Report = silent,
    watch: Watch = unwatched,
    *,
    callers: bool = True,
    clock: Clock = time,
) -> AbResult:
    """Compare two deployments under the endpoint's own traffic: mirror, share, decision.

    The caller holds the endpoint's lease and restores or shifts the traffic afterwards; copies of
    requests have ended then. No traffic moves before it is known that requests are observed.

    Args:
        endpoint: the endpoint; `baseline` has all its traffic.
        baseline: the present deployment.
        candidate: the one to be judged; it has no traffic.
        settings: shares, margins, error probability, duration.
        report: receives lines about the progress.
        watch: receives the numbers after each batch.
        callers: whether the endpoint has callers of its own; else silence has a remedy.
        clock: what the duration and the pauses between looks are measured by.

    Raises:
        ConfigError: there is no such deployment, or the traffic is not all with the baseline.
        PlatformError: the endpoint cannot be reached.
    """
    check_arms(endpoint, baseline, candidate)
    trial = Trial(Comparison(baseline, candidate, settings))
    try:
        endpoint.await_observation(candidate, report)
    except NotObserved as error:
        conclusion = Conclusion("hold", error.message)
    else:
        looking = _Looking(endpoint, trial, report, watch, clock, callers=callers)
        conclusion = looking.until_it_ends()
    report(f"{conclusion.decision}: {conclusion.reason}")
    return trial.result(conclusion)


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
                f"{endpoint.name} has no deployment {name!r} (it has: {known})",
                f"{typed(f'deploy --deployment {name} --traffic 0 --model-version …')} makes one",
            )
    if baseline == candidate:
        raise ConfigError(f"{baseline} cannot be compared with itself", "name two deployments")
    if traffic[baseline] != ALL_TRAFFIC:
        raise ConfigError(
            f"the A/B test starts with all traffic at {baseline}, which has {traffic[baseline]} %",
            f"{typed('switch-traffic')} moves it",
        )


class _Looking:
    """The loop that sets the shares, waits, reads and hands on to the trial."""

    def __init__(
        self,
        endpoint: Endpoint,
        trial: Trial,
        report: Report,
        watch: Watch,
        clock: Clock,
        *,
        callers: bool,
    ) -> None:
        self._endpoint = endpoint
        self._trial = trial
        self._settings = trial.comparison.settings
        self._candidate = trial.comparison.candidate
        self._report = report
        self._watch = watch
        self._clock = clock
        self._started = clock.monotonic()
        self._told_of_silence = False
        self._callers = callers

    def until_it_ends(self) -> Conclusion:
        """Go through the phases; return the decision."""
        for phase in phases(self._settings):
            if not self._in_time():
                break
            self._enter(phase)
            if conclusion := self._look_until_it_ends():
                return conclusion
        return self._trial.held()

    def _enter(self, phase: Phase) -> None:
        endpoint, settings, candidate = self._endpoint, self._settings, self._candidate
        if phase == "mirror":
            percent = settings.mirror_percent
            self._report(f"{percent} % of the requests are copied to {candidate}")
            endpoint.set_mirror(candidate, percent)
        else:
            percent = settings.share_percent
            endpoint.set_mirror(None)
            self._report(f"{candidate} answers {percent} % of the requests")
            baseline = self._trial.comparison.baseline
            endpoint.set_traffic({baseline: ALL_TRAFFIC - percent, candidate: percent})
        self._trial.begin(phase, self._observed(patience_seconds=0))

    def _look_until_it_ends(self) -> Conclusion | None:
        """Look until the phase is over or the time is, or until there is a conclusion."""
        traffic, mirror = self._endpoint.traffic(), self._endpoint.mirror()
        while self._in_time():
            self._clock.sleep(self._settings.batch_seconds)
            new = self._observed(self._settings.patience_ms / 1000)
            look = self._trial.add(new, self._clock.monotonic() - self._started)
            self._tell_of_silence(look.seconds)
            self._watch(look, traffic, mirror)
            if conclusion := self._trial.decided() or self._unhealthy() or self._trial.given_up():
                return conclusion
            if self._trial.comparison.copies_are_enough:
                break
        return None

    def _in_time(self) -> bool:
        return self._clock.monotonic() - self._started < self._settings.duration_seconds

    def _observed(self, patience_seconds: float) -> list[Observation]:
        """Return what the endpoint observed; an outage of some minutes is waited out."""
        asked_first = self._clock.monotonic()
        while True:
            try:
                return self._endpoint.observations(self._trial.seen, patience_seconds)
            except NotObserved as error:
                if self._clock.monotonic() - asked_first > LOST_SECONDS:
                    raise
                self._report(f"trying again: {error}")
            self._clock.sleep(PAUSE_SECONDS)

    def _tell_of_silence(self, seconds: float) -> None:
        if self._trial.heard or self._told_of_silence or seconds <= SILENT_SECONDS:
            return
        self._told_of_silence = True
        remedy = (
            "" if self._callers else ": nobody calls it here, and `--rehearsal` generates requests"
        )
        self._report(f"no request has come to {self._endpoint.name} yet{remedy}")

    def _unhealthy(self) -> Conclusion | None:
        """Return a rejection if the candidate is not healthy."""
        if problem := lasting_problem(self._endpoint, self._candidate, self._clock.sleep):
            return Conclusion("reject", f"{self._candidate} is not healthy: {problem}")
        return None
