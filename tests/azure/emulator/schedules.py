"""Schedules: kept, listed and deleted; none ever fires."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .arm import WORKSPACE, resource_path
from .operations import Operations
from .state import Body, State

SCHEDULE = f"{WORKSPACE}/schedules/{{schedule}}"


class Schedules:
    """The schedules of all workspaces."""

    def __init__(self, state: State, operations: Operations) -> None:
        self._state = state
        self._operations = operations

    def routes(self) -> list[Route]:
        """Return the routes below management.azure.com."""
        return [
            Route(SCHEDULE, self._put, methods=["PUT"]),
            Route(SCHEDULE, self._delete, methods=["DELETE"]),
        ]

    async def _put(self, request: Request) -> Response:
        path = resource_path(request)
        body = await request.json()
        old = self._state.find(path)
        given = {name: each for name, each in body["properties"].items() if each is not None}
        properties: Body = {"isEnabled": True, "tags": {}, "properties": {}, **given}

        async def work() -> None:
            kept = self._state.get(path)
            kept["properties"]["provisioningState"] = "Succeeded"

        shown = {"properties": properties | {"provisioningState": "Creating"}}
        kept = self._state.put(path, shown)
        operation = self._operations.start(request, path, work)
        return self._operations.answer(operation, 200 if old else 201, kept)

    async def _delete(self, request: Request) -> Response:
        path = resource_path(request)
        if self._state.find(path) is None:
            return Response(status_code=204)

        async def work() -> None:
            self._state.delete(path)

        return self._operations.answer(self._operations.start(request, path, work), 202, None)
