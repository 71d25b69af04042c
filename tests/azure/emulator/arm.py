"""What is in the subscription: resource groups, workspaces, datastores, computes."""

import uuid

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import hosts
from .azurite import AUDIT, KEYED, KEYLESS, Azurite
from .errors import bad_request, not_found
from .state import PROVIDER, State, Store, shown

GROUP = "/subscriptions/{subscription}/resourceGroups/{group}"
WORKSPACE = f"{GROUP}/providers/{PROVIDER}/workspaces/{{workspace}}"
REGISTRY = f"{GROUP}/providers/{PROVIDER}/registries/{{registry}}"
DATASTORE = "workspaceblobstore"


class Arm:
    """The resources that infrastructure code makes; the project only reads them."""

    def __init__(self, state: State, azurite: Azurite) -> None:
        self._state = state
        self._azurite = azurite

    def routes(self) -> list[Route]:
        """Return the routes below management.azure.com."""
        return [
            Route("/subscriptions/{subscription}", self._subscription),
            Route(GROUP, self._group),
            Route(f"{WORKSPACE}/datastores/{{name}}/listSecrets", self._secrets, methods=["POST"]),
            *(
                route
                for parent in (WORKSPACE, REGISTRY)
                for route in (Route(parent, self._get), Route(f"{parent}/{{tail:path}}", self._get))
            ),
            *(
                Route(f"{GROUP}/providers/{PROVIDER}/{kind}", self._get)
                for kind in ("workspaces", "registries")
            ),
        ]

    def add_workspace(
        self, name: str, group: str, log_analytics: str, *, storage_keys: bool
    ) -> str:
        """Make a workspace with its default datastore; return its id."""
        self._state.groups.add(group)
        resource = f"{self._state.group_id(group)}/providers/{PROVIDER}/workspaces/{name}"
        number = str(uuid.uuid4())
        store = Store(KEYED if storage_keys else KEYLESS, f"azureml-blobstore-{number}")
        self._azurite.make(store)
        self._state.stores[resource.lower()] = store
        self._azurite.make(Store(AUDIT, "audit"))
        region = self._state.region
        self._state.put(
            resource,
            {
                "location": region,
                "tags": {"audit-account": AUDIT},
                "kind": "Default",
                "identity": {"type": "SystemAssigned", "principalId": str(uuid.uuid4())},
                "properties": {
                    "friendlyName": name,
                    "workspaceId": number,
                    "discoveryUrl": f"https://{hosts.ml_api(region)}/discovery",
                    "mlFlowTrackingUri": f"azureml://{hosts.ml_api(region)}/mlflow/v1.0{resource}",
                    "provisioningState": "Succeeded",
                    "storageAccount": f"{self._state.group_id(group)}/providers/"
                    f"Microsoft.Storage/storageAccounts/{store.account}",
                    "applicationInsights": f"{self._state.group_id(group)}/providers/"
                    f"Microsoft.Insights/components/{name}",
                    "logAnalyticsWorkspace": log_analytics,
                    "publicNetworkAccess": "Enabled",
                    "systemDatastoresAuthMode": "accesskey" if storage_keys else "identity",
                },
            },
        )
        for datastore in (DATASTORE, "workspaceartifactstore"):
            self._add_datastore(f"{resource}/datastores/{datastore}", store)
        return resource

    def _add_datastore(self, datastore: str, store: Store) -> None:
        self._state.put(
            datastore,
            {
                "properties": {
                    "datastoreType": "AzureBlob",
                    "accountName": store.account,
                    "containerName": store.container,
                    "endpoint": "core.windows.net",
                    "protocol": "https",
                    "isDefault": datastore.endswith(DATASTORE),
                    "credentials": {
                        "credentialsType": "AccountKey" if store.account == KEYED else "None"
                    },
                    "serviceDataAccessAuthIdentity": "WorkspaceSystemAssignedIdentity",
                    "tags": {},
                    "properties": {},
                }
            },
        )

    def add_compute(self, workspace: str, name: str) -> None:
        """Make a cluster that scales to zero."""
        self._state.put(
            f"{workspace}/computes/{name}",
            {
                "location": self._state.region,
                "properties": {
                    "computeType": "AmlCompute",
                    "computeLocation": self._state.region,
                    "provisioningState": "Succeeded",
                    "properties": {
                        "vmSize": "Standard_D4as_v4",
                        "vmPriority": "LowPriority",
                        "allocationState": "Steady",
                        "scaleSettings": {
                            "minNodeCount": 0,
                            "maxNodeCount": 1,
                            "nodeIdleTimeBeforeScaleDown": "PT120S",
                        },
                    },
                },
            },
        )

    async def _subscription(self, request: Request) -> Response:
        subscription = request.path_params["subscription"]
        self._state.check_scope(subscription, next(iter(self._state.groups), ""))
        return JSONResponse(
            {
                "id": f"/subscriptions/{subscription}",
                "subscriptionId": subscription,
                "tenantId": self._state.tenant,
                "displayName": "emulated",
                "state": "Enabled",
            }
        )

    async def _group(self, request: Request) -> Response:
        group = request.path_params["group"]
        self._state.check_scope(request.path_params["subscription"], group)
        return JSONResponse(
            {
                "id": self._state.group_id(group),
                "name": group,
                "type": "Microsoft.Resources/resourceGroups",
                "location": self._state.region,
                "properties": {"provisioningState": "Succeeded"},
            }
        )

    async def _get(self, request: Request) -> Response:
        """Return any resource, or the members of a collection."""
        path = resource_path(request)
        if is_collection(path):
            found = self._state.children(path)
            if request.query_params.get("isDefault") == "true":
                found = [each for each in found if each["properties"].get("isDefault")]
            return JSONResponse({"value": [shown(each) for each in found]})
        return JSONResponse(shown(self._state.get(path)))

    async def _secrets(self, request: Request) -> Response:
        workspace = parent_id(request)
        name = request.path_params["name"]
        if self._state.find(f"{workspace}/datastores/{name}") is None:
            raise not_found(f"Datastore {name}")
        store = self._state.stores[workspace.lower()]
        if store.account == KEYLESS:
            said = f"No secrets for credentials of type None: {name} is opened by who signs in."
            self._state.client_faults.append(said)
            raise bad_request(said)
        key = self._azurite.accounts[store.account].key
        return JSONResponse({"secretsType": "AccountKey", "key": key})


def is_collection(path: str) -> bool:
    """Tell whether an id names a collection, such as `…/workspaces/w/models`."""
    return path[path.index(PROVIDER) :].count("/") % 2 == 1


def resource_path(request: Request) -> str:
    """Return the ARM id that a request is about."""
    path: str = request.url.path
    return path[path.index("/subscriptions/") :].rstrip("/")


def parent_id(request: Request) -> str:
    """Return the id of the workspace or the registry that a request is about."""
    path = resource_path(request)
    return "/".join(path.split("/")[:9])
