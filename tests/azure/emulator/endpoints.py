"""Online endpoints and their deployments."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import hosts, servers
from .arm import WORKSPACE, resource_path
from .assets import locate
from .azurite import Azurite
from .collector import Collector
from .errors import AzureError, bad_request, conflict, not_found
from .machine import Machine
from .operations import Operations
from .servers import CrashedError, Server
from .state import Body, State

ENDPOINT = f"{WORKSPACE}/onlineEndpoints/{{endpoint}}"
DEPLOYMENT = f"{ENDPOINT}/deployments/{{deployment}}"
_PROBE = {
    "failureThreshold": 30,
    "initialDelay": "PT10S",
    "period": "PT10S",
    "successThreshold": 1,
    "timeout": "PT2S",
}
_DEPLOYMENT_DEFAULTS = {
    "endpointComputeType": "Managed",
    "appInsightsEnabled": False,
    "environmentVariables": {},
    "properties": {},
    "egressPublicNetworkAccess": "Enabled",
    "scaleSettings": {"scaleType": "Default"},
    "requestSettings": {
        "maxConcurrentRequestsPerInstance": 1,
        "maxQueueWait": "PT0.5S",
        "requestTimeout": "PT5S",
    },
    "livenessProbe": _PROBE,
    "readinessProbe": _PROBE,
}
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9-]{1,30}[a-zA-Z0-9]")
_NOT_READY = "User container did not start: see the logs. https://aka.ms/oe-tsg"
_ALL = 100
_MAX_MIRROR = 50


class NotFetchedError(AzureError):
    """Code or model could not be brought to a deployment."""


@dataclass
class Running:
    """What runs behind one endpoint."""

    id: str
    keys: dict[str, str] = field(
        default_factory=lambda: {
            name: secrets.token_urlsafe(24) for name in ("primaryKey", "secondaryKey")
        }
    )
    servers: dict[str, Server] = field(default_factory=dict)
    logs: dict[str, Path] = field(default_factory=dict)
    fetching: dict[str, str] = field(default_factory=dict)
    """What the container storage-initializer, which brings model and code, printed."""


class Endpoints:
    """The endpoints of all workspaces; their names are unique in a region."""

    def __init__(
        self, state: State, azurite: Azurite, operations: Operations, folder: Path, machine: Machine
    ) -> None:
        self.variables: dict[str, str] = {}
        """What every deployment's process gets besides its own variables."""
        self.sees: list[Path] = []
        """The files that these name."""
        self._state = state
        self._azurite = azurite
        self._operations = operations
        self._folder = folder
        self._machine = machine
        self.running: dict[str, Running] = {}

    def routes(self) -> list[Route]:
        """Return the routes below management.azure.com."""
        return [
            Route(ENDPOINT, self._put, methods=["PUT"]),
            Route(ENDPOINT, self._delete, methods=["DELETE"]),
            Route(f"{ENDPOINT}/listKeys", self._keys, methods=["POST"]),
            Route(DEPLOYMENT, self._put_deployment, methods=["PUT"]),
            Route(DEPLOYMENT, self._delete_deployment, methods=["DELETE"]),
            Route(f"{DEPLOYMENT}/getLogs", self._logs, methods=["POST"]),
        ]

    def stop(self) -> None:
        """End all servers."""
        for endpoint in self.running.values():
            for server in endpoint.servers.values():
                server.stop()

    async def _put(self, request: Request) -> Response:
        path = resource_path(request)
        name = request.path_params["endpoint"]
        body = await request.json()
        _check_name(name)
        old = self._state.find(path)
        other = self.running.get(name.lower())
        if other and other.id.lower() != path.lower():
            raise bad_request(f"There is already an endpoint named {name} in this region.")
        self._check_free(path)
        deployments = {
            str(each["name"]): each for each in self._state.children(f"{path}/deployments")
        }
        before = old["properties"]["traffic"] if old else {}
        _check_traffic(body["properties"], before, deployments)
        properties = {
            "authMode": "Key",
            "publicNetworkAccess": "Enabled",
            "properties": {},
            "scoringUri": f"https://{hosts.inference(name, self._state.region)}/score",
            "swaggerUri": f"https://{hosts.inference(name, self._state.region)}/swagger.json",
            "traffic": {},
            "mirrorTraffic": {},
            **{key: each for key, each in body["properties"].items() if each is not None},
        }
        new = {
            "location": body["location"],
            "tags": body.get("tags") or {},
            "identity": body.get("identity") or {"type": "SystemAssigned"},
            "kind": "Managed",
        }
        running = self.running.setdefault(name.lower(), Running(path))

        async def work() -> None:
            done = {**new, "properties": properties | {"provisioningState": "Succeeded"}}
            self._state.put(running.id, done)

        async def failed() -> None:
            if old is None:
                del self.running[name.lower()]
                self._state.delete(path)
            else:
                self._state.put(path, old)

        shown = old or {**new, "properties": properties | {"traffic": {}, "mirrorTraffic": {}}}
        state = "Updating" if old else "Creating"
        self._state.put(
            path, shown | {"properties": shown["properties"] | {"provisioningState": state}}
        )
        operation = self._operations.start(request, path, work, failed)
        return self._operations.answer(operation, 200 if old else 201, self._state.get(path))

    async def _delete(self, request: Request) -> Response:
        path = resource_path(request)
        if self._state.find(path) is None:
            return Response(status_code=204)
        self._check_free(path)

        async def work() -> None:
            running = self.running.pop(request.path_params["endpoint"].lower())
            for server in running.servers.values():
                await run_in_threadpool(server.stop)
            self._state.delete(path)

        return self._operations.answer(self._operations.start(request, path, work), 202, None)

    async def _keys(self, request: Request) -> Response:
        running = self._running(request)
        if self._state.get(running.id)["properties"]["authMode"] == "AADToken":
            raise bad_request("An endpoint whose auth mode is AADToken has no keys.")
        return JSONResponse(running.keys)

    async def _put_deployment(self, request: Request) -> Response:
        path = resource_path(request)
        body = await request.json()
        name = request.path_params["deployment"]
        _check_name(name)
        running = self._running(request)
        self._check_free(running.id)
        old = self._state.find(path)
        _check_machines(name, old, body)
        properties = {
            **_DEPLOYMENT_DEFAULTS,
            "provisioningState": "Updating" if old else "Creating",
            **{key: each for key, each in body["properties"].items() if each is not None},
        }
        new = {
            "location": body["location"],
            "tags": body.get("tags") or {},
            "sku": body.get("sku") or {"name": "Default", "capacity": 1},
        }
        kept = self._state.put(path, {**new, "properties": properties})

        async def work() -> None:
            try:
                folder = await run_in_threadpool(self._prepare, properties, path)
            except NotFetchedError as error:
                running.fetching[name] = f"storage-initializer: {error.code}: {error.message}\n"
                raise AzureError(400, "ResourceNotReady", _NOT_READY) from error
            running.fetching[name] = "storage-initializer: done\n"
            running.logs[name] = folder / "log.txt"
            before = running.servers.get(name)
            try:
                server = await servers.start(
                    folder,
                    self._machine,
                    properties["codeConfiguration"]["scoringScript"],
                    {**self.variables, **(properties.get("environmentVariables") or {})},
                    self._collector(path, properties, folder),
                    self.sees,
                )
            except CrashedError as error:
                raise AzureError(400, "ResourceNotReady", str(error)) from error
            running.servers[name] = server
            self._finish(path, "Succeeded")
            if before:
                await run_in_threadpool(before.stop)

        async def failed() -> None:
            # what served before goes on serving
            self._finish(path, "Failed")

        operation = self._operations.start(request, path, work, failed)
        return self._operations.answer(operation, 200 if old else 201, kept)

    async def _delete_deployment(self, request: Request) -> Response:
        path = resource_path(request)
        name = request.path_params["deployment"]
        if self._state.find(path) is None:
            return Response(status_code=204)
        running = self._running(request)
        self._check_free(running.id)
        properties = self._state.get(running.id)["properties"]
        for kind in ("traffic", "mirrorTraffic"):
            if share := properties[kind].get(name):
                raise bad_request(
                    f"Deployment {name} cannot be deleted: it has {share} % of the {kind}. "
                    "Update the endpoint's traffic first."
                )

        async def work() -> None:
            if server := running.servers.pop(name, None):
                await run_in_threadpool(server.stop)
            for kind in ("traffic", "mirrorTraffic"):
                properties[kind].pop(name, None)
            self._state.delete(path)

        return self._operations.answer(self._operations.start(request, path, work), 202, None)

    async def _logs(self, request: Request) -> Response:
        asked = await request.json()
        self._state.get(resource_path(request).removesuffix("/getLogs"))
        running, name = self._running(request), request.path_params["deployment"]
        if asked.get("containerType") == "StorageInitializer":
            return JSONResponse({"content": running.fetching.get(name, "")})
        log = running.logs.get(name)
        if log is None or not log.exists():
            return JSONResponse({"content": ""})
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        return JSONResponse({"content": "\n".join(lines[-(asked.get("tail") or 100) :]) + "\n"})

    def _collector(self, path: str, properties: Body, folder: Path) -> Collector | None:
        settings = properties.get("dataCollector")
        if not settings:
            return None
        parts = path.split("/")
        store = self._state.stores["/".join(parts[:9]).lower()]
        return Collector(self._azurite, store, f"{parts[10]}/{parts[12]}", settings, folder)

    def _running(self, request: Request) -> Running:
        path = resource_path(request)
        endpoint = "/".join(path.split("/")[:11])
        self._state.get(endpoint)
        return self.running[request.path_params["endpoint"].lower()]

    def _check_free(self, endpoint: str) -> None:
        if operation := self._operations.on(endpoint):
            raise conflict(
                f"Another operation ({operation.id}) is in progress on the endpoint "
                f"{endpoint.split('/')[-1]}. Try again when it has ended."
            )

    def _finish(self, path: str, state: str) -> None:
        found = self._state.get(path)
        found["properties"]["provisioningState"] = state

    def _prepare(self, properties: Body, path: str) -> Path:
        """Bring code and model of a deployment onto this machine.

        Raises:
            AzureError: the code, the model or the environment does not exist.
        """
        number = secrets.token_hex(4)
        folder = servers.empty(
            self._folder / f"{path.split('/')[-3]}-{path.split('/')[-1]}-{number}"
        )
        code = self._asset(properties["codeConfiguration"]["codeId"])
        self._asset(properties["environmentId"])
        self._fetch(code["properties"]["codeUri"], folder / "code")
        model = self._asset(_model_id(properties["model"]))
        uri = model["properties"]["modelUri"]
        # as Azure lays a model out: below the variable, the folder that was registered; and deeper
        # where it is a registry's, which nobody here has seen
        mounted = folder / "model" / ("INPUT_model" if "/registries/" in model["id"] else "")
        self._fetch(uri, mounted / uri.rstrip("/").rpartition("/")[2])
        return folder

    def _fetch(self, uri: str, target: Path) -> None:
        store, prefix = locate(uri, self._state, self._azurite)
        if not self._azurite.download(store, prefix, target):
            raise NotFetchedError(404, "BlobNotFound", f"Nothing lies at {uri}.")

    def _asset(self, name: str) -> Body:
        """Return an asset by an ARM id or by `azureml://registries/…`."""
        return self._state.get(asset_id(name, self._state))


def asset_id(name: str, state: State) -> str:
    """Return the ARM id of an asset that a client names in one of several ways.

    Raises:
        AzureError: it is in a registry that does not exist (404).
    """
    name = name.removeprefix("azureml:")
    if name.startswith("//registries/"):
        _, _, _, registry, *rest = name.split("/")
        suffix = f"/registries/{registry}".lower()
        for key in state.resources:
            if key.endswith(suffix):
                return f"{key}/{'/'.join(rest)}"
        raise not_found(f"The registry {registry}")
    return name


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise bad_request(
            f"The name {name!r} must have 3 to 32 letters, digits and dashes, and start with a "
            "letter."
        )


def _check_machines(name: str, old: Body | None, body: Body) -> None:
    """Refuse other machines for a deployment that is there already.

    Raises:
        AzureError: so (400).
    """
    had = old["properties"].get("instanceType") if old else None
    if had and had != body["properties"].get("instanceType"):
        raise bad_request(f"The instance type of the deployment {name} cannot be changed.")


def _model_id(model: object) -> str:
    if isinstance(model, Mapping):
        return str(model["assetId"])
    return str(model)


def _check_traffic(
    properties: Mapping[str, Any], before: Mapping[str, int], deployments: Mapping[str, Body]
) -> None:
    """Hold the rules of Azure ML on traffic and mirroring.

    Raises:
        AzureError: one is broken (400).
    """
    traffic: dict[str, int] = properties.get("traffic") or {}
    mirror = {k: v for k, v in (properties.get("mirrorTraffic") or {}).items() if v}
    for name in (*traffic, *mirror):
        if name not in deployments:
            raise bad_request(f"Traffic names the deployment {name}, which does not exist.")
    if any(share < 0 for share in traffic.values()):
        raise bad_request("Traffic must not be negative.")
    if sum(traffic.values()) not in (0, _ALL):
        raise bad_request(f"Traffic must sum to 0 or 100, not {sum(traffic.values())}.")
    if len(mirror) > 1:
        raise bad_request("Only one deployment can receive mirrored traffic.")
    for name, share in mirror.items():
        if not 0 <= share <= _MAX_MIRROR:
            raise bad_request(f"At most 50 % of the traffic can be mirrored, not {share} %.")
        if traffic.get(name):
            raise bad_request(f"{name} cannot have traffic and mirrored traffic.")
    for name, share in traffic.items():
        state = deployments[name]["properties"]["provisioningState"]
        if share > before.get(name, 0) and state != "Succeeded":
            raise bad_request(f"{name} cannot take traffic: its provisioning state is {state}.")
