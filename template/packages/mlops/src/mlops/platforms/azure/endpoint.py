"""An online endpoint of Azure ML.

What is deployed, its traffic and the lease of a change are always read from Azure.
"""

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from typing_extensions import override

from mlops.artifacts.predictions import Predictions
from mlops.artifacts.version_folder import VersionFacts, verify_version
from mlops.errors import ConfigError, MlopsError, PlatformError
from mlops.features import Features
from mlops.hints import typed
from mlops.platforms.answers import is_answer
from mlops.platforms.azure import lease as leases
from mlops.platforms.azure.caller import AzureCaller, check_auth
from mlops.platforms.azure.changes import Changes
from mlops.platforms.azure.client import AzureClients
from mlops.platforms.azure.definition import (
    is_as_wanted,
    is_in_the_way,
    wanted_deployment,
    wanted_tags,
    wanted_telemetry,
)
from mlops.platforms.azure.endpoint_hold import EndpointHold
from mlops.platforms.azure.events import AzureEvents
from mlops.platforms.azure.models import AzureModels
from mlops.platforms.azure.notes import AzureNotes
from mlops.platforms.azure.observations import (
    SKEW,
    TrafficLog,
    await_row,
    query_fresh,
    query_traffic,
)
from mlops.platforms.azure.resource import (
    FETCHING,
    Change,
    EndpointResource,
    View,
    version_of,
)
from mlops.platforms.base import (
    ALL_TRAFFIC,
    Answer,
    Deployment,
    Endpoint,
    ModelVersion,
    Observation,
)
from mlops.platforms.http import OwnSession, predicts_as
from mlops.platforms.lease_rules import Shares
from mlops.platforms.lease_terms import TIDYING, USUAL, Pending, Terms, WayBack
from mlops.platforms.log_excerpt import excerpt
from mlops.platforms.traffic_rules import (
    check_mirror,
    check_removal,
    check_shares,
    require_healthy,
    unknown_deployment,
)
from mlops.progress import Report, silent
from mlops.settings.azure_names import check_online_name
from mlops.signing.folder import require_deployable
from mlops.signing.policy import trust_of
from mlops.window import Window

_LOG_LINES, _PAUSE_SECONDS = 200, 2.0


@dataclass
class Session:
    """What one process knows of an endpoint: all its objects for that endpoint share it."""

    hold: EndpointHold = field(default_factory=EndpointHold)
    log: TrafficLog | None = None


class AzureEndpoint(AzureNotes, Endpoint):
    """One endpoint in the workspace of the settings' environment.

    Args:
        clients: of the workspace.
        models: where versions are.
        name: the endpoint's name.
        session: what is known of the endpoint already.

    Raises:
        ConfigError: Azure does not allow the name.
    """

    def __init__(
        self,
        clients: AzureClients,
        models: AzureModels,
        name: str,
        session: Session | None = None,
    ) -> None:
        check_online_name("endpoint", name)
        self.name = name
        self._clients = clients
        self._models = models
        self._root = clients.settings.project.root
        self._azure = clients.settings.values.azure
        self.poll_seconds = self._azure.poll_seconds
        self._settings = clients.settings.values.endpoint
        self._known = session or Session()
        self._resource = EndpointResource(clients, name)
        self._clock = clients.settings.clock
        self._changes = Changes(
            self._resource, self._known.hold, self._azure.lease_seconds, self._clock
        )
        self._session = OwnSession()
        self._caller = AzureCaller(clients, self._resource)
        self._events = AzureEvents(clients, name, self._session)

    @override
    def exists(self) -> bool:
        view = self._resource.read()
        return view is not None and bool(view.deployments)

    @override
    def url(self) -> str:
        return str(self._resource.existing().entity.scoring_uri)

    @override
    def key(self) -> str:
        return self._caller.secret()

    @override
    def deploy(
        self,
        deployment: str,
        version: ModelVersion,
        report: Report,
        *,
        first_share: int = ALL_TRAFFIC,
        origin: str = "",
    ) -> None:
        """Create or replace a deployment; return when it answers, else leave all as it was.

        With an origin, no code is uploaded and no image registered: those that it names are used,
        and the kind of machine.
        """
        check_online_name("deployment", deployment)
        if view := self._resource.read():
            check_auth(view.entity, self._clients.settings.values.serving.auth)
        facts = require_deployable(version.folder, trust_of(self._clients.settings), report)
        reference = self._models.reference(version.version)
        with self._step(f"the deployment of {deployment}", report):
            view = self._resource.existing()
            before = view.deployments
            wanted = wanted_deployment(
                *(self._clients, self.name, deployment, facts, reference, origin),
                view.client_id,
                report,
            )
            in_the_way = is_in_the_way(view, wanted)
            try:
                if in_the_way:
                    report(f"removing {deployment}, which Azure gives no other machines")
                    self._remove(deployment, report)
                self._put(wanted, report)
                report(f"asking {deployment} for a prediction")
                self._check(deployment, facts)
            except BaseException as error:
                said = self._what_it_printed(deployment, error)
                self._take_back(deployment, before.get(deployment), report)
                if said and isinstance(error, MlopsError):
                    raise type(error)(f"{error.message}\n{said}", error.remedy) from None
                raise
            if not before and first_share:
                self._changes.write(lambda _view: Change(traffic={deployment: first_share}))

    @override
    def is_current(self, deployment: str, version: ModelVersion) -> bool:
        """Tell whether a healthy deployment serves just this version with the present code.

        The same holds for the image, the definition of deployments and what conf decides of it.
        """
        view, settings = self._resource.read(), self._clients.settings
        found = view.deployments.get(deployment) if view else None
        if view is None or found is None or not view.described[deployment].healthy:
            return False
        facts = verify_version(version.folder)
        told = wanted_telemetry(settings, self.name, deployment, facts, view.client_id)
        tags = wanted_tags(self._root, facts, settings.values, told)
        return is_as_wanted(found, tags, settings.values)

    @override
    def deployments(self) -> list[Deployment]:
        view = self._resource.read()
        return list(view.described.values()) if view else []

    @override
    def traffic(self) -> dict[str, int]:
        view = self._resource.read()
        return view.traffic if view else {}

    @override
    def set_traffic(
        self,
        traffic: Mapping[str, int],
        *,
        completes: bool = False,
        way_back: WayBack | None = None,
    ) -> None:
        def wanted(view: View) -> Change | None:
            check_shares(self.name, traffic, view.deployments.keys(), view.mirror)
            for name in (name for name, share in traffic.items() if share):
                found = view.described[name]
                require_healthy(name, found.detail, healthy=found.healthy)
            shares = {name: traffic.get(name, 0) for name in view.traffic}
            return None if shares == view.traffic else Change(traffic=shares)

        self._changes.write(wanted, completes=completes, way_back=way_back)
        self._look_anew()

    @override
    def mirror(self) -> dict[str, int]:
        view = self._resource.read()
        return view.mirror if view else {}

    @override
    def set_mirror(self, deployment: str | None, percent: int = 0) -> None:

        def wanted(view: View) -> Change | None:
            check_mirror(self.name, deployment, percent, view.traffic)
            mirror = {deployment: percent} if deployment is not None and percent else {}
            return None if mirror == view.mirror else Change(mirror=mirror)

        self._changes.write(wanted)
        self._look_anew()

    @override
    def delete(self, deployment: str) -> None:
        """Remove a deployment; the endpoint stays, also without any."""

        def checked(view: View) -> None:
            check_removal(self.name, deployment, view.traffic, view.mirror)

        self._remove(deployment, silent, checked)

    @override
    def observations(self, after: int = 0, patience_seconds: float = math.inf) -> list[Observation]:
        """Return how requests went that ended after the observation of this sequence.

        They come from the log of the endpoint's traffic, some minutes late. The first call begins
        to look; a change of traffic or mirror by this process begins anew. The log holds what has
        ended: so a request is told of only when one that began with it would have ended, too, by
        its time limit, and none that hangs is overtaken.

        Raises:
            ConfigError: no Log Analytics workspace is named, or it may not be read.
            NotObserved: Log Analytics does not answer.
        """
        workspace = self._log_workspace
        log = self._known.log = self._known.log or TrafficLog(self._clock())
        if log.is_due(self._azure.poll_seconds):
            rows = query_traffic(
                self._session, self._events.token(), workspace, self.name, log.window_start
            )
            view = self._resource.existing()
            mirrored = frozenset(name for name in view.mirror if not view.traffic.get(name))
            limit = timedelta(seconds=self._settings.request_timeout_seconds)
            log.add(rows, mirrored, began_before=self._clock() - limit)
        return log.after(after)

    @override
    def predictions(self, window: Window, features: "Features | None" = None) -> Predictions:
        return self._events.predictions(window, features)

    @override
    def keep_scored(self, folder: Path) -> None:
        self._events.keep_scored(folder)

    @override
    def keep_checks(self, checks: Sequence[Mapping[str, Any]]) -> None:
        self._events.keep(checks)

    @override
    def checks(self, name: str, window: Window) -> list[dict[str, Any]]:
        return self._events.checks(name, window)

    @override
    def front_log(self, window: Window) -> list[dict[str, Any]]:
        return self._events.front_log(window)

    @override
    def await_observation(self, deployment: str, report: Report) -> None:
        """Send a request that scores nothing; wait for it, or any other since, in the log."""
        workspace = self._log_workspace
        since = self._clock() - SKEW
        self.invoke({"data": []}, deployment)
        await_row(
            lambda: query_fresh(self._session, self._events.token(), workspace, self.name, since),
            self._azure.log_patience_seconds,
            self.poll_seconds,
            report,
        )

    @property
    def _log_workspace(self) -> str:
        if workspace := self._azure.log_analytics_workspace_id:
            return workspace
        raise ConfigError(
            "there can be no A/B test without a log of the requests",
            "set azure.log_analytics_workspace_id in conf to the id of the Log Analytics "
            "workspace that gets the category AmlOnlineEndpointTrafficLog of the endpoint "
            "(docs/going-live.md)",
        )

    @override
    @contextlib.contextmanager
    def lease(self, purpose: str, terms: Terms = USUAL) -> Iterator[None]:
        with self._changes.held(purpose, terms=terms):
            yield

    @override
    def pending(self) -> Pending | None:
        view = self._resource.read()
        if view is None:
            return None
        return leases.pending(view.lease, self._clock(), in_progress=view.in_progress)

    @override
    def previous(self) -> Shares | None:
        view = self._resource.read()
        return leases.read_memory(view.tags).previous if view else None

    @override
    def way_back(self) -> WayBack | None:
        view = self._resource.read()
        return leases.read_memory(view.tags).way_back if view else None

    @override
    def invoke(self, payload: bytes | Mapping[str, Any], deployment: str | None = None) -> Answer:
        return self._caller.call(self._session, payload, deployment)

    @override
    def logs(self, deployment: str, lines: int = 100) -> str:
        known = self._resource.existing().deployments
        if deployment not in known:
            raise ConfigError(unknown_deployment(self.name, deployment, known.keys()))
        return self._resource.log(deployment, lines)

    @override
    def stop(self) -> None:
        """Refuse: a deployment on Azure runs, and costs money, until it is removed."""
        count = self._settings.instances
        machines = f"{count} machine{'s' if count != 1 else ''} {self._azure.instance_type}"
        raise ConfigError(
            f"{self.name} cannot be paused: on Azure each of its deployments is billed as "
            f"{machines} for every hour until it is removed",
            f"{typed('stop --remove')} removes them, and {typed('deploy')} makes them again at "
            "the same URL",
        )

    @override
    def repair(self, report: Report) -> None:
        """Undo the change of a command that died; Azure itself keeps deployments running."""
        self._changes.undo_abandoned(report)

    @contextlib.contextmanager
    def _step(self, purpose: str, report: Report) -> Iterator[None]:
        """Hold the endpoint for one step, unless this process holds it for a longer change."""
        if self._known.hold.is_held:
            self._changes.write(lambda _view: None)
            yield
            return
        with self._changes.held(purpose, report, TIDYING):
            yield

    def _check(self, deployment: str, facts: VersionFacts) -> None:
        """Wait until a new deployment predicts, as the version that it should be.

        Raises:
            PlatformError: it does not, or Azure deployed another version.
        """
        found = self._resource.existing().deployments[deployment]
        if version_of(str(found.model)) != facts.version:
            raise PlatformError(
                f"{deployment} was to serve version {facts.version}, but Azure says: {found.model}"
            )
        deadline = time.monotonic() + self._settings.start_timeout_seconds
        while True:
            answer = self.invoke({"data": [facts.example]}, deployment)
            if predicts_as(answer, facts.version):
                return
            if is_answer(answer.status) or time.monotonic() > deadline:
                raise PlatformError(
                    f"{deployment} does not predict as version {facts.version}: "
                    f"{answer.status} {answer.body}"
                )
            time.sleep(_PAUSE_SECONDS)

    def _what_it_printed(self, deployment: str, error: BaseException) -> str:
        """Return what a failed deployment printed, and what failed before it could."""
        if not isinstance(error, MlopsError):
            return ""
        said = []
        for container in (None, FETCHING):
            with contextlib.suppress(MlopsError):
                said.append(excerpt(self._resource.log(deployment, _LOG_LINES, container).strip()))
        return "\n".join(filter(None, said))

    def _take_back(self, deployment: str, before: Any, report: Report) -> None:
        """Remove what was made, or make again what was replaced."""
        report(f"taking {deployment} back")
        try:
            if before is not None:
                self._put(before, report)
            elif deployment in self._resource.existing().deployments:
                self._remove(deployment, report)
        except MlopsError as error:
            report(f"{deployment} could not be taken back: {error}")

    def _put(self, entity: Any, report: Report) -> None:
        seconds = self._azure.operation_timeout_seconds
        self._changes.operate(lambda: self._resource.put_deployment(entity, report), seconds)

    def _remove(
        self,
        deployment: str,
        report: Report,
        check: Callable[[View], None] = lambda _view: None,
    ) -> None:
        def removed() -> None:
            self._resource.remove_deployment(deployment, report)

        self._changes.operate(removed, self._azure.operation_timeout_seconds, check)

    def _look_anew(self) -> None:
        if self._known.log:
            self._known.log.restart(self._clock())
