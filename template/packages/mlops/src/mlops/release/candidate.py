"""`mlops release`: a version goes to an endpoint at 0 %, proves itself, and takes all traffic.

Smoke test by header; from maturity level 3 on an A/B test; then the switch. The old deployment is
kept for a while without traffic, as the way back, or removed. Whatever says no on the way, or
breaks, leaves the old deployment with all traffic.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from mlops.checks import failures
from mlops.errors import Hold, MlopsError, Refused
from mlops.governance.audit.entry import Act, Ending
from mlops.governance.audit.record import Subject, recorded, require_sound_log, serving_of
from mlops.platforms.base import ALL_TRAFFIC, Endpoint, ModelVersion, Platform
from mlops.platforms.lease_terms import RELEASE, WayBack
from mlops.progress import Report
from mlops.release.ab_test.looks import Look
from mlops.release.ab_test.run import run_ab_test
from mlops.release.ab_test.settings import ab_settings_of, has_ab_test
from mlops.release.change_log import RELEASE as RELEASED
from mlops.release.change_log import keep_change
from mlops.release.compatibility import Replacement, refusal, replacement
from mlops.release.data_rules import require_whole, source_of
from mlops.release.evidence import Record, record_of, write_evidence
from mlops.release.health import lasting_problem
from mlops.release.kept import is_kept, kept, kept_sentence
from mlops.release.readiness import check_ready
from mlops.release.reference import meant_here, require_reference
from mlops.release.traffic import (
    RELEASE_LEVEL,
    newer_served,
    other_colour,
    remove,
    require_active,
    require_level,
    require_newer,
    restored,
    sole_deployment,
    try_deployment,
)
from mlops.release.turn import in_turn, require_hold
from mlops.release.watchers import NOBODY, Ended, Watchers
from mlops.settings.loading import LoadedSettings
from mlops.settings.sections import AbTestSettings

LOG_LINES = 200
_BREAKING = '`--breaking --reason "…"` releases it all the same'


@dataclass(frozen=True)
class ReleaseOptions:
    """How a release differs from the usual one.

    Attributes:
        ab_settings: other settings of the A/B test than the environment's.
        rehearsal: what is said of it if this is one; then a version that serves already is
            released beside itself, and one that refuses the requests of the version that serves.
        breaking: why a version may refuse those requests; then there is no A/B test with it.
        means: what it means to take the place of what serves, where that was found already.
        stands_in: whether what serves was only brought up to have something to replace: then a
            candidate for another version may take its place.
        before_switch: is called once the candidate has proved itself; what it raises stops it.
        wait_seconds: for how long it waits while another command changes the endpoint.
    """

    ab_settings: AbTestSettings | None = None
    rehearsal: str = ""
    breaking: str = ""
    means: Replacement | None = None
    stands_in: bool = False
    before_switch: Callable[[], None] = lambda: None
    wait_seconds: float = 0.0


USUAL = ReleaseOptions()


def release_version(
    platform: Platform,
    settings: LoadedSettings,
    model_version: int,
    watchers: Watchers = NOBODY,
    options: ReleaseOptions = USUAL,
) -> Ended:
    """Bring a registered version to the endpoint of the settings' environment.

    Raises:
        ConfigError: the project's level is 1, several deployments share the traffic, or there is
            no such version.
        Refused: it is archived or older than what serves, its data do not let it be released here,
            it refuses requests that callers send, the environment asks for what is missing, or
            smoke test or A/B test say no; all is as it was. `Outdated`: it was made to replace a
            version that does not serve any more.
        Hold: the A/B test came to no decision; the candidate stays, without traffic.
        NotItsTurn: another command changes the endpoint.
        PlatformError: a server failed; all is as it was.
    """
    require_level(settings.project, RELEASE_LEVEL, "release")
    require_sound_log(platform, settings, watchers.report)
    endpoint = platform.endpoint(settings.endpoint_name)
    subject: Subject = {"version": model_version, "endpoint": endpoint.name}
    with recorded(
        platform,
        settings,
        Act.RELEASE,
        subject,
        report=watchers.report,
        details={"rehearsal": bool(options.rehearsal), "breaking": options.breaking},
        after=lambda: serving_of(endpoint),
    ) as recording:
        ended = _released(platform, endpoint, settings, model_version, watchers, options)
        promoted = ended.record.outcome == "promoted"
        recording.outcome = Ending.DONE.value if promoted else ended.record.outcome
        recording.reason = ended.record.reason
        recording.subject["deployment"] = ended.record.candidate
    return ended


def _released(
    platform: Platform,
    endpoint: Endpoint,
    settings: LoadedSettings,
    model_version: int,
    watchers: Watchers,
    options: ReleaseOptions,
) -> Ended:
    version = platform.version(model_version)
    require_active(version)
    if platform.has_callers:
        require_whole(version, f"released on {platform.name}")
    endpoint.repair(watchers.report)
    candidate: _Candidate | None = None
    try:
        purpose = f"the release of version {version.version}"
        with in_turn(endpoint, purpose, options.wait_seconds, watchers.report, RELEASE):
            baseline = sole_deployment(endpoint.traffic())
            if baseline and not options.rehearsal and _is_released(endpoint, baseline, version):
                return _unchanged(endpoint, baseline, version, watchers)
            _look_at_place(endpoint, version, settings, options)
            means = options.means or replacement(platform, endpoint, baseline, version)
            if baseline:
                _look_at_order(endpoint, baseline, version, options, watchers.report)
            allowed = options.rehearsal or options.breaking or means.made_up
            if means.changes and not allowed:
                raise refusal(means.changes, version, endpoint, _BREAKING)
            job = _Job(
                platform, settings, endpoint, version, baseline, means, options, watchers, purpose
            )
            if job.compared:
                endpoint.observations()  # without them there is no A/B test: better to know now
            candidate = _Candidate(job, _begun(job))
            candidate.promote()
            keep_change(endpoint, settings, RELEASED, watchers.report)
            # callers have it: that an old one cannot be removed undoes nothing
            candidate.remove_others()
    except BaseException:
        if candidate and candidate.promoted:
            candidate.tell()
        raise
    return candidate.tell()


def _begun(job: "_Job") -> Record:
    """Return the record of a release that has failed so far; say why nothing is compared.

    Raises:
        Refused: the environment asks for what is missing.
    """
    endpoint, means, watchers = job.endpoint, job.means, job.watchers
    rehearsal = bool(job.options.rehearsal)
    ready = check_ready(
        job.platform, job.settings, job.version, watchers.report, rehearsal=rehearsal
    )
    if means.uncompared:
        job.watchers.report(f"{means.uncompared}, so nothing is compared")
    if means.changes:
        job.watchers.report(f"what callers send changes: {', '.join(means.changes)}")
    record = record_of(endpoint, other_colour(job.baseline), endpoint.traffic(), "failed", "")
    return replace(
        record,
        rehearsal=job.options.rehearsal,
        changes=means.changes,
        breaking=job.options.breaking if means.changes else "",
        replaced=means.made_up,
        model_version=job.version.version,
        readiness=ready,
    )


def _look_at_order(
    endpoint: Endpoint,
    baseline: str,
    version: ModelVersion,
    options: ReleaseOptions,
    report: Report,
) -> None:
    """Refuse an older version in the place of a newer one; a rehearsal only reports it."""
    if not options.rehearsal:
        require_newer(endpoint, baseline, version)
    elif newer := newer_served(endpoint, baseline, version):
        said = f"version {version.version} is older than version {newer}"
        report(f"{said}, which a rehearsal allows")


def _look_at_place(
    endpoint: Endpoint, version: ModelVersion, settings: LoadedSettings, options: ReleaseOptions
) -> None:
    """Refuse a candidate where another version serves than it was made to replace."""
    meant = None if options.stands_in else meant_here(version, settings.values.environment)
    if meant:
        require_reference(endpoint, meant.candidate, meant.reference, version.version)


def _is_released(endpoint: Endpoint, baseline: str, version: ModelVersion) -> bool:
    others = [each for each in endpoint.deployments() if each.name != baseline]
    way = endpoint.way_back()
    kept = [each for each in others if way and is_kept(each, way)]
    return others == kept and endpoint.is_current(baseline, version)


def _unchanged(
    endpoint: Endpoint, baseline: str, version: ModelVersion, watchers: Watchers
) -> Ended:
    watchers.report(f"{baseline} serves version {version.version} already")
    traffic = endpoint.traffic()
    record = record_of(endpoint, baseline, traffic, "unchanged", "it serves already")
    ended = Ended(record, None)
    watchers.ended(ended)
    return ended


@dataclass(frozen=True)
class _Job:
    """What is to be released, where, beside what, and how it is judged."""

    platform: Platform
    settings: LoadedSettings
    endpoint: Endpoint
    version: ModelVersion
    baseline: str | None
    means: Replacement
    options: ReleaseOptions
    watchers: Watchers
    purpose: str

    @property
    def compared(self) -> bool:
        """Whether an A/B test decides."""
        return bool(self.baseline) and has_ab_test(self.settings) and not self.means.uncompared

    @property
    def ab_settings(self) -> AbTestSettings:
        """The settings of its A/B test."""
        return self.options.ab_settings or ab_settings_of(self.settings, self.endpoint)


class _Candidate:
    """One version on its way to the callers, under the endpoint's lease.

    Args:
        job: what is to be done.
        record: of a release that has failed so far; it names the candidate.
    """

    def __init__(self, job: _Job, record: Record) -> None:
        self.record = record
        self.promoted = False
        self._job = job
        self._endpoint = job.endpoint
        self._version = job.version
        self._name = record.candidate
        self._report = job.watchers.report

    def promote(self) -> None:
        """Deploy, test and switch; on failure put everything back and tell of it."""
        was_there = self._endpoint.is_current(self._name, self._version)
        try:
            with restored(self._endpoint, unless_done=True):
                self._deploy()
                self._smoke_test()
                if self._job.baseline and self._job.compared:
                    self._ab_test(self._job.baseline)
                self._job.options.before_switch()
                job = self._job
                _look_at_place(self._endpoint, self._version, job.settings, job.options)
                self._switch()
        except BaseException as error:
            self._clean_up(error, keep=was_there or isinstance(error, Hold))
            raise
        passed = "the smoke test passed"
        if why := self._job.means.uncompared:
            passed = f"{why}, so nothing was compared; {passed}"
        reason = self.record.reason or passed
        self.record = self.record.ended("promoted", reason, {self._name: ALL_TRAFFIC})
        self.promoted = True

    def remove_others(self) -> None:
        """Remove what served before, unless it is kept; what cannot be removed is recorded."""
        stay = {self._name}
        way = self._endpoint.way_back()
        if way and self._job.settings.values.release.kept_for:
            self._report(kept_sentence(way))
            stay.add(way.deployment)
        others = [each.name for each in self._endpoint.deployments() if each.name not in stay]
        self.record = replace(self.record, left=tuple(others))  # if it is cut off
        self.record = replace(self.record, left=remove(self._endpoint, others, self._report))

    def tell(self) -> Ended:
        """Write the evidence, and tell of the end."""
        folder = None
        try:
            settings = self._job.settings
            folder = write_evidence(settings.project.state_dir, self.record, settings.clock())
        except Exception as error:  # a full disk or a plot must not decide how a release ends
            self._report(f"the evidence could not be written: {error}")
        ended = Ended(self.record, folder)
        self._job.watchers.ended(ended)
        return ended

    def _deploy(self) -> None:
        if self._endpoint.is_current(self._name, self._version):
            self._report(f"{self._name} serves version {self._version.version} already, at 0 %")
        else:
            self._endpoint.deploy(self._name, self._version, self._report, first_share=0)
        versions = {each.name: each.model_version for each in self._endpoint.deployments()}
        data = {
            name: source_of(self._job.platform, number).summary()
            for name, number in versions.items()
        }
        self.record = replace(self.record, versions=versions, data=data)

    def _smoke_test(self) -> None:
        result = try_deployment(
            self._job.platform,
            self._endpoint,
            self._name,
            self._job.settings.values.smoke_test,
            self._report,
        )
        self.record = replace(self.record, smoke=result)
        if not result.passed:
            raise Refused(
                f"{self._name}, version {self._version.version}, failed the smoke test: "
                f"{failures(result.checks)}"
            )

    def _ab_test(self, baseline: str) -> None:
        if problem := lasting_problem(self._endpoint, baseline):
            reason = f"{baseline} is not healthy ({problem}), so there is nothing to compare with"
            self._report(reason)
            self.record = replace(self.record, reason=f"{reason}; the smoke test passed")
            return
        result = run_ab_test(
            self._endpoint,
            baseline,
            self._name,
            self._job.ab_settings,
            self._report,
            self._look,
            callers=self._job.platform.has_callers,
        )
        self.record = replace(self.record, ab_test=result, reason=result.reason)
        if result.decision == "reject":
            raise Refused(f"version {self._version.version} is rejected: {result.reason}")
        if result.decision == "hold":
            raise Hold(
                f"version {self._version.version} is neither promoted nor rejected: "
                f"{result.reason}",
                f"{self._name} stays without traffic: run the same command to test it again",
            )

    def _look(self, look: Look, traffic: dict[str, int], mirror: dict[str, int]) -> None:
        """Hand a look of the A/B test on, and end it if a withdrawal took the endpoint."""
        require_hold(self._endpoint, self._job.purpose)
        self._job.watchers.watch(look, traffic, mirror)

    def _switch(self) -> None:
        self._report(f"{self._name} takes all traffic")
        self._endpoint.set_mirror(None)
        shares, way = {self._name: ALL_TRAFFIC}, self._way_back()
        self._endpoint.set_traffic(shares, completes=True, way_back=way)

    def _way_back(self) -> WayBack | None:
        """Return the way back from the switch: an alert may take it where requests are the same."""
        found = {each.name: each for each in self._endpoint.deployments()}
        old, new = found.get(self._job.baseline or ""), found[self._name]
        if old is None:
            return None
        settings = self._job.settings
        same = (old.model_version, old.origin) == (new.model_version, new.origin)
        return WayBack(
            old.name,
            old.model_version,
            settings.clock() + settings.values.release.kept_for,
            withdraws=None if same or self._job.means.uncompared else self._version.version,
        )

    def _clean_up(self, error: BaseException, *, keep: bool) -> None:
        """Keep what explains the failure; remove the candidate that this release brought."""
        outcome = "failed"
        if isinstance(error, Hold | Refused):
            outcome = "hold" if isinstance(error, Hold) else "rejected"
        reason = str(error).partition("\n")[0] or "it was interrupted"
        with contextlib.suppress(MlopsError):
            way = kept(self._endpoint)
            # what did not start took no place: what was kept there is kept still
            there = [] if way and way.deployment == self._name else self._endpoint.traffic()
            if self._name in there and outcome != "hold":
                log = self._endpoint.logs(self._name, LOG_LINES)
                self.record = replace(self.record, candidate_log=log)
            if self._name in there and not keep:
                self._report(f"removing {self._name}")
                self._endpoint.delete(self._name)
        self.record = self.record.ended(outcome, reason, self._endpoint.traffic())
        self.tell()
