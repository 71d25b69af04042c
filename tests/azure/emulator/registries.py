"""Registries: finding one, and copying a workspace's models into one."""

import uuid

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import hosts
from .arm import REGISTRY, parent_id
from .assets import Assets, locate
from .azurite import REGISTRIES, Azurite
from .errors import AzureError, bad_request, not_found
from .operations import Operations
from .state import PROVIDER, State, Store


class Registries:
    """The registries of the subscription."""

    def __init__(
        self, state: State, azurite: Azurite, operations: Operations, assets: Assets
    ) -> None:
        self._state = state
        self._azurite = azurite
        self._operations = operations
        self._assets = assets

    def routes(self) -> list[Route]:
        """Return the routes of a registry, below a region's management frontend."""
        return [Route(f"{REGISTRY}/import", self._import, methods=["POST"])]

    def discovery(self) -> list[Route]:
        """Return the route by which a client finds a registry, in a region's API."""
        path = "/registrymanagement/v1.0/registries/{registry}/discovery"
        return [Route(path, self._discover)]

    def add(self, name: str, group: str) -> str:
        """Make a registry; return its id."""
        self._state.groups.add(group)
        registry = f"{self._state.group_id(group)}/providers/{PROVIDER}/registries/{name}"
        self._state.put(
            registry,
            {
                "location": self._state.region,
                "tags": {},
                "identity": {"type": "SystemAssigned"},
                "properties": {
                    "publicNetworkAccess": "Enabled",
                    "mlFlowRegistryUri": f"azureml://{hosts.ml_api(self._state.region)}/mlflow/v1.0/registries/{name}",
                    "regionDetails": [{"location": self._state.region}],
                },
            },
        )
        return registry

    def find(self, name: str) -> str:
        """Return the id of a registry by its name, which is unique in all of Azure.

        Raises:
            AzureError: there is none (404).
        """
        for body in self._state.resources.values():
            if body["type"].endswith("/registries") and body["name"].lower() == name.lower():
                return str(body["id"])
        raise AzureError(404, "RegistryNotFound", f"Registry {name} was not found.")

    async def _discover(self, request: Request) -> Response:
        registry = self._state.get(self.find(request.path_params["registry"]))
        return JSONResponse(
            {
                "registryName": registry["name"],
                "tenantId": self._state.tenant,
                "primaryRegion": self._state.region,
                "regions": [self._state.region],
                "subscriptionId": self._state.subscription,
                "resourceGroup": registry["id"].split("/")[4],
                "workspaceName": registry["name"],
                "primaryRegionResourceProviderUri": f"https://{hosts.ml_api(self._state.region)}/",
            }
        )

    async def _import(self, request: Request) -> Response:
        """Copy one version of a workspace's model; its tags do not come along."""
        asked = (await request.json())["properties"]
        registry = parent_id(request)
        source = self._source(asked["sourceAssetId"])
        kind, name, version = source.split("/")[-4], source.split("/")[-3], source.split("/")[-1]
        if kind != "models":
            raise bad_request(f"Only models are copied here, not {kind}.")
        name = asked.get("destinationName") or name
        version = asked.get("destinationVersion") or version
        target = f"{registry}/models/{name}/versions/{version}"
        if self._state.find(target):
            raise AzureError(409, "Conflict", f"{name}:{version} is already in the registry.")
        model = self._state.get(source)["properties"]

        async def work() -> None:
            store = Store(REGISTRIES, str(uuid.uuid4()))
            origin, prefix = locate(model["modelUri"], self._state, self._azurite)
            folder = prefix.rpartition("/")[2]
            await run_in_threadpool(self._azurite.make, store)
            await run_in_threadpool(self._azurite.copy, origin, prefix, store, folder)
            properties = {**model, "tags": {}, "modelUri": self._azurite.url(store, folder)}
            self._assets.store(target, {"properties": properties})

        operation = self._operations.start(request, target, work)
        return self._operations.answer_without_result(operation)

    def _source(self, asset: str) -> str:
        """Return the ARM id of `azureml://locations/…/workspaces/{number}/…`."""
        inner = asset.partition("/workspaces/")[2]
        number, _, rest = inner.partition("/")
        for body in self._state.resources.values():
            if body["properties"].get("workspaceId") == number:
                return f"{body['id']}/{rest}"
        raise not_found(f"The workspace of {asset}")
