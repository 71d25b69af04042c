"""Long-running operations: an answer at once, the end of it by asking again."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import hosts
from .errors import AzureError, not_found
from .faults import Delay, Faults
from .state import PROVIDER, Body, State


@dataclass
class Operation:
    """One long-running operation."""

    target: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "InProgress"
    started: str = field(default_factory=lambda: datetime.now(UTC).isoformat())
    error: dict[str, object] | None = None

    @property
    def ended(self) -> bool:
        """Whether its end is known."""
        return self.status != "InProgress"


class Operations:
    """The operations that were ever started."""

    def __init__(self, state: State, faults: Faults) -> None:
        self._state = state
        self._faults = faults
        self._known: dict[str, Operation] = {}
        self._running: set[asyncio.Task[None]] = set()

    def routes(self) -> list[Route]:
        """Return the routes by which a client asks after an operation."""
        prefix = f"/subscriptions/{{subscription}}/providers/{PROVIDER}/locations/{{region}}"
        return [
            Route(f"{prefix}/mfeOperationsStatus/{{operation}}", self._status),
            Route(f"{prefix}/mfeOperationResults/{{operation}}", self._result),
        ]

    def on(self, target: str) -> Operation | None:
        """Return an operation that still changes this resource, or one that lies in it."""
        target = target.lower()
        for found in self._known.values():
            if not found.ended and (
                found.target == target or found.target.startswith(target + "/")
            ):
                return found
        return None

    def start(
        self,
        request: Request,
        target: str,
        work: Callable[[], Awaitable[None]],
        failed: Callable[[], Awaitable[None]] | None = None,
    ) -> Operation:
        """Start an operation on a resource; it fails with what `work` raises.

        `failed` is called then, before the client can learn of it.
        """
        operation = Operation(target.lower())
        self._known[operation.id] = operation
        delay = self._faults.delay(request.method, request.url.path)
        task = asyncio.create_task(self._run(operation, delay, work, failed))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return operation

    def answer(self, operation: Operation, status: int, body: Body | None) -> Response:
        """Return the first answer, which says where to ask for the end."""
        # the SDK takes 0 as «nothing said» and then waits for 30 s
        url = self._url("mfeOperationsStatus", operation)
        headers = {"Azure-AsyncOperation": url, "Retry-After": "1"}
        if body is None:
            return Response(status_code=status, headers=headers)
        return JSONResponse(body, status, headers)

    def answer_without_result(self, operation: Operation) -> Response:
        """Return the first answer of an operation whose end has no body, only a status."""
        url = self._url("mfeOperationResults", operation)
        return Response(status_code=202, headers={"Location": url, "Retry-After": "1"})

    def _url(self, kind: str, operation: Operation) -> str:
        return (
            f"https://{hosts.ARM}/subscriptions/{self._state.subscription}/providers/{PROVIDER}"
            f"/locations/{self._state.region}/{kind}/{operation.id}?api-version=2023-04-01"
        )

    async def _run(
        self,
        operation: Operation,
        delay: Delay,
        work: Callable[[], Awaitable[None]],
        failed: Callable[[], Awaitable[None]] | None,
    ) -> None:
        try:
            await delay.over()
            if fault := self._faults.operation_fault(operation.target):
                raise fault
            await work()
            operation.status = "Succeeded"
        except AzureError as error:
            if failed:
                await failed()
            operation.error = error.body["error"]  # type: ignore[assignment]
            operation.status = "Failed"
        except Exception as error:  # whatever happens, the client gets an end
            if failed:
                await failed()
            operation.error = {"code": "InternalServerError", "message": repr(error)}
            operation.status = "Failed"
            raise

    def _find(self, request: Request) -> Operation:
        operation = self._known.get(request.path_params["operation"])
        if operation is None:
            raise not_found("The operation")
        return operation

    async def _result(self, request: Request) -> Response:
        operation = self._find(request)
        if operation.error:
            return JSONResponse({"error": operation.error}, 400)
        if not operation.ended:
            return self.answer_without_result(operation)
        return Response(status_code=204)

    async def _status(self, request: Request) -> Response:
        operation = self._find(request)
        said: dict[str, Any] = {
            "id": request.url.path,
            "name": operation.id,
            "status": operation.status,
            "startTime": operation.started,
        }
        if operation.error:
            said["error"] = operation.error
        return JSONResponse(said, headers={} if operation.ended else {"Retry-After": "1"})
