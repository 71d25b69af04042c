"""What stands before the deployments of an endpoint: who may call, traffic, mirror, traffic log."""

import asyncio
import contextlib
import hmac
import random
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .endpoints import Endpoints, Running
from .errors import AzureError
from .identity import Identity
from .servers import Server
from .state import State, TrafficRow

DEPLOYMENT_HEADER = "azureml-model-deployment"
_NOT_PASSED_ON = {
    "authorization",
    "connection",
    "content-length",
    "date",
    "host",
    "server",
    "transfer-encoding",
    DEPLOYMENT_HEADER,
}
_DEFAULT_TIMEOUT_SECONDS = 5.0
_MODEL_ERROR = 424
_TOKEN_AUDIENCES = ("https://ml.azure.com",)
_PARALLEL = 2
"""By so much more than they ask for the deployments of an endpoint get at a time."""


@dataclass
class Log:
    """How the traffic log behaves: rows can come late, and be missing for copies."""

    delay_seconds: float = 0.0
    jitter_seconds: float = 0.0
    """Up to so much later, row by row: they come out of order."""
    records_copies: bool = True


@dataclass(frozen=True)
class _Said:
    """An answer, and what the container itself said."""

    response: Response
    model_status: int
    reason: str = ""


class Front:
    """The scoring URLs of all endpoints."""

    def __init__(self, state: State, endpoints: Endpoints, identity: Identity) -> None:
        self._state = state
        self._identity = identity
        self._open: Counter[str] = Counter()
        self._endpoints = endpoints
        self._client: aiohttp.ClientSession | None = None
        self._copies: set[asyncio.Task[None]] = set()
        self.log = Log()

    def routes(self) -> list[Route]:
        """Return the routes of an endpoint's host."""
        return [Route("/score", self._score, methods=["POST"])]

    @contextlib.asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Hold the client that talks to the scoring servers."""
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as client:
            self._client = client
            yield
            for copy in self._copies:
                copy.cancel()

    async def _score(self, request: Request) -> Response:
        running = self._endpoints.running.get(request.path_params["endpoint"].lower())
        endpoint = self._state.find(running.id) if running else None
        if running is None or endpoint is None:
            return JSONResponse({"error": "there is no such endpoint"}, 404)
        properties = endpoint["properties"]
        if refusal := self._refusal(request, running, properties["authMode"]):
            return refusal
        named = request.headers.get(DEPLOYMENT_HEADER)
        name = named or _choose(properties["traffic"])
        server = running.servers.get(name) if name else None
        if name is None or server is None:
            return JSONResponse({"error": "no valid deployment to route to"}, 404)
        body = await request.body()
        number = request.headers.get("x-request-id") or str(uuid.uuid4())
        if not named:
            for mirror, percent in properties["mirrorTraffic"].items():
                if random.uniform(0, 100) < percent and mirror in running.servers:
                    self._copy(running, mirror, request, body, number)
        return await self._answer(running, name, server, request, body, number)

    def _refusal(self, request: Request, running: Running, mode: str) -> Response | None:
        """Return the refusal of who sends neither what the endpoint takes nor anything good."""
        if mode != "AADToken":
            said = {"error": "(key_auth_bad_header_forbidden) the key is wrong"}
            return None if _has_key(request, running) else JSONResponse(said, 401)
        try:
            self._identity.check(request, _TOKEN_AUDIENCES)
        except AzureError as error:
            return JSONResponse(error.body, error.status)
        return None

    def _copy(
        self, running: Running, name: str, request: Request, body: bytes, number: str
    ) -> None:
        async def send() -> None:
            server, records = running.servers[name], self.log.records_copies
            await self._answer(running, name, server, request, body, number, records=records)

        copy = asyncio.create_task(send())
        self._copies.add(copy)
        copy.add_done_callback(self._copies.discard)

    async def _answer(
        self,
        running: Running,
        name: str,
        server: Server,
        request: Request,
        body: bytes,
        number: str,
        *,
        records: bool = True,
    ) -> Response:
        began = datetime.now(UTC)
        started = time.perf_counter()
        deployment = self._state.find(f"{running.id}/deployments/{name}") or {"properties": {}}
        limit = _timeout(deployment["properties"])
        said = await self._admitted(running, name, deployment, server, request, body, limit)
        milliseconds = round((time.perf_counter() - started) * 1000)
        if records:
            self._record(running, name, request, said, began, milliseconds, number)
        said.response.headers["x-request-id"] = number
        said.response.headers[DEPLOYMENT_HEADER] = name
        return said.response

    async def _admitted(
        self,
        running: Running,
        name: str,
        deployment: Mapping[str, Any],
        server: Server,
        request: Request,
        body: bytes,
        limit: float,
    ) -> _Said:
        """Pass a request on, unless too many are open at its deployment already."""
        place = f"{running.id}/{name}"
        if self._open[place] >= _most_at_a_time(deployment):
            said = {"error": "too many requests wait already"}
            return _Said(JSONResponse(said, 429), 0, "too many pending requests")
        self._open[place] += 1
        try:
            return await self._forward(server, request, body, limit)
        finally:
            self._open[place] -= 1

    async def _forward(self, server: Server, request: Request, body: bytes, limit: float) -> _Said:
        assert self._client is not None
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _NOT_PASSED_ON}
        try:
            async with self._client.post(
                f"http://127.0.0.1:{server.port}/score",
                data=body,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=limit),
            ) as answer:
                content = await answer.read()
                passed = {
                    k: v for k, v in answer.headers.items() if k.lower() not in _NOT_PASSED_ON
                }
                if answer.status == 200:
                    return _Said(Response(content, 200, passed), 200)
                reason = answer.reason or ""
                passed["ms-azureml-model-error-statuscode"] = str(answer.status)
                passed["ms-azureml-model-error-reason"] = reason
                return _Said(Response(content, _MODEL_ERROR, passed), answer.status, reason)
        except TimeoutError:
            return _Said(JSONResponse({"error": "upstream request timeout"}, 408), 0, "timeout")
        except (aiohttp.ClientError, OSError):
            # without a model's status: the container did not answer
            return _Said(JSONResponse({"error": "no healthy upstream"}, _MODEL_ERROR), 0, "")

    def _record(
        self,
        running: Running,
        name: str,
        request: Request,
        said: _Said,
        began: datetime,
        milliseconds: int,
        number: str,
    ) -> None:
        workspace = running.id.split("/")[8]
        status = said.response.status_code
        late = self.log.delay_seconds + random.uniform(0, self.log.jitter_seconds)
        columns = {
            "TimeGenerated": began.isoformat().replace("+00:00", "Z"),
            "AzureMLWorkspaceName": workspace,
            "EndpointName": running.id.split("/")[-1],
            "DeploymentName": name,
            "AuthType": self._state.get(running.id)["properties"]["authMode"],
            "Method": request.method,
            "Path": "/score",
            "ResponseCode": status,
            "ResponseCodeReason": said.reason,
            "ModelStatusCode": said.model_status,
            "ModelStatusReason": said.reason,
            "TotalDurationMs": milliseconds,
            "RequestDurationMs": 0,
            "ResponseDurationMs": milliseconds,
            "UserAgent": request.headers.get("user-agent", ""),
            "XRequestId": number,
            "XMSClientRequestId": request.headers.get("x-ms-client-request-id", ""),
            "OperationName": "ScoreRequest",
            "Location": self._state.region,
            "_ResourceId": running.id.rpartition("/onlineEndpoints/")[0].lower(),
        }
        self._state.traffic_log.append(TrafficRow(columns, time.time() + late))


def _has_key(request: Request, running: Running) -> bool:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    keys = running.keys.values()
    return scheme.lower() == "bearer" and any(
        hmac.compare_digest(given.strip().encode(), key.encode()) for key in keys
    )


def _most_at_a_time(deployment: Mapping[str, Any]) -> int:
    """Return how many requests a deployment takes at a time, waiting ones among them."""
    settings = deployment["properties"].get("requestSettings") or {}
    each = settings.get("maxConcurrentRequestsPerInstance") or 1
    machines = (deployment.get("sku") or {}).get("capacity") or 1
    return _PARALLEL * int(each) * int(machines)


def _choose(traffic: Mapping[str, int]) -> str | None:
    names = [name for name, share in traffic.items() if share > 0]
    return random.choices(names, [traffic[name] for name in names])[0] if names else None


def _timeout(properties: Mapping[str, dict[str, str]]) -> float:
    said = (properties.get("requestSettings") or {}).get("requestTimeout")
    return iso_seconds(said) if said else _DEFAULT_TIMEOUT_SECONDS


def iso_seconds(duration: str) -> float:
    """Return the seconds of an ISO 8601 duration such as `PT1M30S` or `PT5000MS`."""
    total, digits = 0.0, ""
    for letter in duration.removeprefix("PT"):
        if letter in "HMS":
            total += float(digits or 0) * {"H": 3600, "M": 60, "S": 1}[letter]
            digits = ""
        else:
            digits += letter
    return total
