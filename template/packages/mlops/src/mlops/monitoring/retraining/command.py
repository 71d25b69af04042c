"""`mlops retrain`: decide, and if so train a candidate and release it by the usual path.

What is decided is kept beside the endpoint before anything is trained, and how it ended after it.
Until its release a candidate changes nothing that callers reach, and if it fails on the way what
served before serves on.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from mlops.artifacts.candidate import Candidate, FreshData, candidate_id, write_candidate
from mlops.artifacts.data_source import ASSET, FOLDER, SAMPLE
from mlops.errors import ConfigError, Hold, MlopsError, Refused
from mlops.monitoring.decisions import Decision, Kind, keep
from mlops.monitoring.retraining.commit import require_trainable
from mlops.monitoring.retraining.knowledge import (
    STOPPED,
    Serving,
    begin,
    known_of,
    looked_back,
    serving_of,
    stop_told,
)
from mlops.monitoring.retraining.policy import Cause, Outcome, Verdict, decide
from mlops.monitoring.retraining.training import Trained, training_settings
from mlops.platforms.base import Endpoint, Platform
from mlops.platforms.lease_rules import EndpointBusy
from mlops.progress import Report
from mlops.release.traffic import require_level
from mlops.settings.loading import LoadedSettings

RETRAINING_LEVEL = 3
NOTHING_SERVES = "nothing serves"
IMPOSSIBLE = "impossible"
RELEASED, REFUSED, REJECTED, HELD, FAILED = "released", "refused", "rejected", "hold", "failed"
_EXIT_CODES = {RELEASED: 0, REFUSED: 1, REJECTED: 1, FAILED: 3, HELD: 4, NOTHING_SERVES: 0}


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
            Refused: the smoke test or the A/B test say no.
            Hold: the A/B test came to no decision.
            MlopsError: it failed.
        """


@dataclass(frozen=True)
class Steps:
    """What follows from the decision to train a candidate.

    Attributes:
        train: None where the pipeline trains it: then the manifest is all.
        release: brings its version to callers.
        tell: tells a person that retraining has stopped.
    """

    train: Train | None
    release: Release
    tell: Callable[[Decision], None] = lambda _decision: None


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
    """

    outcome: str
    cause: str
    reason: str
    endpoint: str
    model_version: int | None = None
    candidate: Candidate | None = None
    manifest: Path | None = None
    new_version: int | None = None

    @property
    def exit_code(self) -> int:
        """That of the command."""
        if self.outcome in _EXIT_CODES:
            return _EXIT_CODES[self.outcome]
        return Outcome(self.outcome).exit_code

    def to_dict(self) -> dict[str, Any]:
        """Return it as the command prints it."""
        candidate = self.candidate.to_dict() if self.candidate else None
        content = asdict(replace(self, candidate=None))
        return {"schema": 1, **content, "candidate": candidate}


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
        reason = f"nothing serves at {endpoint.name}, so there is nothing to train again"
        return Retrained(NOTHING_SERVES, Cause.NONE.value, reason, endpoint.name)
    verdict = deciding.verdict(serving)
    if dry_run:
        return deciding.said(serving, verdict)
    if verdict.outcome is not Outcome.RETRAIN:
        return deciding.kept(serving, verdict)
    return deciding.begun(serving)


@dataclass(frozen=True)
class _Deciding:
    """One decision."""

    platform: Platform
    endpoint: Endpoint
    settings: LoadedSettings
    steps: Steps
    report: Report
    by_hand: str | None

    def verdict(self, serving: Serving) -> Verdict:
        """Return what is to be done."""
        limits, now = self.settings.values.retraining, self.settings.clock()
        return decide(known_of(self.endpoint, serving, limits, now, self.by_hand), limits)

    def said(self, serving: Serving, verdict: Verdict) -> Retrained:
        """Return a verdict by which nothing is trained."""
        outcome, cause = verdict.outcome.value, verdict.cause.value
        return Retrained(outcome, cause, verdict.reason, self.endpoint.name, serving.version)

    def kept(self, serving: Serving, verdict: Verdict) -> Retrained:
        """Keep a verdict by which nothing is trained; tell a person if it has stopped."""
        keep(self.endpoint, [self._decision(serving, verdict)])
        if verdict.tell:
            told = replace(self._decision(serving, verdict), kind=Kind.INCIDENT, cause=STOPPED)
            # kept first: what cannot be told is not told at each look
            stop_told(self.endpoint, told)
            self.steps.tell(told)
        return self.said(serving, verdict)

    def begun(self, serving: Serving) -> Retrained:
        """Begin a candidate, unless another command was quicker; then see it to its end."""
        try:
            with self.endpoint.lease("a decision on retraining"):
                verdict = self.verdict(serving)
                if verdict.outcome is not Outcome.RETRAIN:
                    return self.kept(serving, verdict)
                self._require_trainable(serving, verdict)
                candidate = self._frozen(serving, verdict)
                manifest = write_candidate(self.settings.project.state_dir, candidate)
                begin(self.endpoint, self._of(candidate, verdict, serving))
        except EndpointBusy as error:
            cause = Cause.NONE if self.by_hand is None else Cause.BY_HAND
            return self.kept(serving, Verdict(Outcome.WAIT, cause, error.message))
        self.report(f"candidate {candidate.id}: {candidate.reason}")
        begun = Retrained(
            Outcome.RETRAIN.value,
            verdict.cause.value,
            verdict.reason,
            self.endpoint.name,
            serving.version,
            candidate,
            manifest,
        )
        if self.steps.train is None:
            return begun
        decision = self._of(candidate, verdict, serving)
        ended = replace(begun, outcome=FAILED, reason="it was interrupted")
        try:
            ended = self._ended(self.steps.train, begun, candidate, manifest)
        finally:
            end = replace(decision, outcome=ended.outcome, reason=ended.reason)
            keep(self.endpoint, [replace(end, time=self._now())])
        return ended

    def _ended(
        self, train: Train, begun: Retrained, candidate: Candidate, manifest: Path
    ) -> Retrained:
        """Train and release a candidate; return how it ended."""
        trained: Trained | None = None
        try:
            trained = train(candidate, manifest, self.settings, self.report)
            begun = replace(begun, new_version=trained.model_version)
            reason = self.steps.release(trained, self.settings, self.report)
        except Refused as error:
            outcome = REFUSED if trained is None else REJECTED
            return replace(begun, outcome=outcome, reason=error.message)
        except Hold as error:
            return replace(begun, outcome=HELD, reason=error.message)
        except MlopsError as error:
            return replace(begun, outcome=FAILED, reason=error.message)
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
