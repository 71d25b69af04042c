"""Log Analytics workspaces as ARM tells of them, and purges of their tables.

As Microsoft's page has it (rest/api/loganalytics/workspace-purge, 2025-07-01): a purge is accepted
with the name of an operation, whose status is pending, then completed. Filters hold all at once.
"""

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .errors import AzureError, bad_request, not_found
from .state import Event, State

GROUP = "/subscriptions/{subscription}/resourceGroups/{group}"
KIND = "Microsoft.OperationalInsights/workspaces"
_VERSION = "2025-07-01"
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": lambda value, wanted: bool(value == wanted),
    "in": lambda value, wanted: value in wanted,
}


class Purges:
    """The one Log Analytics workspace, and what it was asked to purge.

    Args:
        state: has its events.
        customer: the id by which queries name it.
    """

    def __init__(self, state: State, customer: str) -> None:
        self._state = state
        self._customer = customer
        self.places: dict[str, str] = {}
        """The name of the workspace in each resource group that has it, in small letters."""
        self.denied = False
        """Whether who signs in lacks the role Data Purger."""
        self._asked: dict[str, list[dict[str, Any]]] = {}
        self._completed: set[str] = set()

    def complete(self) -> None:
        """Let all purges that were asked for end."""
        for operation, filters in self._asked.items():
            if operation not in self._completed:
                events = self._state.events
                events[:] = [each for each in events if not _is_meant(each, filters)]
                self._completed.add(operation)

    def forget(self) -> None:
        """Let no operation be known any more."""
        self._asked.clear()

    def routes(self) -> list[Route]:
        """Return the routes below management.azure.com."""
        path = f"{GROUP}/providers/{KIND}"
        return [
            Route(path, self._list),
            Route(f"{path}/{{name}}", self._get),
            Route(f"{path}/{{name}}/purge", self._purge, methods=["POST"]),
            Route(f"{path}/{{name}}/operations/{{operation}}", self._status),
        ]

    async def _list(self, request: Request) -> Response:
        self._check(request)
        group = request.path_params["group"]
        name = self.places.get(group.lower())
        return JSONResponse({"value": [self._shown(group, name)] if name else []})

    async def _get(self, request: Request) -> Response:
        self._check(request)
        return JSONResponse(self._shown(request.path_params["group"], self._named(request)))

    async def _purge(self, request: Request) -> Response:
        self._check(request)
        self._named(request)
        if self.denied:
            said = f"does not have authorization to perform action '{KIND}/purge/action'"
            raise AzureError(403, "AuthorizationFailed", said)
        body = await request.json()
        problem = _problem(body)
        if problem:
            self._state.client_faults.append(f"purge: {problem}")
            raise bad_request(problem)
        operation = f"purge-{uuid.uuid4()}"
        self._asked[operation] = body["filters"]
        where = f"https://management.azure.com{request.url.path.removesuffix('/purge')}"
        headers = {"x-ms-status-location": f"{where}/operations/{operation}?api-version={_VERSION}"}
        return JSONResponse({"operationId": operation}, 202, headers)

    async def _status(self, request: Request) -> Response:
        self._check(request)
        self._named(request)
        operation = request.path_params["operation"]
        if operation not in self._asked:
            raise not_found(f"The operation {operation}")
        ended = operation in self._completed
        return JSONResponse({"status": "completed" if ended else "pending"})

    def _named(self, request: Request) -> str:
        name = str(request.path_params["name"])
        if self.places.get(request.path_params["group"].lower(), "").lower() != name.lower():
            raise not_found(f"The Resource '{KIND}/{name}'")
        return name

    def _shown(self, group: str, name: str) -> dict[str, Any]:
        return {
            "id": f"{self._state.group_id(group)}/providers/{KIND}/{name}",
            "name": name,
            "type": KIND,
            "location": self._state.region,
            "properties": {"customerId": self._customer, "provisioningState": "Succeeded"},
        }

    def _check(self, request: Request) -> None:
        version = request.query_params.get("api-version")
        if version != _VERSION:
            said = f"No registered resource provider found for {KIND} in api-version {version}."
            self._state.client_faults.append(said)
            raise bad_request(said)


def _problem(body: Any) -> str:
    """Return what of a purge's body breaks the contract."""
    if not isinstance(body, dict) or set(body) != {"table", "filters"}:
        return "table and filters are needed"
    if body["table"] != "AppEvents" or not body["filters"]:
        return "there is no such table, or no filter"
    for each in body["filters"]:
        if (
            not {"column", "operator", "value"}
            <= set(each)
            <= {*("column", "key", "operator", "value")}
        ):
            return f"a filter has the fields {sorted(each)}"
        if each["operator"] not in _COMPARE:
            return f"the operator {each['operator']} is not emulated"
        if each["column"] != "Properties" or "key" not in each:
            return f"the column {each['column']} is not emulated"
    return ""


def _is_meant(event: Event, filters: list[dict[str, Any]]) -> bool:
    properties = event[2]
    return all(
        _COMPARE[each["operator"]](properties.get(each["key"]), each["value"]) for each in filters
    )
