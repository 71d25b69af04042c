"""An online endpoint of Azure ML; see `Endpoint` in base.py for what each method promises.

What is deployed, its traffic and the lease of a change are always read from Azure.
"""

import contextlib
import hashlib
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from mlops.artifacts.version_folder import VersionFacts, verify_version
from mlops.errors import ConfigError, MlopsError, PlatformError
from mlops.files import code_hash
from mlops.platforms.azure import lease as leases
from mlops.platforms.azure.changes import Changes, Shared
from mlops.platforms.azure.client import AzureClients
from mlops.platforms.azure.environments import SERVING, environment_id, environment_version
from mlops.platforms.azure.errors import azure_errors
from mlops.platforms.azure.models import AzureModels
from mlops.platforms.azure.names import check_online_name, workspace_id
from mlops.platforms.azure.observations import DIRECT_AGENT, SCOPE, TrafficLog, query_traffic
from mlops.platforms.azure.origin import asset_id, read_origin
from mlops.platforms.azure.resource import Change, EndpointResource, View, version_of
from mlops.platforms.base import (
    ALL_TRAFFIC,
    Answer,
    Deployment,
    DeploymentShare,
    ModelVersion,
    Observation,
    Report,
    silent,
)
from mlops.platforms.http import post
from mlops.platforms.traffic_rules import (
    DEPLOYMENT_HEADER,
    check_mirror,
    check_removal,
    check_shares,
    require_healthy,
    unknown_deployment,
)

DEPLOYMENT_FILE = "aml/endpoints/deployment.yml"
OK = 200
_MODEL_ERROR = 424
_MODEL_STATUS = "ms-azureml-model-error-statuscode"
_LOG_LINES = 40
_PAUSE_SECONDS = 2.0

_shared: dict[tuple[str, str, str], Shared] = {}


class AzureEndpoint:
    """One endpoint in the workspace of the settings' environment.

    Args:
        clients: of the workspace.
        models: where versions are.
        name: the endpoint's name.

    Raises:
        ConfigError: Azure does not allow the name.
    """

    def __init__(self, clients: AzureClients, models: AzureModels, name: str) -> None:
        check_online_name("endpoint", name)
        self.name = name
        self._clients = clients
        self._models = models
        self._root = clients.settings.project.root
        self._azure = clients.settings.values.azure
        self._settings = clients.settings.values.endpoint
        names = clients.names
        self._shared = _shared.setdefault((names.resource_group, names.workspace, name), Shared())
        self._resource = EndpointResource(clients, name)
        self._changes = Changes(self._resource, self._shared, self._azure.lease_seconds)
        self._session = requests.Session()
        self._access: tuple[str, str] | None = None

    def exists(self) -> bool:
        """Tell whether anything is deployed here."""
        view = self._resource.read()
        return view is not None and bool(view.deployments)

    def url(self) -> str:
        """Return the scoring URL.

        Raises:
            ConfigError: the endpoint does not exist.
        """
        return str(self._resource.existing().entity.scoring_uri)

    def key(self) -> str:
        """Return the key that callers send as `Authorization: Bearer <key>`."""
        return self._resource.key()

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

        The first deployment of the endpoint gets the first share, a further one none; a replaced
        one keeps its share. With an origin, no code is uploaded and no image registered: those that
        it names are used, and the kind of machine.

        Raises:
            ConfigError: the name is not allowed, or the origin cannot be read.
            Refused: the version was not shared, or its files differ from what was registered.
            PlatformError: the deployment did not start, or another command changes the endpoint.
        """
        check_online_name("deployment", deployment)
        facts = verify_version(version.folder)
        reference = self._models.reference(version.version)
        with self._step(f"the deployment of {deployment}", report):
            before = self._resource.existing().deployments
            try:
                wanted = self._wanted(deployment, facts, reference, origin, report)
                self._put(wanted, report)
                report(f"asking {deployment} for a prediction")
                self._check(deployment, facts)
            except BaseException as error:
                said = self._what_it_printed(deployment, error)
                self._take_back(deployment, before.get(deployment), report)
                if said and isinstance(error, MlopsError):
                    raise type(error)(f"{error}\n{said}") from None
                raise
            if not before and first_share:
                self._changes.write(lambda _view: Change(traffic={deployment: first_share}))

    def is_current(self, deployment: str, version: ModelVersion) -> bool:
        """Tell whether a healthy deployment serves just this version with the present code.

        The same holds for the image, the definition of deployments and what conf decides of it.
        """
        view = self._resource.read()
        found = view.deployments.get(deployment) if view else None
        if view is None or found is None or not view.described[deployment].healthy:
            return False
        wanted = self._tags(verify_version(version.folder))
        tags = dict(found.tags or {})
        size = (found.instance_type, int(found.instance_count or 0))
        return all(tags.get(name) == value for name, value in wanted.items()) and size == (
            self._azure.instance_type,
            self._settings.instances,
        )

    def deployments(self) -> list[Deployment]:
        """Return what is deployed, in order of name."""
        view = self._resource.read()
        return list(view.described.values()) if view else []

    def traffic(self) -> dict[str, int]:
        """Return the percentage of traffic of each deployment; the sum is 0 or 100."""
        view = self._resource.read()
        return view.traffic if view else {}

    def set_traffic(self, traffic: Mapping[str, int], *, completes: bool = False) -> None:
        """Set the percentages; a deployment that is not named gets none.

        Raises:
            ConfigError: they do not sum to 0 or 100, are negative or name an unknown deployment.
            PlatformError: a deployment is not healthy, or another command changes the endpoint.
        """

        def wanted(view: View) -> Change | None:
            check_shares(self.name, traffic, view.deployments.keys(), view.mirror)
            for name in (name for name, share in traffic.items() if share):
                found = view.described[name]
                require_healthy(name, found.detail, healthy=found.healthy)
            shares = {name: traffic.get(name, 0) for name in view.traffic}
            return None if shares == view.traffic else Change(traffic=shares)

        self._changes.write(wanted, completes=completes)
        self._look_anew()

    def mirror(self) -> dict[str, int]:
        """Return the deployment that gets copies of requests, with its percentage; or nothing."""
        view = self._resource.read()
        return view.mirror if view else {}

    def set_mirror(self, deployment: str | None, percent: int = 0) -> None:
        """Send copies of so many percent of the requests to a deployment; None ends it.

        Raises:
            ConfigError: the percentage is not within 0 to 50, or the deployment is unknown or has
                traffic.
            PlatformError: another command changes the endpoint.
        """

        def wanted(view: View) -> Change | None:
            check_mirror(self.name, deployment, percent, view.traffic)
            mirror = {deployment: percent} if deployment is not None and percent else {}
            return None if mirror == view.mirror else Change(mirror=mirror)

        self._changes.write(wanted)
        self._look_anew()

    def delete(self, deployment: str) -> None:
        """Remove a deployment; the endpoint stays, also without any.

        Raises:
            ConfigError: it is unknown, has traffic or is mirrored to.
            PlatformError: another command changes the endpoint.
        """

        def checked(view: View) -> None:
            check_removal(self.name, deployment, view.traffic, view.mirror)

        self._remove(deployment, silent, checked)

    def observations(
        self,
        after: int = 0,
        patience_seconds: float = math.inf,  # noqa: ARG002
    ) -> list[Observation]:
        """Return how requests went that ended after the observation of this sequence.

        They come from the log of the endpoint's traffic, some minutes late. The first call begins
        to look; a change of traffic or mirror by this process begins anew. The log holds what has
        ended: so a request is told of only when one that began with it would have ended, too, by
        its time limit, and none that hangs is overtaken.

        Raises:
            ConfigError: no Log Analytics workspace is named, or it may not be read.
            PlatformError: Log Analytics does not answer.
        """
        workspace = self._azure.log_analytics_workspace_id
        if not workspace:
            raise ConfigError(
                "there can be no A/B test without a log of the requests: set "
                "azure.log_analytics_workspace_id in conf to the id of the Log Analytics workspace "
                "that gets the category AmlOnlineEndpointTrafficLog of the endpoint "
                "(docs/going-live.md)"
            )
        shared = self._shared
        log = shared.log = shared.log or TrafficLog(datetime.now(UTC))
        due = shared.asked is None or time.monotonic() - shared.asked >= self._azure.poll_seconds
        if due:
            with azure_errors("signing in to Log Analytics"):
                token = self._clients.credential.get_token(SCOPE).token
            rows = query_traffic(self._session, token, workspace, self.name, log.window_start)
            view = self._resource.existing()
            mirrored = frozenset(name for name in view.mirror if not view.traffic.get(name))
            limit = timedelta(seconds=self._settings.request_timeout_seconds)
            log.add(rows, mirrored, began_before=datetime.now(UTC) - limit)
            shared.asked = time.monotonic()
        return log.after(after)

    @contextlib.contextmanager
    def lease(self, purpose: str) -> Iterator[None]:
        """Hold the endpoint for one change of several steps.

        Raises:
            PlatformError: a change is in progress; the sentence names its purpose.
        """
        with self._changes.held(purpose, record=True):
            yield

    def previous(self) -> dict[str, DeploymentShare] | None:
        """Return what each deployment was before the last completed change, or None."""
        view = self._resource.read()
        return leases.read_previous(view.tags) if view else None

    def invoke(self, payload: bytes | Mapping[str, Any], deployment: str | None = None) -> Answer:
        """Send one scoring request, to one deployment if it is named.

        An answer of any status is returned. Azure's front answers 424 for whatever a deployment
        answers but 200: then the status is the deployment's own.

        Raises:
            ConfigError: the endpoint does not exist.
            PlatformError: the endpoint cannot be reached.
        """
        if self._access is None:
            self._access = (self.url(), self.key())
        url, key = self._access
        headers = {"Authorization": f"Bearer {key}"}
        if deployment is not None:
            headers |= {DEPLOYMENT_HEADER: deployment, "User-Agent": DIRECT_AGENT}
        answer = post(self._session, url, payload, headers, self._settings.request_timeout_seconds)
        own = {name.lower(): value for name, value in answer.headers.items()}.get(_MODEL_STATUS)
        if answer.status == _MODEL_ERROR and own and own.isdecimal():
            return replace(answer, status=int(own))
        return answer

    def logs(self, deployment: str, lines: int = 100) -> str:
        """Return the last lines that a deployment printed.

        Raises:
            ConfigError: there is no such deployment.
        """
        known = self._resource.existing().deployments
        if deployment not in known:
            raise ConfigError(unknown_deployment(self.name, deployment, known.keys()))
        return self._resource.log(deployment, lines)

    def stop(self) -> None:
        """Refuse: a deployment on Azure runs, and costs money, until it is removed.

        Raises:
            ConfigError: always.
        """
        count = self._settings.instances
        machines = f"{count} machine{'s' if count != 1 else ''} {self._azure.instance_type}"
        raise ConfigError(
            f"{self.name} cannot be paused: on Azure each of its deployments is billed as "
            f"{machines} for every hour until it is removed; `mlops stop --remove` removes them, "
            "and `mlops deploy` makes them again at the same URL"
        )

    def repair(self, report: Report) -> None:
        """Undo the change of a command that died; Azure itself keeps deployments running."""
        self._changes.undo_abandoned(report)

    @contextlib.contextmanager
    def _step(self, purpose: str, report: Report) -> Iterator[None]:
        """Hold the endpoint for one step, unless this process holds it for a longer change."""
        if self._shared.holds:
            self._changes.write(lambda _view: None)
            yield
            return
        with self._changes.held(purpose, report, record=False):
            yield

    def _wanted(
        self, name: str, facts: VersionFacts, reference: str, origin: str, report: Report
    ) -> Any:
        """Return the deployment of aml/endpoints/deployment.yml with all that conf decides.

        Code, image and kind of machine are those of the origin, if there is one.
        """
        from azure.ai.ml import load_online_deployment

        with azure_errors(f"reading {DEPLOYMENT_FILE}"):
            entity: Any = load_online_deployment(self._root / DEPLOYMENT_FILE)
        entity.name = name
        entity.endpoint_name = self.name
        entity.model = reference
        entity.tags = self._tags(facts)
        if origin:
            made_of = read_origin(origin)
            workspace = workspace_id(self._clients.names, self._azure)
            entity.code_configuration.code = asset_id(workspace, "codes", made_of.code)
            entity.environment = asset_id(workspace, "environments", made_of.environment)
            entity.instance_type = made_of.instance_type
            entity.tags |= {"code": made_of.code, "environment": made_of.environment}
        else:
            entity.code_configuration.code = str(self._root / "serving")
            entity.environment = environment_id(self._clients, SERVING, report)
            entity.instance_type = self._azure.instance_type
        entity.instance_count = self._settings.instances
        milliseconds = int(1000 * self._settings.request_timeout_seconds)
        entity.request_settings.request_timeout_ms = milliseconds
        return entity

    def _tags(self, facts: VersionFacts) -> dict[str, str]:
        return {
            "model_version": str(facts.version),
            "model_sha256": facts.model_sha256,
            "commit": facts.commit,
            "code": code_hash(self._root / "serving"),
            "environment": environment_version(self._root, SERVING),
            "definition": self._definition(),
        }

    def _definition(self) -> str:
        """Return a hash of the definition of deployments and what conf decides besides its size."""
        text = (self._root / DEPLOYMENT_FILE).read_bytes()
        seconds = self._settings.request_timeout_seconds
        return hashlib.sha256(text + f"\0{seconds:g}".encode()).hexdigest()[:16]

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
            version = answer.body.get("model_version") if isinstance(answer.body, dict) else None
            if answer.status == OK and version == facts.version:
                return
            if answer.status == OK or time.monotonic() > deadline:
                raise PlatformError(
                    f"{deployment} does not predict as version {facts.version}: "
                    f"{answer.status} {answer.body}"
                )
            time.sleep(_PAUSE_SECONDS)

    def _what_it_printed(self, deployment: str, error: BaseException) -> str:
        if not isinstance(error, MlopsError):
            return ""
        with contextlib.suppress(MlopsError):
            return self._resource.log(deployment, _LOG_LINES)
        return ""

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
        if self._shared.log:
            self._shared.log.restart(datetime.now(UTC))
