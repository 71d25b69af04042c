"""The local endpoint's front: one URL, key authentication, weighted traffic and mirroring.

It does what Azure's front end does for an online endpoint. It runs in a process of its own, knows
its endpoint from the state file and reads that again whenever it changed.
"""

import asyncio
import contextlib
import hmac
import itertools
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import aiohttp
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mlops.artifacts.event_folders import event_folders
from mlops.clock import Clock, shifted
from mlops.errors import MlopsError
from mlops.hints import typed
from mlops.monitoring.event_retention import remove_old_events
from mlops.platforms.answers import (
    NO_TRAFFIC,
    REFUSED,
    TOO_SLOW,
    UNAUTHORIZED,
    UNKNOWN_DEPLOYMENT,
    UNREACHED,
)
from mlops.platforms.local import processes
from mlops.platforms.local.mirror import Copies
from mlops.platforms.local.observations import ObservationLog
from mlops.platforms.local.processes import LOCALHOST, ProcessRecord
from mlops.platforms.local.state import KEYS_FILE, STATE_FILE, StateFile
from mlops.platforms.traffic_rules import DEPLOYMENT_HEADER

_ABANDONED_AFTER = 3
_AS_IT_IS = "send it as it is, without the header Content-Encoding"
_WATCH_SECONDS = 2.0
_TURNS_AN_HOUR = 1800
_NOT_PASSED_ON = {
    "authorization",
    "connection",
    "content-length",
    "date",
    "host",
    "keep-alive",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    DEPLOYMENT_HEADER,
}


@dataclass(frozen=True)
class Routing:
    """Where requests go, as the state says at one moment."""

    revision: int
    key: str
    servers: Mapping[str, ProcessRecord | None]
    traffic: Mapping[str, int]
    mirror: Mapping[str, int]
    timeout_seconds: float
    keep_days: int = 90
    keep_gb: float = 2.0


@dataclass(frozen=True)
class _Passed:
    """A request as it is passed on, and the routing that was in force when it came."""

    body: bytes
    headers: Mapping[str, str]
    routing: Routing


class RoutingFile:
    """The routing of one endpoint, read again whenever the state file changed."""

    def __init__(self, folder: Path, endpoint: str) -> None:
        self._paths = (folder / STATE_FILE, folder / KEYS_FILE)
        self._state = StateFile(folder)
        self._endpoint = endpoint
        self._seen: tuple[tuple[int, int, int], ...] = ()
        self._routing = Routing(0, "", {}, {}, {}, 1.0)

    def current(self) -> Routing:
        """Return the routing in force; while the files cannot be read, what was last known."""
        with contextlib.suppress(OSError, MlopsError):
            seen = tuple(_signature(path) for path in self._paths)
            if seen != self._seen:
                self._routing = self._read()
                self._seen = seen
        return self._routing

    def exists(self) -> bool:
        """Tell whether the state file is still there."""
        return self._paths[0].exists()

    def _read(self) -> Routing:
        state = self._state.endpoint(self._endpoint)
        key = self._state.keys().get(self._endpoint, "")
        if state is None:
            return Routing(0, key, {}, {}, {}, 1.0)
        return Routing(
            revision=state.revision,
            key=key,
            servers={name: each.process for name, each in state.deployments.items()},
            traffic=state.traffic,
            mirror=state.mirror,
            timeout_seconds=state.request_timeout_seconds,
            keep_days=state.keep_days,
            keep_gb=state.keep_gb,
        )


class _Unreached(JSONResponse):
    """The answer if a request did not even reach its deployment."""


class _TimedOut(JSONResponse):
    """The answer if the deployment took too long."""


class Router:
    """The request handlers of one endpoint."""

    def __init__(self, folder: Path, endpoint: str, clock: Clock) -> None:
        self._folder = folder
        self._endpoint = endpoint
        self._file = RoutingFile(folder, endpoint)
        self._in_flight: Counter[int] = Counter()
        self._random = random.SystemRandom()
        self._client: aiohttp.ClientSession | None = None
        self._clock = clock
        self._log = ObservationLog(clock())
        self._copies = Copies(self._log)

    @contextlib.asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Hold the client that talks to the scoring servers."""
        # The servers close every connection themselves: keeping one would only risk a broken one.
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as client:
            self._client = client
            yield
            self._copies.cancel()

    async def health(self, _request: Request) -> Response:
        """Tell what is routed: the state's revision and the open requests of each server's port."""
        routing = self._file.current()
        return JSONResponse(
            {
                "status": "healthy",
                "endpoint": self._endpoint,
                "revision": routing.revision,
                "in_flight": {str(port): count for port, count in self._in_flight.items() if count},
            }
        )

    async def observations(self, request: Request) -> Response:
        """Return how the requests after the number `after` went, a page at a time.

        One that is open for longer than `patience` seconds counts as not answered.
        """
        if not _is_authorized(request, self._file.current().key):
            return _unauthorized()
        after = request.query_params.get("after", "0")
        if not after.isdecimal():
            return _error(REFUSED, "after must be the number of an observation")
        patience = _seconds(request.query_params.get("patience", "inf"))
        if patience is None:
            return _error(REFUSED, "patience must be a number of seconds, at least 0")
        return JSONResponse([asdict(each) for each in self._log.after(int(after), patience)])

    async def score(self, request: Request) -> Response:
        """Pass one scoring request on to a deployment.

        If the one that traffic chose cannot be reached, another one with traffic answers; that
        counts against the one that is gone, not against the caller.
        """
        if not _is_authorized(request, self._file.current().key):
            return _unauthorized()
        if (encoding := request.headers.get("content-encoding", "")) not in ("", "identity"):
            return _error(REFUSED, f"the request is encoded ({encoding[:20]}): {_AS_IT_IS}")
        body = await request.body()
        named = request.headers.get(DEPLOYMENT_HEADER)
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _NOT_PASSED_ON}
        unreached: dict[str, Response] = {}
        while True:
            # From here to the count of open requests nothing waits: after a switch of the state, no
            # request can still choose a deployment that is about to be stopped.
            routing = self._file.current()
            left = {n: share for n, share in routing.traffic.items() if n not in unreached}
            name = named or self._choose(left)
            if name is None:
                return next(iter(unreached.values()), None) or self._no_traffic()
            if name not in routing.servers:
                known = ", ".join(sorted(routing.servers)) or "none"
                sentence = f"{self._endpoint} has no deployment {name!r} (it has: {known})"
                return _error(UNKNOWN_DEPLOYMENT, sentence)
            passed = _Passed(body, headers, routing)
            if not named and not unreached:
                self._copy(passed)
            logged = None if named else self._log.begin(name, mirrored=False)
            with self._counted(routing.servers[name]):
                response = await self._forward(name, passed)
            if logged:
                self._log.end(logged, response.status_code)
            response.headers[DEPLOYMENT_HEADER] = name
            if named or not isinstance(response, _Unreached):
                return response
            unreached[name] = response

    async def watch(self, abandon: Callable[[], None]) -> None:
        """Stop the scoring servers and call `abandon` once the project's state is gone for good.

        Until then, events that are too old or too many are removed, hourly.
        """
        missing = 0
        for turn in itertools.count():
            if missing >= _ABANDONED_AFTER:
                break
            if turn % _TURNS_AN_HOUR == 0:
                await asyncio.to_thread(self._remove_old_events)
            await asyncio.sleep(_WATCH_SECONDS)
            missing = 0 if self._file.exists() else missing + 1
        servers = [server for server in self._file.current().servers.values() if server]
        processes.stop(servers, self._folder)
        abandon()

    def _remove_old_events(self) -> None:
        routing = self._file.current()
        folders = event_folders(self._folder, self._endpoint)
        with contextlib.suppress(OSError):
            remove_old_events(folders, routing.keep_days, routing.keep_gb, self._clock())

    def _no_traffic(self) -> Response:
        return _error(
            NO_TRAFFIC,
            f"no deployment of {self._endpoint} takes traffic: set the traffic, or name a "
            f"deployment with the header {DEPLOYMENT_HEADER}",
        )

    def _choose(self, traffic: Mapping[str, int]) -> str | None:
        names = [name for name, share in traffic.items() if share > 0]
        if not names:
            return None
        return self._random.choices(names, [traffic[name] for name in names])[0]

    def _copy(self, request: _Passed) -> None:
        """Perhaps send a copy of a request to the mirror."""

        async def send(name: str) -> int | None:
            response = await self._forward(name, request)
            return None if isinstance(response, _TimedOut) else response.status_code

        for name, percent in request.routing.mirror.items():
            if self._random.uniform(0, 100) < percent:
                self._copies.send(name, request.routing.timeout_seconds, partial(send, name))

    @contextlib.contextmanager
    def _counted(self, server: ProcessRecord | None) -> Iterator[None]:
        """Count a caller's open request, so that its server is not stopped under it."""
        port = server.port if server else 0
        self._in_flight[port] += 1
        try:
            yield
        finally:
            self._in_flight[port] -= 1

    async def _forward(self, name: str, request: _Passed) -> Response:
        server = request.routing.servers.get(name)
        if server is None or self._client is None:
            return _unreached(f"{name} is not running: {typed('smoke-test')} starts it")
        limit = request.routing.timeout_seconds
        try:
            async with self._client.post(
                f"http://{LOCALHOST}:{server.port}/score",
                data=request.body,
                headers=request.headers,
                timeout=aiohttp.ClientTimeout(total=limit),
            ) as answer:
                content = await answer.read()
                passed = {
                    k: v for k, v in answer.headers.items() if k.lower() not in _NOT_PASSED_ON
                }
                return Response(content, status_code=answer.status, headers=passed)
        except TimeoutError:
            sentence = f"the deployment {name} did not answer within {limit:g} s"
            return _TimedOut({"error": sentence}, status_code=TOO_SLOW)
        except aiohttp.ClientConnectorError:
            return _unreached(f"{name} does not answer: {typed('smoke-test')} repairs it")
        except (aiohttp.ClientError, OSError):
            sentence = f"the deployment {name} does not answer: {typed('smoke-test')} repairs it"
            return _error(UNREACHED, sentence)


def create_app(
    folder: Path, endpoint: str, clock: Clock, abandon: Callable[[], None] = lambda: None
) -> Starlette:
    """Return the router of `endpoint` as an ASGI application.

    Args:
        folder: the project's state folder.
        endpoint: the endpoint's name.
        clock: what tells the time.
        abandon: called when the state folder is gone and the router should end.
    """
    router = Router(folder, endpoint, clock)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with router.connected():
            watcher = asyncio.create_task(router.watch(abandon))
            yield
            watcher.cancel()

    routes = [
        Route("/", router.health, methods=["GET"]),
        Route("/score", router.score, methods=["POST"]),
        Route("/observations", router.observations, methods=["GET"]),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


def main() -> None:
    """Serve one endpoint of the state folder that is the current folder.

    Arguments: a token that names the process, the endpoint, the port, and by how many seconds the
    time is ahead of the system's.
    """
    _, endpoint, port, ahead = sys.argv[1:]
    server: uvicorn.Server

    def abandon() -> None:
        server.should_exit = True

    config = uvicorn.Config(
        # a relative folder: it stays right when the project is moved
        create_app(Path(), endpoint, shifted(float(ahead)), abandon),
        host=LOCALHOST,
        port=int(port),
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    server.run()


def _seconds(text: str) -> float | None:
    with contextlib.suppress(ValueError):
        seconds = float(text)
        return seconds if seconds >= 0 else None
    return None


def _signature(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_ino, found.st_size


def _is_authorized(request: Request, key: str) -> bool:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if not key or scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(given.strip().encode(), key.encode())


def _unauthorized() -> Response:
    sentence = "the key is missing or wrong: send the header Authorization: Bearer <key>"
    return _error(UNAUTHORIZED, sentence)


def _unreached(sentence: str) -> Response:
    return _Unreached({"error": f"the deployment {sentence}"}, status_code=UNREACHED)


def _error(status: int, sentence: str) -> Response:
    return JSONResponse({"error": sentence}, status_code=status)


if __name__ == "__main__":
    main()
