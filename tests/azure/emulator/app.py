"""The whole of this Azure as one ASGI application, which records every call."""

import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Host, Mount, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import contract, hosts
from .arm import is_collection, parent_id, resource_path
from .errors import AzureError, answer_error, bad_request, not_found
from .faults import Fault, Faults
from .identity import Identity
from .state import PROVIDER, State, kind_and_name

_ARM_AUDIENCES = (
    "https://management.azure.com",
    "https://management.core.windows.net",
    "https://ml.azure.com",
)
_LOG_AUDIENCES = ("https://api.loganalytics.io", "https://api.loganalytics.azure.com")
_INGESTION_AUDIENCES = ("https://monitor.azure.com",)
_VAULT_AUDIENCES = (f"https://{hosts.VAULTS}",)
_OPEN = (hosts.LOGIN, hosts.GITHUB, hosts.AZURE_DEVOPS)
_CASES = {
    part.lower(): part
    for part in (
        "subscriptions",
        "resourceGroups",
        "providers",
        PROVIDER,
        "workspaces",
        "registries",
        "onlineEndpoints",
        "deployments",
        "versions",
        "locations",
    )
}


@dataclass
class Call:
    """One call that a client made; the status is 0 until it is answered or if it never was."""

    method: str
    host: str
    path: str
    query: str
    body: Any
    status: int = 0
    time: float = field(default_factory=time.time)


class Recorder:
    """Records calls and lets injected faults happen, before anything else looks at them."""

    def __init__(
        self, app: ASGIApp, calls: list[Call], faults: Faults, cut: Callable[[int], None]
    ) -> None:
        self._app = app
        self._calls = calls
        self._faults = faults
        self._cut = cut

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["path"] = _usual_case(scope["path"])
        request = Request(scope, receive)
        body = await request.body()
        call = Call(
            request.method,
            request.url.hostname or "",
            scope["path"],
            request.url.query,
            _parsed(body, request.headers.get("content-type", "")),
        )
        self._calls.append(call)

        async def replay() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def note(message: Message) -> None:
            if message["type"] == "http.response.start":
                call.status = message["status"]
            await send(message)

        where = f"{call.host}{call.path}"
        fault = self._faults.take(call.method, where, "answer", "lost", "lost-answer")
        if fault is None:
            await self._app(scope, replay, note)
        elif fault.kind == "answer":
            await _answer(fault, scope, replay, note)
        else:
            if fault.kind == "lost-answer":
                await self._app(scope, replay, _nowhere)
            self._cut(scope["client"][1])
            # an answer made before the server notices would still reach the client
            while (await receive())["type"] != "http.disconnect":
                pass


async def _nowhere(_message: Message) -> None:
    """Send nothing."""


async def _answer(fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    headers = {"Retry-After": fault.retry_after} if fault.retry_after is not None else {}
    await JSONResponse(fault.error.body, fault.status, headers)(scope, receive, send)


class Guard:
    """Refuses calls without a good token, to what does not exist, or that break the contract."""

    def __init__(self, app: ASGIApp, state: State, identity: Identity) -> None:
        self._app = app
        self._state = state
        self._identity = identity

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            request = Request(scope, receive)
            try:
                await self._check(request)
            except AzureError as error:
                headers = self._challenge(request.url.hostname or "", error.status)
                await JSONResponse(error.body, error.status, headers)(scope, receive, send)
                return
            receive = _again(await request.body())
        await self._app(scope, receive, send)

    async def _check(self, request: Request) -> None:
        host = request.url.hostname or ""
        if (
            request.url.path == "/discovery"
            or host in _OPEN
            or host.endswith(".inference.ml.azure.com")
        ):
            return
        self._identity.check(request, _audiences(host))
        path = request.url.path
        self._check_owner(path)
        parts = path[path.find("/subscriptions/") :].split("/")
        if len(parts) > 4 and parts[3] == "resourceGroups":
            self._state.check_scope(parts[2], parts[4])
        if len(parts) > 9 and parts[6] == PROVIDER and self._state.find(parent_id(request)) is None:
            raise not_found(
                f"The Resource '{PROVIDER}/{parts[7]}/{parts[8]}' under resource group '{parts[4]}'"
            )
        if request.method == "PUT" and PROVIDER in path:
            await self._check_body(request)

    def _challenge(self, host: str, status: int) -> dict[str, str]:
        """Return the header by which a key vault tells a client whom to ask for which token."""
        if status != 401 or not host.endswith(f".{hosts.VAULTS}"):
            return {}
        authority = f"https://{hosts.LOGIN}/{self._state.tenant}"
        said = f'Bearer authorization="{authority}", resource="https://{hosts.VAULTS}"'
        return {"WWW-Authenticate": said}

    def _check_owner(self, path: str) -> None:
        """Refuse whatever is in another team's registry."""
        for registry in self._state.others:
            if f"{registry}/" in f"{path.lower()}/":
                name = registry.rpartition("/")[2]
                said = f"User {self._identity.client} is not allowed to access registry {name}."
                raise AzureError(403, "UserError", said)

    async def _check_body(self, request: Request) -> None:
        path = resource_path(request)
        if is_collection(path):
            return
        kind = kind_and_name(path)[0].partition("/")[2]
        try:
            body = json.loads(await request.body())
        except ValueError:
            body = None
        found = contract.problems(kind, body)
        if found:
            said = f"The body of PUT {path} breaks the contract of {kind}: {'; '.join(found)}"
            self._state.client_faults.append(said)
            raise bad_request(said)


def _audiences(host: str) -> tuple[str, ...]:
    """Return what a token may be for, by the host to which it is sent."""
    if host.endswith(".in.applicationinsights.azure.com"):
        return _INGESTION_AUDIENCES
    if host.endswith(f".{hosts.VAULTS}"):
        return _VAULT_AUDIENCES
    return _LOG_AUDIENCES if host in hosts.LOG_ANALYTICS else _ARM_AUDIENCES


def build(
    state: State,
    identity: Identity,
    calls: list[Call],
    faults: Faults,
    cut: Callable[[int], None],
    *,
    arm: Sequence[BaseRoute],
    registries: Sequence[BaseRoute],
    ml_api: Sequence[BaseRoute],
    logs: Sequence[BaseRoute],
    events: Sequence[BaseRoute],
    vaults: Sequence[BaseRoute],
    scoring: Sequence[BaseRoute],
) -> ASGIApp:
    """Return the application.

    Args:
        state: what exists.
        identity: who may sign in.
        calls: receives every call.
        faults: what is to go wrong.
        cut: breaks the connection of the client of a port.
        arm: the routes of management.azure.com.
        registries: the routes that a region's API shares with ARM, for registries.
        ml_api: the other routes of a region's API.
        logs: the routes of Log Analytics.
        events: the routes of Application Insights' ingestion.
        vaults: the routes of key vaults.
        scoring: the routes of an endpoint's host.
    """
    frontend = Mount("/mferp/managementfrontend", routes=[*registries])
    handlers: dict[Any, Callable[[Request, Exception], Awaitable[Any]]] = {AzureError: answer_error}
    app = Starlette(
        routes=[
            *identity.routes(),
            Host(hosts.ARM, Router([*arm])),
            *(Host(name, Router([*logs])) for name in hosts.LOG_ANALYTICS),
            Host("{region}.in.applicationinsights.azure.com", Router([*events])),
            Host(f"{{vault}}.{hosts.VAULTS}", Router([*vaults])),
            Host("{region}.api.azureml.ms", Router([frontend, *ml_api])),
            Host("{endpoint}.{region}.inference.ml.azure.com", Router([*scoring])),
        ],
        exception_handlers=handlers,
    )
    return Recorder(Guard(app, state, identity), calls, faults, cut)


def _again(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _parsed(body: bytes, content_type: str) -> Any:
    if not body:
        return None
    if "json" in content_type:
        try:
            return json.loads(body)
        except ValueError:
            pass
    return body.decode(errors="replace")


def _usual_case(path: str) -> str:
    """Return a path with Azure's own words in their usual case: clients mix them."""
    return "/".join(_CASES.get(part.lower(), part) for part in path.split("/"))
