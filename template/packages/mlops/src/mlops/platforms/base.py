"""The protocol of a platform: where training runs, models are kept and endpoints live.

Steps, gates and releases are written against these types only, so that the same command works on
every platform. What runs where is always read from the endpoints themselves.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from mlops.diagnosis import Diagnosis
from mlops.errors import ConfigError, PlatformError
from mlops.platforms.auditing import Audited
from mlops.platforms.lease_terms import USUAL, Pending, Terms, WayBack
from mlops.platforms.notes import Noted
from mlops.platforms.watching import Watching
from mlops.progress import Report, StageReport
from mlops.settings.loading import LoadedSettings
from mlops.window import Window

if TYPE_CHECKING:
    from mlops.artifacts.predictions import Predictions
    from mlops.features import Features

ALL_TRAFFIC = 100


class AtWork(PlatformError):
    """The platform works off what a command began that is known to have ended."""


@dataclass(frozen=True)
class Run:
    """One training run and the local folder of its outputs.

    The folder holds `validated/`, `prepared/`, `model/`, `evaluation/` and, once judged,
    `verdict.json`.
    """

    run_id: str
    folder: Path


@dataclass(frozen=True)
class ModelVersion:
    """One registered, immutable model version and its relocatable folder.

    `Platform.version` returns it with the folder in place; in a list the folder may be missing, and
    `tags` say what the registry knows of it. An `archived` one is in no list; it can be brought
    back where it served, and nothing else.
    """

    name: str
    version: int
    folder: Path
    tags: Mapping[str, str] = field(default_factory=dict)
    archived: bool = False


@dataclass(frozen=True)
class KeptEvidence:
    """Evidence that is kept beside a version; `place` is where, in the platform's own words."""

    name: str
    place: str


@dataclass(frozen=True)
class Deployment:
    """One deployment behind an endpoint, as the endpoint itself reports it.

    `origin` says in the platform's own words what it was made of besides the model, such as its
    serving code; it is empty where nothing is known.
    """

    name: str
    model_version: int
    model_sha256: str
    commit: str
    healthy: bool
    detail: str = ""
    origin: str = ""


@dataclass(frozen=True)
class Answer:
    """An endpoint's answer to one scoring request."""

    status: int
    body: Any
    seconds: float
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Observation:
    """How one scoring request went, as the endpoint's front end saw it.

    Only requests that the front end gave to a deployment itself, by traffic or as a copy, are
    observed: one that names its deployment says nothing about how the two compare. `status` is 502
    or 504 if the deployment did not answer, 0 if it has not answered yet although more than the
    patience of who asks has passed. `sequence` rises with every request that begins, also over a
    restart of the front end.
    """

    sequence: int
    deployment: str
    status: int
    seconds: float
    mirrored: bool


@dataclass(frozen=True)
class DeploymentShare:
    """What a deployment served, its percentage of the traffic and its origin, as recorded."""

    model_version: int
    traffic: int
    origin: str = ""


class NoAccess(ConfigError):
    """Who runs this may not read what all environments share.

    Args:
        message: what cannot be done.
        remedy: what lets them read there.
        remedy_to_write: what lets them read and write there.
    """

    def __init__(self, message: str, remedy: str, remedy_to_write: str) -> None:
        super().__init__(message, remedy)
        self.remedy_to_write = remedy_to_write


class NotObserved(PlatformError):
    """How requests went cannot be read for now; another attempt may succeed."""


class Endpoint(Noted, Protocol):
    """One online endpoint with its deployments behind one URL."""

    name: str
    poll_seconds: float
    """How often its observations may be asked for: seconds between two questions, 0 for any."""

    def exists(self) -> bool:
        """Tell whether anything was ever deployed here."""

    def url(self) -> str:
        """Return the scoring URL, which never changes once the endpoint exists.

        Raises:
            ConfigError: it does not exist.
        """

    def key(self) -> str:
        """Return what callers send as `Authorization: Bearer …`: its key, or a token of theirs."""

    def deploy(
        self,
        deployment: str,
        version: ModelVersion,
        report: Report,
        *,
        first_share: int = 100,
        origin: str = "",
    ) -> None:
        """Create or replace a deployment; return when it is healthy, else leave all as it was.

        The endpoint's first deployment gets `first_share` percent of the traffic, 0 or 100; a
        further one gets none, and one that is replaced keeps its share. With an origin it is made
        of what that names, else of what the project holds now.

        Raises:
            ConfigError: the name is not allowed, or what the origin names cannot be had.
            Refused: the version's files differ from what was registered, or it was not shared.
            PlatformError: the deployment did not start, or another command changes the endpoint.
        """

    def is_current(self, deployment: str, version: ModelVersion) -> bool:
        """Tell whether a healthy deployment serves just this version with the present code."""

    def deployments(self) -> list[Deployment]:
        """Return what is deployed, in order of name."""

    def traffic(self) -> dict[str, int]:
        """Return the percentage of traffic of each deployment; the sum is 0 or 100."""

    def set_traffic(
        self,
        traffic: Mapping[str, int],
        *,
        completes: bool = False,
        way_back: WayBack | None = None,
    ) -> None:
        """Set the percentages; a deployment that is not named gets none.

        A deployment that is mirrored to cannot take traffic: end the mirror first. What completes
        the change of a lease is not undone any more if the process dies after it, and says what
        the way back is from now on.

        Raises:
            ConfigError: they do not sum to 0 or 100, are negative, or name a deployment that is
                unknown or mirrored to.
            PlatformError: a deployment is not healthy, or another command changes the endpoint.
        """

    def mirror(self) -> dict[str, int]:
        """Return the deployment that gets copies of requests, with its percentage; or nothing."""

    def set_mirror(self, deployment: str | None, percent: int = 0) -> None:
        """Send copies of so many percent of the requests to a deployment; None ends it.

        No caller sees or waits for a copy's answer.

        Raises:
            ConfigError: the percentage is not within 0 to 50, or the deployment is unknown or has
                traffic.
            PlatformError: another command changes the endpoint.
        """

    def delete(self, deployment: str) -> None:
        """Remove a deployment.

        Raises:
            ConfigError: it is unknown, has traffic or is mirrored to.
            PlatformError: another command changes the endpoint.
        """

    def observations(self, after: int = 0, patience_seconds: float = math.inf) -> list[Observation]:
        """Return how requests went after the one of this sequence, in the order they began.

        The list ends before the first request that is open and younger than the patience, so that
        one which hangs is not overtaken by others that speak for its deployment. A front end that
        tells only of requests that have ended takes no notice of the patience: one that took
        longer counts the same. It keeps only the latest ones, and loses them when it ends.

        Raises:
            ConfigError: the endpoint does not exist, or requests are not observed here.
            PlatformError: the front end does not answer.
        """

    def await_observation(self, deployment: str, report: Report) -> None:
        """Ask a deployment something, and return once it is known that requests are observed.

        Where they are observed as they come, that is at once. The request says nothing of how
        deployments compare, and is no observation.

        Raises:
            ConfigError: the endpoint does not exist, or requests are not observed here.
            NotObserved: nothing was seen of it for so long that a comparison would see nothing.
        """

    def predictions(self, window: Window, features: "Features | None" = None) -> "Predictions":
        """Return the events of predictions of a window, of requests and of `mlops score` alike.

        Args:
            window: when they were answered.
            features: the features to read with them; None: none.

        Raises:
            NotObserved: they cannot be read for now.
        """

    def keep_scored(self, folder: Path) -> None:
        """Keep the events that a run of `mlops score` wrote to a folder, or raise MlopsError."""

    def keep_checks(self, checks: Sequence[Mapping[str, Any]]) -> None:
        """Keep what a check of this endpoint found, or raise PlatformError.

        Each row is flat, of texts, numbers and null, and has `check` (such as `drift`) and `time`,
        in ISO 8601 with its offset.
        """

    def checks(self, name: str, window: Window) -> list[dict[str, Any]]:
        """Return what such checks found in a window, oldest first, or raise NotObserved."""

    def front_log(self, window: Window) -> list[dict[str, Any]] | None:
        """Return the requests of a window as the front logged them; None if it keeps no log.

        Each has `time` and the properties of `traffic` in monitoring/event_properties.py.

        Raises:
            NotObserved: it cannot be read for now.
        """

    def lease(self, purpose: str, terms: Terms = USUAL) -> AbstractContextManager[None]:
        """Hold the endpoint for one change of several steps, such as a release.

        If the change ends with an exception, traffic and mirror are as before; if its process dies,
        the next repair restores them. Neither happens after the traffic that completes the change.

        Raises:
            EndpointBusy: another change is in progress, or took the lease; the sentence names it.
            AtWork: the platform works off what a command began that has ended.
        """

    def pending(self) -> Pending | None:
        """Return the change that holds the lease, of a living command or a dead one; or None."""

    def previous(self) -> dict[str, DeploymentShare] | None:
        """Return what each deployment was before the last completed change, or None."""

    def way_back(self) -> WayBack | None:
        """Return what had all traffic before the last change, if that change said so, or None."""

    def invoke(self, payload: bytes | Mapping[str, Any], deployment: str | None = None) -> Answer:
        """Send one scoring request, to one deployment if it is named; return any answer.

        Raises:
            ConfigError: the endpoint does not exist.
            PlatformError: it cannot be reached, or does not answer.
        """

    def logs(self, deployment: str, lines: int = 100) -> str:
        """Return the last lines that a deployment printed.

        Raises:
            ConfigError: there is no such endpoint or deployment.
        """

    def stop(self) -> None:
        """Stop what runs, keeping the endpoint so that it can be started again.

        Raises:
            ConfigError: here a deployment can only run or be removed.
        """

    def repair(self, report: Report) -> None:
        """Start again whatever should run and does not, and undo what a killed change left."""


class Platform(Watching, Audited, Protocol):
    """A place where the project's steps run."""

    name: str
    has_callers: ClassVar[bool]
    """Whether its endpoints have callers of their own, who depend on their answers.

    Where there are none, requests are generated and one command may go through the whole loop.
    """
    can_stop: ClassVar[bool]
    """Whether an endpoint can be stopped and started again; elsewhere it runs until removed."""

    @classmethod
    def examine(cls, settings: LoadedSettings) -> list[Diagnosis]:
        """Check each resource that commands need there; a check that fails stops no other."""

    def train(self, data_dir: Path | None, report: StageReport) -> Run:
        """Run validate, prepare, fit and evaluate; return the run with its outputs.

        A platform that runs the steps itself names the stage of what it reports: data, validate,
        train or evaluate.

        Raises:
            Refused: the data did not pass validation.
            PlatformError: a step failed, or did not end in time.
        """

    def run(self, run_id: str) -> Run:
        """Find a run by its id.

        Raises:
            ConfigError: there is no such run.
            PlatformError: it has not completed.
        """

    def runs(self) -> list[Run]:
        """Return the runs whose outputs are at hand, newest first."""

    def store_verdict(self, run: Run, verdict: Mapping[str, Any]) -> None:
        """Keep the gate's verdict with the run."""

    def register(self, run: Run, build: Callable[[Path, int], None]) -> ModelVersion:
        """Register the version folder that `build(folder, version)` fills.

        A run whose model is registered already keeps its version.
        """

    def versions(self) -> list[ModelVersion]:
        """Return the registered versions, oldest first."""

    def version(self, number: int) -> ModelVersion:
        """Find a registered version.

        Raises:
            ConfigError: there is no such version.
            Refused: its files are not those that were registered.
        """

    def share(self, number: int, report: Report) -> str | None:
        """Give a version to all environments; return its id, or None if they have it anyhow.

        Raises:
            ConfigError: there is no such version.
            Refused: they have another one by this number.
        """

    def keep_evidence(self, number: int, name: str, folder: Path) -> KeptEvidence:
        """Keep a sealed folder of evidence beside a version, for as long as the version.

        What is kept is never replaced. The same folder by the same name is left as it is.

        Raises:
            ConfigError: there is no such version, or the folder is not sealed.
            Refused: another folder is kept by this name.
        """

    def evidence(self, number: int) -> list[KeptEvidence]:
        """Return what is kept beside a version, in order of name.

        Raises:
            ConfigError: there is no such version.
        """

    def fetch_evidence(self, number: int, name: str, target: Path) -> None:
        """Make a folder of what is kept beside a version by a name.

        Raises:
            ConfigError: there is no such version, nothing is kept by this name, or the target holds
                something.
            Refused: it is not what was kept.
        """

    def register_data(self, folder: Path, name: str, report: Report) -> str | None:
        """Register a folder of raw data; return its name and version, or None if it needs none."""

    def register_stored_data(self, path: str, name: str, report: Report) -> str:
        """Register a folder of a datastore in the cloud; return its name and version.

        Raises:
            ConfigError: the platform has no datastores, or the path names no folder of one.
        """

    def endpoint(self, name: str) -> Endpoint:
        """Return an endpoint by name, whether or not it exists yet."""

    def champion(self, report: Report) -> ModelVersion | None:
        """Return the version with all traffic in prod, else the newest registered one, or None.

        One of made-up data is returned only where there is no other. If the version that serves is
        not registered any more, that is reported, and it is the newest one of those that are.
        """
