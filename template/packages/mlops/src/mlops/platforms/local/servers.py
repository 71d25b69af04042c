"""The processes of one local endpoint: starting, waiting for, watching and ending them.

Whoever starts or ends something here holds the right to change the endpoint. A process counts as a
leftover until it is put to use, so that an interrupted command leaves nothing running for long.
"""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops.artifacts.version_folder import VersionFacts, verify_version
from mlops.clock import Clock, seconds_ahead
from mlops.errors import ConfigError, MlopsError, PlatformError
from mlops.hints import typed
from mlops.monitoring.telemetry import FILES, Telemetry, digest
from mlops.platforms.base import Deployment
from mlops.platforms.http import post, predicts_as
from mlops.platforms.local import processes
from mlops.platforms.local.http import get_json, local_session
from mlops.platforms.local.processes import LOCALHOST, ProcessRecord
from mlops.platforms.local.state import DeploymentState, EndpointState, StateFile
from mlops.platforms.log_excerpt import excerpt
from mlops.platforms.serving_env import ENTRY_SCRIPT, REQUIREMENTS, serving_python
from mlops.platforms.traffic_rules import DIRECT_AGENT
from mlops.progress import Report

if TYPE_CHECKING:
    import requests

    from mlops.settings.sections import EndpointSettings

PROBE_SECONDS = 5.0
POLL_SECONDS = 0.05
_FOLLOW_SECONDS = 20.0  # on a busy machine; to start it anew would break off requests
_LOG_LINES = 60


class LocalServers:
    """The router and the scoring servers of one endpoint.

    Args:
        root: the project's root.
        name: the endpoint's name.
        settings: how long a start and a request may take.
        state: the state that says what should run.
        serving_venvs: where serving environments are kept.
        telemetry: what servers are told of their events.
        clock: what tells servers the time.
    """

    def __init__(
        self,
        root: Path,
        name: str,
        settings: "EndpointSettings",
        state: StateFile,
        serving_venvs: Path,
        telemetry: Telemetry,
        clock: Clock,
    ) -> None:
        self._root = root
        self._name = name
        self._settings = settings
        self._state = state
        self._home = state.folder
        self._serving_venvs = serving_venvs
        self._telemetry = telemetry
        self._clock = clock

    @cached_property
    def session(self) -> "requests.Session":
        """The connection to servers on this machine."""
        return local_session()

    def runs(self, record: ProcessRecord | None) -> bool:
        """Tell whether a recorded process runs."""
        return processes.find(record, self._home) is not None

    def are_whole(self, state: EndpointState, *, retry_failed: bool) -> bool:
        """Tell whether every deployment's server runs, or failed before, and no other is left."""
        return not state.leftovers and all(
            self.runs(each.process) or (each.failure and not retry_failed)
            for each in state.deployments.values()
        )

    def describe(
        self, name: str, found: DeploymentState, patience: float = PROBE_SECONDS
    ) -> Deployment:
        """Return a deployment with its health; it has so many seconds to answer."""
        detail = ""
        process = processes.find(found.process, self._home)
        if process is None or found.process is None:
            detail = found.failure.partition("\n")[0]
            detail = detail or ("stopped" if found.process is None else "not running")
        elif not processes.listens(process, found.process.port):
            detail = "does not listen"
        elif get_json(self.session, found.process.port, patience) is None:
            detail = "does not answer"
        return Deployment(
            name=name,
            model_version=found.model_version,
            model_sha256=found.model_sha256,
            commit=found.commit,
            healthy=not detail,
            detail=detail,
            origin=found.origin,
        )

    def existing(self) -> EndpointState:
        """Return the state of the endpoint.

        Raises:
            ConfigError: nothing is deployed here.
        """
        state = self._state.endpoint(self._name)
        if state is None or not state.deployments:
            raise ConfigError(
                f"the endpoint {self._name} does not exist",
                f"{typed('deploy')} makes it with its first deployment",
            )
        return state

    def start_missing(self, report: Report, *, retry_failed: bool, but: str | None = None) -> None:
        """Start what should run and does not, `but` one deployment."""
        self.end_leftovers()
        state = self._state.endpoint(self._name)
        if state is None:
            return
        try:
            for name, found in state.deployments.items():
                wanted = name != but and (retry_failed or not found.failure)
                if wanted and not self.runs(found.process):
                    self._start_again(name, found, report)
        finally:
            self.end_leftovers()
        self.start_missing_router(report, thorough=retry_failed)

    def router_works(self, state: EndpointState, *, thorough: bool) -> bool:
        """Tell whether the router runs; if `thorough`, also whether it answers."""
        if state.port is None or not self.runs(state.router):
            return False
        return not thorough or self._routed(state.port) is not None

    def start_missing_router(self, report: Report, *, thorough: bool = False) -> None:
        """Start the router if there is something to route and it does not run.

        If `thorough`, a router that hangs is replaced as well.
        """
        state = self._state.endpoint(self._name)
        if state is None or not state.deployments:
            return
        if self.router_works(state, thorough=thorough):
            return
        report("the router is not running: starting it again")
        self._abandon_router()
        state = self.existing()
        try:
            router = self.start_router(state, report)
            self.wait_for_router(router)
            self._change(
                lambda s: without_leftover(replace(s, router=router, port=router.port), router)
            )
        finally:
            self.end_leftovers()

    def start_server(
        self, name: str, plan: DeploymentState, facts: VersionFacts, report: Report
    ) -> ProcessRecord:
        """Start the inference server of a deployment, without waiting for it."""
        code = self._home / plan.code
        python = serving_python(self._root, code / REQUIREMENTS, self._serving_venvs, report)
        report(f"starting version {plan.model_version} as {name}")
        record = self._new_process(name, processes.free_port())
        launcher = Path(__file__).with_name("scoring_launcher.py")
        command = [str(python), "-P", str(launcher), record.token, self._ahead]
        command += ["--entry_script", str(code / ENTRY_SCRIPT), "--port", str(record.port)]
        limits = self._settings.start_timeout_seconds, self._settings.request_timeout_seconds
        env = {
            **_clean_environment(),
            **facts.told(),
            **self.told(name, facts),
            "AML_APP_ROOT": str(code),
            "AZUREML_MODEL_DIR": str(self._root / plan.folder),
            "APP_INSIGHTS_LOG_RESPONSE_ENABLED": "false",
            "GUNICORN_CMD_ARGS": "--no-control-socket",
            "OMP_NUM_THREADS": "1",
            "PYTHONUNBUFFERED": "1",
            "WORKER_TIMEOUT": str(1 + int(max(limits))),
        }
        return self._start(record, command, env)

    def told(self, name: str, facts: VersionFacts) -> dict[str, str]:
        """Return the environment by which a deployment knows what events it keeps."""
        return self._telemetry.told(self._name, name, facts, FILES)

    def start_router(self, state: EndpointState, report: Report) -> ProcessRecord:
        """Start the router, at its old port if that is free, without waiting for it."""
        self._state.key(self._name)
        processes.wait_for_the_dying(state.router)
        port = processes.free_port(state.port)
        if state.port is not None and port != state.port:
            report(
                f"port {state.port} is taken by another program: "
                f"the URL of {self._name} is now http://{LOCALHOST}:{port}/score"
            )
        record = self._new_process("router", port)
        module = f"{__package__}.router"
        command = [sys.executable, "-P", "-m", module, record.token, self._name, str(port)]
        command += [self._ahead]
        return self._start(record, command, os.environ)

    def wait_for_server(self, name: str, server: ProcessRecord, facts: VersionFacts) -> None:
        """Wait until a server answers a typical row with the version it should serve.

        Raises:
            PlatformError: it ended, answered something else or took too long.
        """
        deadline = time.monotonic() + self._settings.start_timeout_seconds
        url = f"http://{LOCALHOST}:{server.port}/score"
        said = f"it does not answer within {self._settings.start_timeout_seconds:g} s"
        agent = {"User-Agent": DIRECT_AGENT}
        while (left := deadline - time.monotonic()) > 0:
            process = processes.find(server, self._home)
            if process is None:
                said = "it ended while starting"
                break
            if processes.listens(process, server.port):
                with contextlib.suppress(PlatformError):
                    answer = post(self.session, url, {"data": [facts.example]}, agent, left)
                    if predicts_as(answer, facts.version):
                        return
                    said = f"it answered a typical row with {answer.status} {answer.body}"
                    break
            time.sleep(POLL_SECONDS)
        raise PlatformError(self._failed_start(name, server, said))

    def wait_for_router(self, router: ProcessRecord) -> None:
        """Wait until a router answers.

        Raises:
            PlatformError: it ended or took too long.
        """
        deadline = time.monotonic() + self._settings.start_timeout_seconds
        while time.monotonic() < deadline:
            process = processes.find(router, self._home)
            if process is None:
                break
            if processes.listens(process, router.port) and self._routed(router.port):
                return
            time.sleep(POLL_SECONDS)
        raise PlatformError(self._failed_start("the router", router, "it does not answer"))

    def let_router_follow(self, report: Report) -> None:
        """Wait until the router goes by the present state; start it anew if it does not."""
        state = self.existing()
        deadline = time.monotonic() + _FOLLOW_SECONDS
        while time.monotonic() < deadline and state.port is not None:
            found = self._routed(state.port)
            if found is not None and found["revision"] >= state.revision:
                return
            time.sleep(POLL_SECONDS)
        report("the router does not follow: starting it again")
        self._abandon_router()
        self.start_missing(report, retry_failed=False)

    def drain(self) -> None:
        """Wait until no request is open at a server that was replaced or removed."""
        state = self.existing()
        old = {str(process.port) for process in state.leftovers}
        deadline = time.monotonic() + state.request_timeout_seconds
        while time.monotonic() < deadline and state.port is not None:
            found = self._routed(state.port)
            if found is None and not self.runs(state.router):
                return
            if found is not None and not old & found["in_flight"].keys():
                return
            time.sleep(POLL_SECONDS)

    def end_leftovers(self) -> None:
        """End every process that was started and not put to use, or is not used any more."""
        state = self._state.endpoint(self._name)
        if state is not None and state.leftovers:
            processes.stop(state.leftovers, self._home)
            self._change(lambda s: replace(s, leftovers=()))

    @property
    def _ahead(self) -> str:
        return f"{seconds_ahead(self._clock):.6f}"

    def _abandon_router(self) -> None:
        """Let the router be ended, so that its port is free for a new one."""
        self._change(
            lambda s: replace(
                s, router=None, leftovers=(*s.leftovers, *([s.router] if s.router else []))
            )
        )
        self.end_leftovers()

    def _start_again(self, name: str, found: DeploymentState, report: Report) -> None:
        report(f"{name} is not running: starting it again")
        # without a process no request can reach a stranger that got the old port
        process, failure = None, ""
        try:
            facts = verify_version(self._root / found.folder)
            server = self.start_server(name, found, facts, report)
            self.wait_for_server(name, server, facts)
            process, found = server, replace(found, telemetry=digest(self.told(name, facts)))
        except MlopsError as error:
            failure = str(error)
            report(f"{name} could not be started again: {failure}")
        again = replace(found, process=process, failure=failure)
        self._change(
            lambda s: without_leftover(
                replace(s, deployments={**s.deployments, name: again}), process
            )
        )
        self.end_leftovers()

    def _new_process(self, name: str, port: int) -> ProcessRecord:
        return processes.new_record(f"{self._name}-{name}", port, f"logs/{self._name}")

    def _start(
        self, record: ProcessRecord, command: list[str], env: Mapping[str, str]
    ) -> ProcessRecord:
        """Start a process that counts as a leftover until it is put to use."""
        self._change(lambda s: replace(s, leftovers=(*s.leftovers, record)))
        started = processes.start(record, command, self._home, env)
        self._change(
            lambda s: replace(
                s, leftovers=tuple(started if p.token == record.token else p for p in s.leftovers)
            )
        )
        return started

    def _failed_start(self, name: str, process: ProcessRecord, said: str) -> str:
        log = self._home / process.log
        return (
            f"{name} of the endpoint {self._name} did not start: {said}. "
            f"From its log ({log}):\n{excerpt(processes.tail(log, _LOG_LINES))}"
        )

    def _routed(self, port: int) -> dict[str, Any] | None:
        """Return what this endpoint's router says of itself, or None if it does not answer."""
        found = get_json(self.session, port, PROBE_SECONDS)
        if isinstance(found, dict) and found.get("endpoint") == self._name:
            return found
        return None

    def _change(self, function: Callable[[EndpointState], EndpointState]) -> EndpointState:
        return self._state.change(self._name, function)


def without_leftover(state: EndpointState, process: ProcessRecord | None) -> EndpointState:
    """Return the state in which a process has been put to use."""
    if process is None:
        return state
    left = tuple(each for each in state.leftovers if each.token != process.token)
    return replace(state, leftovers=left)


def without_processes(state: EndpointState) -> EndpointState:
    """Return the state in which all that runs is to be ended."""
    running = [state.router, *(each.process for each in state.deployments.values())]
    return replace(
        state,
        router=None,
        deployments={name: replace(d, process=None) for name, d in state.deployments.items()},
        leftovers=(*state.leftovers, *(process for process in running if process is not None)),
    )


def _clean_environment() -> dict[str, str]:
    """Return this process's environment without what steers another Python or server."""
    left_out = ("PYTHON", "VIRTUAL_ENV", "AZUREML_", "AML_")
    return {k: v for k, v in os.environ.items() if not k.startswith(left_out)}
