"""The emulator as a test uses it: started, asked, told what is to go wrong, ended."""

import asyncio
import contextlib
import re
import signal
import sys
import threading
import uuid
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any

import uvicorn

from . import app, certificates
from .alert_rules import AlertRules
from .arm import Arm
from .assets import KINDS, Assets
from .azurite import Azurite
from .endpoints import Endpoints
from .faults import FOREVER, Fault, Faults
from .front import Front
from .history import History
from .hosts import Part
from .identity import Identity
from .ingestion import Ingestion
from .jobs import Jobs
from .logs import LogAnalytics
from .machine import Machine, machine_of
from .operations import Operations
from .proxy import Proxy
from .purges import Purges
from .registries import Registries
from .schedules import Schedules
from .state import Body, State
from .vaults import Vaults

_START_SECONDS = 30.0


class AzureEmulator:
    """An Azure subscription on this machine, as long as the `with` block lasts.

    Args:
        folder: where it keeps what it downloads and runs; emptied by nobody.
        training_python: the interpreter of the environment in which jobs run, or a machine.
        serving_python: the same for deployments.
        region: where everything is.
    """

    def __init__(
        self,
        folder: Path,
        *,
        training_python: Path | Machine,
        serving_python: Path | Machine,
        region: str = "westeurope",
    ) -> None:
        self.folder = folder
        self.state = State(str(uuid.uuid4()), str(uuid.uuid4()), region)
        self.identity = Identity(self.state.tenant)
        self.calls: list[app.Call] = []
        self.faults = Faults()
        self.log_analytics_workspace = str(uuid.uuid4())
        self._certificates = certificates.issue(folder / "certificates", region)
        self.azurite = Azurite(folder / "azurite", self._certificates, self.identity.service_token)
        self._proxy = Proxy(self.faults)
        self._arm = Arm(self.state, self.azurite)
        self._assets = Assets(self.state, self.azurite)
        self.operations = Operations(self.state, self.faults)
        self._registries = Registries(self.state, self.azurite, self.operations, self._assets)
        self._schedules = Schedules(self.state, self.operations)
        self.alert_rules = AlertRules(self.state)
        self.vaults = Vaults()
        self.purges = Purges(self.state, self.log_analytics_workspace)
        self._logs = LogAnalytics(self.state, self.log_analytics_workspace)
        self._ingestion = Ingestion(self.state)
        self.endpoints = Endpoints(
            self.state,
            self.azurite,
            self.operations,
            folder / "deployments",
            machine_of(serving_python),
        )
        self.jobs = Jobs(
            self.state,
            self.azurite,
            self.operations,
            self.faults,
            folder / "jobs",
            machine_of(training_python),
        )
        self._history = History(self.state, self.azurite, self.jobs)
        self.front = Front(self.state, self.endpoints, self.identity)
        self._thread = threading.Thread(target=self._run, name="azure", daemon=True)
        self._started: Future[int] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None
        self._before_sigterm: Any = None
        self.port = 0

    def __enter__(self) -> "AzureEmulator":
        self._end_on_sigterm()
        self.azurite.start()
        self._thread.start()
        self.port = self._started.result(_START_SECONDS)
        self.endpoints.variables = self.network | self.identity.managed_variables()
        self.endpoints.sees = [self._certificates.authority]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._loop is not None
        assert self._end is not None
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(_START_SECONDS)
        self.endpoints.stop()
        self.jobs.stop()
        self.azurite.stop()
        if self._before_sigterm is not None:
            signal.signal(signal.SIGTERM, self._before_sigterm)

    @property
    def insights_connection_string(self) -> str:
        """Where its Application Insights is."""
        return self._ingestion.connection_string

    @property
    def network(self) -> dict[str, str]:
        """The variables that lead a process's requests to this Azure, and to nothing else."""
        proxy = f"http://127.0.0.1:{self.port}"
        none = "127.0.0.1,localhost"
        authority = str(self._certificates.authority)
        found = {"HTTPS_PROXY": proxy, "HTTP_PROXY": proxy, "NO_PROXY": none}
        return (
            found
            | {name.lower(): value for name, value in found.items()}
            | {"REQUESTS_CA_BUNDLE": authority, "CURL_CA_BUNDLE": authority}
            | {"SSL_CERT_FILE": authority}
        )

    @property
    def variables(self) -> dict[str, str]:
        """The variables of a process that signs in by a secret."""
        subscription = {"AZURE_SUBSCRIPTION_ID": self.state.subscription}
        return self.network | self.identity.variables() | subscription

    @property
    def github_variables(self) -> dict[str, str]:
        """The variables of a job of GitHub Actions, which has no secret."""
        subscription = {"AZURE_SUBSCRIPTION_ID": self.state.subscription}
        return self.network | self.identity.github_variables() | subscription

    @property
    def azure_devops_variables(self) -> dict[str, str]:
        """The variables of a job of Azure DevOps, which has no secret."""
        subscription = {"AZURE_SUBSCRIPTION_ID": self.state.subscription}
        return self.network | self.identity.azure_devops_variables() | subscription

    @property
    def refused_hosts(self) -> list[str]:
        """The hosts that were asked for and are none of Azure's, in order."""
        return list(self._proxy.refused_hosts)

    def add_workspace(
        self, name: str, group: str, *computes: str, storage_keys: bool = False
    ) -> str:
        """Make a workspace with clusters of these names; return its id.

        Its datastores are opened by who signs in, or with `storage_keys` by the account's key.
        """
        workspace = self._arm.add_workspace(
            name, group, self.log_analytics_workspace, storage_keys=storage_keys
        )
        for compute in computes:
            self._arm.add_compute(workspace, compute)
        return workspace

    def add_registry(self, name: str, group: str) -> str:
        """Make a registry; return its id."""
        return self._registries.add(name, group)

    def take_registry_name(self, name: str) -> None:
        """Let another team of the tenant have a registry of this name: names are unique in it."""
        self.state.others.add(self._registries.add(name, "rg-another-team").lower())

    def remove(self, resource: str) -> None:
        """Remove a workspace, a registry or anything else by its id, with all that lies in it."""
        self.state.get(resource)
        self.state.delete(resource)

    def endpoint(self, name: str) -> Body:
        """Return an endpoint as ARM shows it."""
        return self.state.get(self.endpoints.running[name.lower()].id)

    def deployment(self, endpoint: str, name: str) -> Body:
        """Return a deployment as ARM shows it."""
        return self.state.get(f"{self.endpoint(endpoint)['id']}/deployments/{name}")

    def called(self, method: str, path: str) -> list[app.Call]:
        """Return the calls of a method whose host and path match a pattern."""
        return [
            call
            for call in self.calls
            if call.method == method and re.search(path, f"{call.host}{call.path}")
        ]

    def fail(
        self,
        method: str,
        path: str,
        *,
        status: int = 500,
        code: str = "InternalServerError",
        message: str = "An error occurred.",
        times: float = 1,
        retry_after: str | None = None,
    ) -> None:
        """Answer the next requests whose host and path match with an error.

        `method` may be `*`, `times` may be `ALWAYS`.
        """
        self._add("answer", method, path, times, status, code, message, retry_after=retry_after)

    def lose(self, method: str, path: str, *, after: bool = False, times: float = 1) -> None:
        """Break the connection at the next such requests; `after` the request was carried out.

        With the method `CONNECT` and a host, connections to it are not even made: that is how blob
        storage is lost.
        """
        self._add("lost-answer" if after else "lost", method, path, times)

    def delay(self, method: str, path: str, seconds: float, *, times: float = 1) -> None:
        """Let the operations that the next such requests start end so much later."""
        self._add("delay", method, path, times, seconds=seconds)

    def hold(self, method: str, path: str) -> threading.Event:
        """Let the operation that the next such request starts not end before the event is set."""
        released = threading.Event()
        self._add("delay", method, path, 1, released=released)
        return released

    def stick(self, method: str, path: str, *, times: float = 1) -> None:
        """Let the operations that the next such requests start never end."""
        self.delay(method, path, FOREVER, times=times)

    def fail_operation(
        self,
        resource: str,
        *,
        code: str = "InternalServerError",
        message: str = "An error occurred.",
        times: float = 1,
    ) -> None:
        """Let the next operations on a resource whose id (in lower case) matches end in failure."""
        self._add("operation", "*", resource.lower(), times, 400, code, message)

    def fail_step(self, step: str, message: str, *, times: float = 1) -> None:
        """Let the next step of a pipeline whose `job/step` matches fail without being run."""
        self._add("answer", "STEP", step, times, message=message)

    def stick_step(self, step: str, *, seconds: float = FOREVER, times: float = 1) -> None:
        """Let the next step of a pipeline whose `job/step` matches wait before it runs."""
        self._add("delay", "STEP", step, times, seconds=seconds)

    def heal(self) -> None:
        """Forget the faults that have not struck yet."""
        self.faults.clear()

    def _add(
        self,
        kind: Any,
        method: str,
        path: str,
        times: float,
        status: int = 500,
        code: str = "",
        message: str = "",
        *,
        seconds: float = 0.0,
        retry_after: str | None = None,
        released: threading.Event | None = None,
    ) -> None:
        pattern = re.compile(path)
        self.faults.add(
            Fault(
                *(kind, method, pattern, times, status, code, message, seconds, released),
                retry_after=retry_after,
            )
        )

    def _end_on_sigterm(self) -> None:
        """Let a process that is told to end leave the `with` block: no server is left behind."""
        if threading.current_thread() is threading.main_thread():
            self._before_sigterm = signal.signal(
                signal.SIGTERM, lambda number, _frame: sys.exit(128 + number)
            )

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            if not self._started.done():
                self._started.set_exception(error)
            raise

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        config = uvicorn.Config(
            self._application(),
            host="127.0.0.1",
            port=0,
            ssl_certfile=self._certificates.certificate,
            ssl_keyfile=self._certificates.key,
            log_level="warning",
            lifespan="off",
            access_log=False,
            timeout_graceful_shutdown=1,
        )
        server = uvicorn.Server(config)
        async with self.front.connected():
            serving = asyncio.create_task(server.serve())
            while not server.started and not serving.done():
                await asyncio.sleep(0.01)
            port = server.servers[0].sockets[0].getsockname()[1]
            self._proxy.ports = {Part.EMULATOR: port, Part.AZURITE: self.azurite.port}
            self._started.set_result(await self._proxy.start())
            await self._end.wait()
            await self._proxy.stop()
            server.should_exit = True
            with contextlib.suppress(asyncio.CancelledError):
                await serving
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

    def _application(self) -> Any:
        assets = [route for kind in KINDS for route in self._assets.routes(kind)]
        registries = [
            *self._registries.routes(),
            *self._assets.registry_routes(),
            *assets,
            *self._arm.routes(),
        ]
        return app.build(
            self.state,
            self.identity,
            self.calls,
            self.faults,
            self._proxy.cut,
            arm=[
                *self.operations.routes(),
                *self.endpoints.routes(),
                *self.jobs.routes(),
                *self._schedules.routes(),
                *self.alert_rules.routes(),
                *self.purges.routes(),
                *assets,
                *self._arm.routes(),
            ],
            registries=registries,
            ml_api=[*self._registries.discovery(), *self._history.routes()],
            logs=self._logs.routes(),
            events=self._ingestion.routes(),
            vaults=self.vaults.routes(),
            scoring=self.front.routes(),
        )
