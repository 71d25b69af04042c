"""`mlops retrain`: decide, and if so train a candidate and release it by the usual path.

What is decided is kept beside the endpoint before anything is trained, and how it ended after it.
Until its release a candidate changes nothing that callers reach, and if it fails on the way what
served before serves on.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from mlops.artifacts.candidate import Candidate, FreshData, candidate_id, write_candidate
from mlops.artifacts.data_source import ASSET, FOLDER, SAMPLE
from mlops.errors import ConfigError, MlopsError
from mlops.governance.audit.entry import Act
from mlops.governance.audit.record import Recording, Subject, recorded
from mlops.monitoring.alert_state import Deed
from mlops.monitoring.decisions import Decision, Kind, keep
from mlops.monitoring.retraining.commit import require_trainable
from mlops.monitoring.retraining.knowledge import (
    Past,
    Serving,
    begin,
    known_of,
    last_ends,
    looked_back,
    past_of,
    serving_of,
)
from mlops.monitoring.retraining.policy import Attempt, Cause, Known, Outcome, Verdict, decide, lost
from mlops.monitoring.retraining.telling import NOBODY, Hearers, tell_end, tell_stop
from mlops.monitoring.retraining.training import Trained, training_settings
from mlops.platforms.base import AtWork, Endpoint, Platform
from mlops.platforms.lease_rules import EndpointBusy
from mlops.progress import Report
from mlops.release.candidate_end import (
    FAILED,
    HELD,
    INTERRUPTED,
    OUTDATED,
    REFUSED,
    REJECTED,
    RELEASED,
    end_by,
)
from mlops.release.reference import require_reference
from mlops.release.traffic import require_level
from mlops.settings.loading import LoadedSettings

RETRAINING_LEVEL = 3
NOTHING_SERVES = "nothing serves"
IMPOSSIBLE = "impossible"
HANDED_OVER = "handed over"
"""The pipeline trains the candidate: its own lines say what came of it."""
LOST = "lost"
"""Of the candidate nothing was heard for `retraining.patience_hours`."""
_EXIT_CODES = {
    RELEASED: 0,
    REFUSED: 1,
    REJECTED: 1,
    OUTDATED: 1,
    FAILED: 3,
    HELD: 4,
    NOTHING_SERVES: 0,
}
_NOT_TOLD = 3


class Train(Protocol):
    """Trains, judges and registers a candidate, see `train_here`."""

    def __call__(
        self, candidate: Candidate, manifest: Path, settings: LoadedSettings, report: Report, /
    ) -> Trained:
        """Return what came of it.

        Raises:
            Refused: the data or the gate say no.
            MlopsError: it failed.
        """


class Release(Protocol):
    """Releases a version of a candidate to its environment by the usual path."""

    def __call__(self, trained: Trained, settings: LoadedSettings, report: Report, /) -> str:
        """Return the reason why it is released.

        Raises:
            Refused: the smoke test or the A/B test say no; `Outdated`: what it was to replace
                serves no more.
            Hold: the A/B test came to no decision.
            MlopsError: it failed.
        """


@dataclass(frozen=True)
class Steps:
    """What follows from the decision to train a candidate.

    Attributes:
        train: None where the pipeline trains it: then the manifest is all.
        release: brings its version to callers.
        hearers: who is told that retraining has stopped, and how candidates ended.
    """

    train: Train | None
    release: Release
    hearers: Hearers = NOBODY


@dataclass(frozen=True)
class Retrained:
    """What came of it.

    Attributes:
        outcome: of the decision, or how the candidate ended.
        cause: what is reason enough, a word of `Cause`.
        reason: a sentence.
        endpoint: where.
        model_version: what served when it was decided; None: nothing did.
        candidate: what was decided to be trained, if anything was.
        manifest: its file.
        new_version: the version that was made of it.
        lost: candidates of which nothing was heard for too long.
        told: who was told what, and who could not be.
    """

    outcome: str
    cause: str
    reason: str
    endpoint: str
    model_version: int | None = None
    candidate: Candidate | None = None
    manifest: Path | None = None
    new_version: int | None = None
    lost: tuple[str, ...] = ()
    told: tuple[Deed, ...] = ()

    @property
    def untold(self) -> tuple[Deed, ...]:
        """Who could not be told, or what of it could not be remembered."""
        return tuple(each for each in self.told if each.failed)

    @property
    def exit_code(self) -> int:
        """That of the command: 1 before 3, and 3, also where somebody was not told, before 4."""
        own = _EXIT_CODES.get(self.outcome)
        code = Outcome(self.outcome).exit_code if own is None else own
        return _NOT_TOLD if self.untold and code != 1 else code

    def to_dict(self) -> dict[str, Any]:
        """Return it as the command prints it."""
        candidate = self.candidate.to_dict() if self.candidate else None
        told = [{**asdict(each), "kind": each.kind.value} for each in self.told]
        content = asdict(replace(self, candidate=None))
        return {"schema": 1, **content, "candidate": candidate, "told": told}


def retrain(
    platform: Platform,
    settings: LoadedSettings,
    steps: Steps,
    report: Report,
    *,
    by_hand: str | None = None,
    dry_run: bool = False,
) -> Retrained:
    """Decide whether the model that serves is trained again, and see to it if so.

    Args:
        platform: where it serves.
        settings: of the environment in which it serves.
        steps: what follows from the decision.
        report: is told what is being done.
        by_hand: why a person asks for it; None: what was found decides.
        dry_run: decide alone: nothing is kept, told or trained.

    Raises:
        ConfigError: the project's maturity level is lower, or the code of the version that serves
            cannot be had.
        PlatformError: what is known cannot be read, or what is decided cannot be kept.
    """
    require_level(settings.project, RETRAINING_LEVEL, "retrain")
    endpoint = platform.endpoint(settings.endpoint_name)
    deciding = _Deciding(platform, endpoint, settings, steps, report, by_hand)
    serving = serving_of(platform, endpoint)
    if serving is None:
        return nothing_serves(endpoint)
    past, known = deciding.read(serving)
    limits = settings.values.retraining
    verdict, missing = decide(known, limits), lost(known, limits)
    ended = deciding.said(serving, verdict)
    told: list[Deed] = []
    if not dry_run:
        told = deciding.caught_up(past, missing)
        trains = verdict.outcome is Outcome.RETRAIN
        ended = deciding.begun(serving) if trains else deciding.kept(serving, verdict)
    names = tuple(each.candidate for each in missing)
    return replace(ended, lost=names, told=(*told, *ended.told))


def nothing_serves(endpoint: Endpoint) -> Retrained:
    """Return what came of it where there is nothing to train again."""
    reason = f"nothing serves at {endpoint.name}, so there is nothing to train again"
    return Retrained(NOTHING_SERVES, Cause.NONE.value, reason, endpoint.name)


@dataclass(frozen=True)
class _Begun:
    """What was decided under the lease: a candidate and its manifest, or why there is none."""

    serving: Serving
    verdict: Verdict
    candidate: Candidate | None = None
    manifest: Path | None = None


@dataclass(frozen=True)
class _Deciding:
    """One decision."""

    platform: Platform
    endpoint: Endpoint
    settings: LoadedSettings
    steps: Steps
    report: Report
    by_hand: str | None

    def read(self, serving: Serving) -> tuple[Past, Known]:
        """Return what is remembered, and what is known of what serves."""
        limits, now = self.settings.values.retraining, self._now()
        past = past_of(self.endpoint, limits, now)
        return past, known_of(self.endpoint, past, serving, limits, now, self.by_hand)

    def caught_up(self, past: Past, missing: Sequence[Attempt]) -> list[Deed]:
        """Keep which candidates are lost; tell how each ended to who does not know yet."""
        new = [self._lost(each) for each in missing]
        if new:
            keep(self.endpoint, new)
        newest = self._now() - timedelta(days=self.settings.values.retraining.newest_days)
        ends = last_ends([*past.decisions, *new])
        return [
            deed
            for end in ends
            if end.time >= newest
            for deed in tell_end(self.endpoint, self.steps.hearers, end, past.decisions)
        ]

    def said(self, serving: Serving, verdict: Verdict) -> Retrained:
        """Return a verdict by which nothing is trained."""
        outcome, cause = verdict.outcome.value, verdict.cause.value
        return Retrained(outcome, cause, verdict.reason, self.endpoint.name, serving.version)

    def kept(self, serving: Serving, verdict: Verdict) -> Retrained:
        """Keep a verdict by which nothing is trained; tell people if it has stopped."""
        decision, found = self._decision(serving, verdict), self.said(serving, verdict)
        keep(self.endpoint, [decision])
        if verdict.outcome is not Outcome.STOPPED:
            return found
        past = past_of(self.endpoint, self.settings.values.retraining, self._now())
        told = tell_stop(self.endpoint, self.steps.hearers, decision, past.decisions)
        return replace(found, told=tuple(told))

    def begun(self, serving: Serving) -> Retrained:
        """Begin a candidate, unless another command was quicker; then see it to its end."""
        try:
            with self.endpoint.lease("a decision on retraining"):
                begun = self._begun()
        except (EndpointBusy, AtWork) as error:
            cause = Cause.NONE if self.by_hand is None else Cause.BY_HAND
            return self.kept(serving, Verdict(Outcome.WAIT, cause, error.message))
        if begun is None:
            return nothing_serves(self.endpoint)
        if begun.candidate is None or begun.manifest is None:
            return self.kept(begun.serving, begun.verdict)
        self.report(f"candidate {begun.candidate.id}: {begun.candidate.reason}")
        found = self.said(begun.serving, begun.verdict)
        found = replace(found, candidate=begun.candidate, manifest=begun.manifest)
        if self.steps.train is None:
            with self._recorded(begun.candidate) as recording:
                recording.outcome = HANDED_OVER
            return found
        end = self._of(begun.candidate, begun.verdict, begun.serving)
        ended = replace(found, outcome=FAILED, reason=INTERRUPTED)
        try:
            with self._recorded(begun.candidate) as recording:
                ended = self._ended(self.steps.train, found, begun.candidate, begun.manifest)
                recording.outcome, recording.reason = ended.outcome, ended.reason
                if ended.new_version is not None:
                    recording.subject["version"] = ended.new_version
        finally:
            end = replace(end, outcome=ended.outcome, reason=ended.reason, time=self._now())
            keep(self.endpoint, [end])
        told = tell_end(self.endpoint, self.steps.hearers, end, ())
        return replace(ended, told=tuple(told))

    def _recorded(self, candidate: Candidate) -> AbstractContextManager[Recording]:
        subject: Subject = {
            "candidate": candidate.id,
            "reference": candidate.reference,
            "endpoint": self.endpoint.name,
        }
        details = {"cause": candidate.cause, "why": candidate.reason, "commit": candidate.commit}
        return recorded(
            self.platform,
            self.settings,
            Act.RETRAINING,
            subject,
            report=self.report,
            details=details,
        )

    def _begun(self) -> _Begun | None:
        """Decide again, about what serves now that nobody else changes it; None: nothing does."""
        serving = serving_of(self.platform, self.endpoint)
        if serving is None:
            return None
        verdict = decide(self.read(serving)[1], self.settings.values.retraining)
        if verdict.outcome is not Outcome.RETRAIN:
            return _Begun(serving, verdict)
        self._require_trainable(serving, verdict)
        candidate = self._frozen(serving, verdict)
        manifest = write_candidate(self.settings.project.state_dir, candidate)
        begin(self.endpoint, self._of(candidate, verdict, serving))
        return _Begun(serving, verdict, candidate, manifest)

    def _ended(
        self, train: Train, begun: Retrained, candidate: Candidate, manifest: Path
    ) -> Retrained:
        """Train and release a candidate; return how it ended."""
        trained: Trained | None = None
        replaces = (candidate.id, candidate.reference)
        try:
            require_reference(self.endpoint, *replaces)
            trained = train(candidate, manifest, self.settings, self.report)
            begun = replace(begun, new_version=trained.model_version)
            require_reference(self.endpoint, *replaces, trained.model_version)
            reason = self.steps.release(trained, self.settings, self.report)
        except MlopsError as error:
            outcome, reason = end_by(error, registered=trained is not None)
            return replace(begun, outcome=outcome, reason=reason)
        return replace(begun, outcome=RELEASED, reason=reason)

    def _require_trainable(self, serving: Serving, verdict: Verdict) -> None:
        try:
            require_trainable(self.settings.project.root, serving)
        except ConfigError as error:
            decision = self._decision(serving, verdict)
            decision = replace(decision, outcome=IMPOSSIBLE, reason=error.message)
            keep(self.endpoint, [decision])
            raise

    def _frozen(self, serving: Serving, verdict: Verdict) -> Candidate:
        now = self._now()
        window = looked_back(self.settings.values.retraining, now)
        return Candidate(
            id=candidate_id(serving.version, now),
            model_name=self.settings.model_name,
            environment=self.settings.values.environment,
            endpoint=self.endpoint.name,
            reference=serving.version,
            commit=serving.commit,
            cause=verdict.cause.value,
            reason=verdict.reason,
            window_start=window.start,
            window_end=now,
            data=fresh_data(training_settings(self.settings), in_cloud=self.platform.has_callers),
            created_at=now,
        )

    def _of(self, candidate: Candidate, verdict: Verdict, serving: Serving) -> Decision:
        decision = self._decision(serving, verdict)
        return replace(decision, time=candidate.created_at, subject=candidate.id)

    def _lost(self, attempt: Attempt) -> Decision:
        hours = self.settings.values.retraining.patience_hours
        return Decision(
            time=self._now(),
            kind=Kind.RETRAINING,
            cause=Cause.NONE.value,
            outcome=LOST,
            reason=f"nothing was heard of it within {hours:g} hours",
            environment=self.settings.values.environment,
            endpoint=self.endpoint.name,
            model_name=self.settings.model_name,
            model_version=attempt.reference,
            subject=attempt.candidate,
        )

    def _decision(self, serving: Serving, verdict: Verdict) -> Decision:
        return Decision(
            time=self._now(),
            kind=Kind.RETRAINING,
            cause=verdict.cause.value,
            outcome=verdict.outcome.value,
            reason=verdict.reason,
            environment=self.settings.values.environment,
            endpoint=self.endpoint.name,
            model_name=self.settings.model_name,
            deployment=serving.deployment,
            model_version=serving.version,
            value=verdict.value,
            limit=verdict.limit,
        )

    def _now(self) -> datetime:
        return self.settings.clock()


def fresh_data(settings: LoadedSettings, *, in_cloud: bool) -> FreshData:
    """Return the data that a candidate is trained on: all that conf names, by today.

    Args:
        settings: what conf names.
        in_cloud: whether training is in a cloud, where the data are an asset.
    """
    data, today = settings.values.data, settings.reference_date
    asset = settings.values.azure.data_asset
    if in_cloud and asset is not None:
        return FreshData(kind=ASSET, name=asset, reference_date=today)
    if data.source == FOLDER:
        return FreshData(kind=FOLDER, name=data.folder, reference_date=today)
    return FreshData(kind=SAMPLE, reference_date=today)
