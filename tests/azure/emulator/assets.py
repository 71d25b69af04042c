"""Code, data, environments, components and models, of a workspace or of a registry."""

import re
import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .arm import REGISTRY, WORKSPACE, parent_id, resource_path
from .azurite import REGISTRIES, Azurite
from .errors import AzureError, not_found
from .state import PROVIDER, Body, State, Store, shown

KINDS = ("codes", "components", "data", "environments", "models")
# what may never change once a version exists, by kind
_FIXED = {
    "codes": ("codeUri",),
    "components": (),
    "data": ("dataUri", "dataType"),
    "environments": ("image", "build", "condaFile"),
    "models": ("modelUri", "modelType"),
}

_LONG = re.compile(
    r"azureml://subscriptions/([^/]+)/resourcegroups/([^/]+)/workspaces/([^/]+)"
    r"/datastores/[^/]+/paths/(.*)",
    re.IGNORECASE,
)
_SHORT = re.compile(r"azureml://datastores/([^/]+)/paths/(.*)", re.IGNORECASE)
_JOB = re.compile(r"azureml://jobs/([^/]+)/outputs/([^/]+)(/paths/(.*))?", re.IGNORECASE)
_URIS = ("dataUri", "modelUri")
_DEFAULTS: Body = {
    "isArchived": False,
    "isAnonymous": False,
    "tags": {},
    "properties": {},
    "provisioningState": "Succeeded",
}


class Assets:
    """Assets by name and version."""

    def __init__(self, state: State, azurite: Azurite) -> None:
        self._state = state
        self._azurite = azurite

    def routes(self, kind: str) -> list[Route]:
        """Return the routes of one kind; the same for a workspace and a registry."""
        routes = []
        for parent in (WORKSPACE, REGISTRY):
            version = f"{parent}/{kind}/{{name}}/versions/{{version}}"
            routes += [
                Route(f"{version}/startPendingUpload", self._upload, methods=["POST"]),
                Route(version, self._put, methods=["PUT"]),
                Route(version, self._get),
                Route(f"{parent}/{kind}/{{name}}/versions", self._list),
                Route(f"{parent}/{kind}/{{name}}", self._put_container, methods=["PUT"]),
            ]
        return routes

    def registry_routes(self) -> list[Route]:
        """Return the routes that only a registry has, for uploads and downloads."""
        return [
            Route(
                f"{REGISTRY}/tempdatarefs/{{name}}/versions/{{version}}",
                self._upload,
                methods=["PUT"],
            ),
            Route(
                f"{REGISTRY}/datarefs/{{name}}/versions/{{version}}", self._read, methods=["POST"]
            ),
        ]

    def store(self, version_id: str, body: Body) -> Body:
        """Keep a version, and what its container says of the newest one."""
        container = version_id.rpartition("/versions/")[0]
        kept = self._state.put(version_id, body)
        versions = [str(each["name"]) for each in self._state.children(f"{container}/versions")]
        numbers = [int(each) for each in versions if each.isdecimal()]
        old = self._state.find(container) or {}
        self._state.put(
            container,
            {
                "properties": {
                    "description": None,
                    "tags": {},
                    "properties": {},
                    "isArchived": False,
                    **old.get("properties", {}),
                    "latestVersion": kept["name"],
                    "nextVersion": str(max(numbers, default=0) + 1),
                }
            },
        )
        return kept

    async def _put(self, request: Request) -> Response:
        path = resource_path(request)
        body = await request.json()
        kind = path.split("/")[9]
        for name in _URIS:
            if uri := body["properties"].get(name):
                body["properties"][name] = long_uri(uri, parent_id(request), self._state)
        old = self._state.find(path)
        if old is not None:
            _check_same(kind, old, body)
        if kind == "models":
            if not path.rpartition("/")[2].isdecimal():
                raise AzureError(400, "UserError", "The version of a model must be a number.")
            self._check_files(body["properties"].get("modelUri", ""))
        if kind == "environments" and (build := body["properties"].get("build")):
            self._check_files(
                f"{build['contextUri'].rstrip('/')}/{build.get('dockerfilePath') or 'Dockerfile'}"
            )
        properties = {**_DEFAULTS, **({"flavors": {}} if kind == "models" else {})}
        properties |= {name: each for name, each in body["properties"].items() if each is not None}
        kept = self.store(path, {"properties": properties})
        return JSONResponse(shown(kept), 200 if old else 201)

    async def _put_container(self, request: Request) -> Response:
        path = resource_path(request)
        body = await request.json()
        old = self._state.find(path) or {"properties": {}}
        kept = self._state.put(path, {"properties": old["properties"] | body["properties"]})
        return JSONResponse(shown(kept))

    async def _get(self, request: Request) -> Response:
        return JSONResponse(shown(self._state.get(resource_path(request))))

    async def _list(self, request: Request) -> Response:
        query = request.query_params
        if "hash" in query:
            # a client names new code at random: what counts is whether its content is known
            found = self._versions(f"{parent_id(request)}/codes")
            return JSONResponse({"value": [x for x in found if _hash(x) == query["hash"]][:1]})
        found = self._state.children(resource_path(request))
        if "active" in query.get("listViewType", "ActiveOnly").lower():
            found = [each for each in found if not each["properties"].get("isArchived")]
        found.sort(key=lambda each: str(each["systemData"]["createdAt"]), reverse=True)
        if top := query.get("$top"):
            found = found[: int(top)]
        return JSONResponse({"value": [shown(each) for each in found]})

    def _versions(self, collection: str) -> list[Body]:
        keys = list(self._state.below(collection))
        return [self._state.resources[key] for key in keys if "/versions/" in key]

    async def _upload(self, request: Request) -> Response:
        """Make a container for one asset's files and open it for an hour."""
        path = resource_path(request).removesuffix("/startPendingUpload")
        if "/tempdatarefs/" in path:
            name = (await request.json())["assetId"]
            kind, asset, version = name.split("/")[-4], name.split("/")[-3], name.split("/")[-1]
            if self._state.find(f"{parent_id(request)}/{kind}/{asset}/versions/{version}"):
                raise AzureError(409, "Conflict", f"Asset {name} already exists.")
        in_registry = "/registries/" in path.lower()
        account = (
            REGISTRIES if in_registry else self._state.stores[parent_id(request).lower()].account
        )
        store = Store(account, str(uuid.uuid5(uuid.NAMESPACE_URL, path.lower())))
        self._azurite.make(store)
        return JSONResponse(
            {
                "pendingUploadId": str(uuid.uuid4()),
                "pendingUploadType": "TemporaryBlobReference",
                "blobReferenceForConsumption": self._reference(store, "racwdl"),
            }
        )

    async def _read(self, request: Request) -> Response:
        """Open the files of a registry's asset for reading."""
        store, _ = self._azurite.parse((await request.json())["blobUri"])
        return JSONResponse({"blobReferenceForConsumption": self._reference(store, "rl")})

    def _reference(self, store: Store, permission: str) -> dict[str, Any]:
        url = self._azurite.url(store)
        return {
            "blobUri": url,
            "storageAccountArmId": f"{self._state.group_id('shared')}/providers/Microsoft.Storage"
            f"/storageAccounts/{store.account}",
            "credential": {
                "credentialType": "SAS",
                "sasUri": f"{url}?{self._azurite.sas(store, permission)}",
            },
        }

    def _check_files(self, uri: str) -> None:
        """Refuse an asset whose files were not uploaded.

        Raises:
            AzureError: so (400).
        """
        store, prefix = locate(uri, self._state, self._azurite)
        if not self._azurite.names(store, prefix):
            raise AzureError(400, "UserError", f"No files were found at {uri}.")


def locate(uri: str, state: State, azurite: Azurite) -> tuple[Store, str]:
    """Return where the files lie that a URI of Azure ML or of a blob names.

    Raises:
        AzureError: it names nothing here (404).
    """
    if uri.startswith("https://"):
        return azurite.parse(uri)
    found = _LONG.fullmatch(uri)
    if found is None:
        raise not_found(f"The path {uri}")
    subscription, group, workspace, path = found.groups()
    parent = f"/subscriptions/{subscription}/resourceGroups/{group}"
    store = state.stores.get(f"{parent}/providers/{PROVIDER}/workspaces/{workspace}".lower())
    if store is None:
        raise not_found(f"The workspace of {uri}")
    return store, path.strip("/")


def long_uri(uri: str, workspace: str, state: State) -> str:
    """Return a URI that names its workspace for one that leaves it out, or that names a job.

    Raises:
        AzureError: the job has no such output (404).
    """
    if found := _JOB.fullmatch(uri):
        job, output, _, path = found.groups()
        folder = state.job_outputs.get(job, {}).get(output)
        if folder is None:
            raise not_found(f"The output {output} of the job {job}")
        return f"{folder}{path or ''}".rstrip("/")
    if found := _SHORT.fullmatch(uri):
        return f"{datastore_uri(workspace)}/{found[2]}"
    return uri


def datastore_uri(workspace: str) -> str:
    """Return the URI of the root of a workspace's default datastore."""
    parts = workspace.split("/")
    return (
        f"azureml://subscriptions/{parts[2]}/resourcegroups/{parts[4]}/workspaces/{parts[8]}"
        "/datastores/workspaceblobstore/paths"
    )


def _check_same(kind: str, old: Body, new: Body) -> None:
    for name in _FIXED[kind]:
        if old["properties"].get(name) != new["properties"].get(name):
            if kind == "models":
                raise AzureError(400, "UserError", "Asset paths cannot be updated.")
            raise AzureError(409, "Conflict", f"{name} of {old['id']} cannot be changed.")


def _hash(asset: Body) -> str:
    return str(asset["properties"].get("properties", {}).get("hash_sha256"))
