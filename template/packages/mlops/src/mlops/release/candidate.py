"""`mlops release`: a version goes to an endpoint at 0 %, proves itself, and takes all traffic.

Smoke test by header; from maturity level 3 on an A/B test; then the switch, and the old deployment
is removed. Whatever says no on the way, or breaks, leaves the old deployment with all traffic.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from mlops.checks import failures
from mlops.errors import Hold, MlopsError, Refused
from mlops.platforms.base import ALL_TRAFFIC, Endpoint, ModelVersion, Platform
from mlops.progress import Report, silent
from mlops.release.ab_test.run import Watch, check_arms, run_ab_test, unwatched
from mlops.release.evidence import Record, write_evidence
from mlops.release.traffic import (
    AB_TEST_LEVEL,
    RELEASE_LEVEL,
    other_colour,
    remove,
    require_level,
    restore,
    sole_deployment,
    try_deployment,
)
from mlops.settings.loading import LoadedSettings
from mlops.settings.sections import AbTestSettings

LOG_LINES = 200


@dataclass(frozen=True)
class Released:
    """How a release ended, and the folder of its evidence (None: there is none)."""

    record: Record
    folder: Path | None


def unheard(_released: Released) -> None:
    """Hear nothing of the end."""


@dataclass(frozen=True)
class Watchers:
    """Who is told: of the progress in lines and numbers, and of the end, whatever it is."""

    report: Report = silent
    watch: Watch = unwatched
    ended: Callable[[Released], None] = unheard


NOBODY = Watchers()


def release(
    platform: Platform,
    settings: LoadedSettings,
    model_version: int,
    watchers: Watchers = NOBODY,
    ab_test: AbTestSettings | None = None,
    rehearsal: str = "",
) -> Released:
    """Bring a registered version to the endpoint of the settings' environment.

    Args:
        platform: where to release.
        settings: the environment's settings.
        model_version: the registered version.
        watchers: receive the progress.
        ab_test: other settings of the A/B test than the environment's.
        rehearsal: what is said of it if this is one; then a version that serves already is
            released beside itself.

    Raises:
        ConfigError: the project's level is 1, or several deployments share the traffic.
        Refused: no such version, or smoke test or A/B test say no; all is as it was.
        Hold: the A/B test came to no decision; the candidate stays, without traffic.
        PlatformError: a server failed or another command changes the endpoint; all is as it was.
    """
    require_level(settings.project, RELEASE_LEVEL, "release")
    version = platform.version(model_version)
    endpoint = platform.endpoint(settings.endpoint_name)
    endpoint.repair(watchers.report)
    job: _Job | None = None
    try:
        with endpoint.lease(f"the release of version {version.version}"):
            traffic = endpoint.traffic()
            baseline = sole_deployment(traffic)
            if baseline and not rehearsal and _is_released(endpoint, baseline, version):
                watchers.report(f"{baseline} serves version {version.version} already")
                record = _record(endpoint, baseline, traffic, "unchanged", "it serves already")
                watchers.ended(Released(record, None))
                return Released(record, None)
            if baseline and has_ab_test(settings):
                endpoint.observations()  # without them there is no A/B test: better to know now
            job = _Job(platform, settings, endpoint, version, baseline, watchers)
            job.ab_settings = ab_test or ab_settings_of(settings, endpoint)
            job.run(rehearsal)
        # what callers reach has changed: that the old one cannot be removed undoes nothing
        job.remove_others()
    finally:
        if job and job.promoted:
            job.tell()
    return job.released


def ab_test(
    settings: LoadedSettings,
    endpoint: Endpoint,
    arms: tuple[str, str],
    watchers: Watchers = NOBODY,
    ab_settings: AbTestSettings | None = None,
    rehearsal: str = "",
) -> Released:
    """Compare two deployments; traffic and mirror are as before when it ends, however it ends.

    Args:
        settings: the environment's settings.
        endpoint: the endpoint.
        arms: the names of baseline and candidate.
        watchers: receive the progress.
        ab_settings: other settings of the test than the environment's.
        rehearsal: what is said of it if this is one.

    Raises:
        ConfigError: the project's level is below 3, or a deployment is not as it must be.
        PlatformError: the endpoint failed, or another command changes it.
    """
    require_level(settings.project, AB_TEST_LEVEL, "ab-test")
    baseline, candidate = arms
    check_arms(endpoint, baseline, candidate)
    endpoint.repair(watchers.report)
    with endpoint.lease(f"the A/B test of {candidate}"):
        traffic = endpoint.traffic()
        with _restored(endpoint):
            chosen = ab_settings or ab_settings_of(settings, endpoint)
            result = run_ab_test(
                endpoint, baseline, candidate, chosen, watchers.report, watchers.watch
            )
        outcome = {"promote": "promoted", "reject": "rejected"}.get(result.decision, "hold")
        record = _record(endpoint, candidate, traffic, outcome, result.reason)
        record = replace(record, ab_test=result, rehearsal=rehearsal, kind="A/B test")
        return Released(record, write_evidence(settings.project.state_dir, record))


def has_ab_test(settings: LoadedSettings) -> bool:
    """Tell whether a release compares the candidate with what serves before it switches."""
    wanted = settings.values.ab_test.enabled
    if wanted is None:
        wanted = settings.values.environment == "prod"
    return wanted and settings.project.maturity_level >= AB_TEST_LEVEL


def ab_settings_of(settings: LoadedSettings, endpoint: Endpoint) -> AbTestSettings:
    """Return how versions are compared: the endpoint is asked no more often than it may be."""
    chosen = settings.values.ab_test
    seconds = max(chosen.batch_seconds, endpoint.poll_seconds)
    return chosen.model_copy(update={"batch_seconds": seconds})


def _is_released(endpoint: Endpoint, baseline: str, version: ModelVersion) -> bool:
    alone = [each.name for each in endpoint.deployments()] == [baseline]
    return alone and endpoint.is_current(baseline, version)


class _Job:
    """One release under its lease."""

    ab_settings: AbTestSettings
    record: Record
    released: Released
    promoted = False

    def __init__(
        self,
        platform: Platform,
        settings: LoadedSettings,
        endpoint: Endpoint,
        version: ModelVersion,
        baseline: str | None,
        watchers: Watchers,
    ) -> None:
        self.platform = platform
        self.settings = settings
        self.endpoint = endpoint
        self.version = version
        self.baseline = baseline
        self.candidate = other_colour(baseline)
        self.watchers = watchers
        self.report = watchers.report

    def run(self, rehearsal: str) -> None:
        """Deploy, test and switch; on failure put everything back and tell of it."""
        before = self.endpoint.traffic()
        was_there = self.endpoint.is_current(self.candidate, self.version)
        self.record = replace(
            _record(self.endpoint, self.candidate, before, "failed", ""), rehearsal=rehearsal
        )
        try:
            with _restored(self.endpoint, unless_done=True):
                self._deploy()
                self._smoke_test()
                if self.baseline and has_ab_test(self.settings):
                    self._ab_test(self.baseline)
                self._switch()
        except BaseException as error:
            self._clean_up(error, keep=was_there or isinstance(error, Hold))
            raise
        reason = self.record.reason or "the smoke test passed"
        self.record = self.record.ended("promoted", reason, {self.candidate: ALL_TRAFFIC})
        self.promoted = True

    def remove_others(self) -> None:
        """Remove what served before; what cannot be removed is recorded."""
        others = [each.name for each in self.endpoint.deployments() if each.name != self.candidate]
        self.record = replace(self.record, left=tuple(others))  # if it is cut off
        self.record = replace(self.record, left=remove(self.endpoint, others, self.report))

    def _deploy(self) -> None:
        if self.endpoint.is_current(self.candidate, self.version):
            self.report(f"{self.candidate} serves version {self.version.version} already, at 0 %")
        else:
            self.endpoint.deploy(self.candidate, self.version, self.report, first_share=0)
        versions = {each.name: each.model_version for each in self.endpoint.deployments()}
        self.record = replace(self.record, versions=versions)

    def _smoke_test(self) -> None:
        result = try_deployment(
            self.platform,
            self.endpoint,
            self.candidate,
            self.settings.values.smoke_test,
            self.report,
        )
        self.record = replace(self.record, smoke=result)
        if not result.passed:
            raise Refused(
                f"{self.candidate}, version {self.version.version}, failed the smoke test: "
                f"{failures(result.checks)}"
            )

    def _ab_test(self, baseline: str) -> None:
        served = {each.name: each for each in self.endpoint.deployments()}[baseline]
        if not served.healthy:
            reason = f"{baseline} is not healthy, so there is nothing to compare with"
            self.report(reason)
            self.record = replace(self.record, reason=f"{reason}; the smoke test passed")
            return
        result = run_ab_test(
            self.endpoint,
            baseline,
            self.candidate,
            self.ab_settings,
            self.report,
            self.watchers.watch,
        )
        self.record = replace(self.record, ab_test=result, reason=result.reason)
        if result.decision == "reject":
            raise Refused(f"version {self.version.version} is rejected: {result.reason}")
        if result.decision == "hold":
            raise Hold(
                f"version {self.version.version} is neither promoted nor rejected: "
                f"{result.reason}; {self.candidate} stays without traffic: "
                "run the same command to test it again"
            )

    def _switch(self) -> None:
        self.report(f"{self.candidate} takes all traffic")
        self.endpoint.set_mirror(None)
        self.endpoint.set_traffic({self.candidate: ALL_TRAFFIC}, completes=True)

    def _clean_up(self, error: BaseException, *, keep: bool) -> None:
        """Keep what explains the failure; remove the candidate that this release brought."""
        outcome = "failed"
        if isinstance(error, Hold | Refused):
            outcome = "hold" if isinstance(error, Hold) else "rejected"
        reason = str(error).partition("\n")[0] or "it was interrupted"
        with contextlib.suppress(MlopsError):
            there = [each.name for each in self.endpoint.deployments()]
            if self.candidate in there and outcome != "hold":
                log = self.endpoint.logs(self.candidate, LOG_LINES)
                self.record = replace(self.record, candidate_log=log)
            if self.candidate in there and not keep:
                self.report(f"removing {self.candidate}")
                self.endpoint.delete(self.candidate)
        self.record = self.record.ended(outcome, reason, self.endpoint.traffic())
        self.tell()

    def tell(self) -> None:
        """Write the evidence, and tell of the end."""
        folder = None
        try:
            folder = write_evidence(self.settings.project.state_dir, self.record)
        except Exception as error:  # a full disk or a plot must not decide how a release ends
            self.report(f"the evidence could not be written: {error}")
        self.released = Released(self.record, folder)
        self.watchers.ended(self.released)


@contextlib.contextmanager
def _restored(endpoint: Endpoint, *, unless_done: bool = False) -> Iterator[None]:
    """Set traffic and mirror back at the end, or only if the block does not come to its end."""
    traffic, mirror = endpoint.traffic(), endpoint.mirror()
    done = False
    try:
        yield
        done = True
    finally:
        if not (done and unless_done):
            known = endpoint.traffic()
            kept = {name: share for name, share in traffic.items() if name in known}
            restore(endpoint, kept, mirror)


def _record(
    endpoint: Endpoint, candidate: str, traffic: dict[str, int], outcome: str, reason: str
) -> Record:
    return Record(
        endpoint=endpoint.name,
        candidate=candidate,
        versions={each.name: each.model_version for each in endpoint.deployments()},
        outcome=outcome,
        reason=reason,
        traffic_before=traffic,
        traffic_after=endpoint.traffic(),
    )
