"""An online endpoint on this machine: Azure ML's inference servers behind a router on 127.0.0.1.

Each deployment is the real inference server in the serving environment. A change is made beside
what runs and put to use in one write of the state file; whatever an interrupted command leaves
behind is ended by the next one.
"""

import contextlib
import os
import re
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError, MlopsError, PlatformError
from ..project import Project
from . import processes
from .base import Answer, Deployment, ModelVersion, Report, silent
from .local_http import Unreachable, get_json, local_session, post
from .processes import LOCALHOST, ProcessRecord
from .serving_env import (
    ENTRY_SCRIPT,
    REQUIREMENTS,
    code_hash,
    environment_python,
    keep_code,
)
from .state import DeploymentState, EndpointBusy, EndpointState, StateFile
from .version_folder import VersionFacts, verify_version

if TYPE_CHECKING:
    import requests

    from ..settings import EndpointSettings

DEPLOYMENT_HEADER = "azureml-model-deployment"
ALL_TRAFFIC = 100
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,62}")
_POLL_SECONDS = 0.05
_FOLLOW_SECONDS = 5.0
_PROBE_SECONDS = 2.0
_LOG_LINES = 60
_EXCERPT_LINES = 25


def endpoint_names(project: Project) -> list[str]:
    """Return the names of the endpoints that exist on this machine for the project."""
    endpoints = StateFile(project.state_dir).endpoints()
    return sorted(name for name, state in endpoints.items() if state.deployments)


class LocalEndpoint:
    """One endpoint; see `Endpoint` in base.py for what each method promises.

    Args:
        project: the project whose state folder and scoring code are used.
        name: the endpoint's name.
        settings: how long a start and a request may take.
        environments: where serving environments are kept; by default `.mlops/serving-env`.

    Raises:
        ConfigError: the name has other characters than letters, digits and dashes.
    """

    def __init__(
        self,
        project: Project,
        name: str,
        settings: "EndpointSettings",
        environments: Path | None = None,
    ) -> None:
        _check_name("endpoint", name)
        self.name = name
        self._root = project.root
        self._home = project.state_dir
        self._settings = settings
        self._state = StateFile(self._home)
        self._environments = environments or self._home / "serving-env"

    def exists(self) -> bool:
        """Tell whether anything was ever deployed here."""
        state = self._state.endpoint(self.name)
        return state is not None and bool(state.deployments)

    def url(self) -> str:
        """Return the scoring URL.

        Raises:
            ConfigError: nothing was ever deployed here.
        """
        return f"http://{LOCALHOST}:{self._existing().port}/score"

    def key(self) -> str:
        """Return the key that callers send as `Authorization: Bearer <key>`."""
        return self._state.key(self.name)

    def deploy(self, deployment: str, version: ModelVersion, report: Report) -> None:
        """Create or replace a deployment; return when it is healthy, else leave all as it was.

        The first deployment of the endpoint gets all traffic, a further one none; a replaced one
        keeps its share, and no request fails while it is replaced.

        Raises:
            Refused: the version's files differ from what was registered.
            PlatformError: the server did not start, or another command changes the endpoint.
        """
        _check_name("deployment", deployment)
        facts = verify_version(version.folder)
        with self._state.changing(self.name):
            self._start_missing(report, thorough=False, but=deployment)
            code = keep_code(self._root / "serving", self._home / "serving-code")
            plan = DeploymentState(
                model_name=facts.name,
                model_version=facts.version,
                model_sha256=facts.model_sha256,
                commit=facts.commit,
                folder=self._relative(version.folder),
                code=code.relative_to(self._home).as_posix(),
            )
            try:
                server = self._start_server(deployment, plan, report)
                state = self._state.endpoint(self.name) or EndpointState()
                router = state.router or self._start_router(state, report)
                self._wait_for_server(deployment, server, facts)
                self._wait_for_router(router)
                self._switch(deployment, replace(plan, process=server), router)
                self._let_router_follow(report)
                self._drain()
            finally:
                self._end_leftovers()

    def is_current(self, deployment: str, version: ModelVersion) -> bool:
        """Tell whether a healthy deployment serves just this version with the present code."""
        state = self._state.endpoint(self.name)
        found = state.deployments.get(deployment) if state else None
        if found is None or not self._describe(deployment, found).healthy:
            return False
        facts = verify_version(version.folder)
        code = Path(found.code).name
        return (found.model_version, found.model_sha256, code) == (
            facts.version,
            facts.model_sha256,
            code_hash(self._root / "serving"),
        )

    def deployments(self) -> list[Deployment]:
        """Return what is deployed, in order of name."""
        state = self._state.endpoint(self.name) or EndpointState()
        return [self._describe(name, state.deployments[name]) for name in sorted(state.deployments)]

    def traffic(self) -> dict[str, int]:
        """Return the percentage of traffic of each deployment; the sum is 0 or 100."""
        state = self._state.endpoint(self.name) or EndpointState()
        return {name: state.traffic.get(name, 0) for name in sorted(state.deployments)}

    def set_traffic(self, traffic: Mapping[str, int]) -> None:
        """Set the percentages; a deployment that is not named gets none.

        Raises:
            ConfigError: they do not sum to 0 or 100, are negative or name an unknown deployment.
            PlatformError: a deployment is not healthy, or another command changes the endpoint.
        """
        with self._state.changing(self.name):
            self._end_leftovers()
            state = self._existing()
            self._check_traffic(traffic, state)
            shares = {name: traffic.get(name, 0) for name in sorted(state.deployments)}
            self._change(lambda s: replace(s, traffic=shares))
            self._let_router_follow(silent)

    def invoke(self, payload: bytes | Mapping[str, Any], deployment: str | None = None) -> Answer:
        """Send one scoring request, to one deployment if it is named.

        What should run and does not is started first. An answer of any status is returned.

        Raises:
            ConfigError: nothing was ever deployed here.
            PlatformError: the endpoint cannot be reached.
        """
        deadline = time.monotonic() + self._settings.start_timeout_seconds
        while True:
            self._repair(silent, thorough=False)
            try:
                return self._send(payload, deployment)
            except Unreachable:
                # the router died in just this moment, or another command is starting it again
                if time.monotonic() > deadline:
                    raise
                time.sleep(_POLL_SECONDS)

    def logs(self, deployment: str, lines: int = 100) -> str:
        """Return the last lines that a deployment printed.

        Raises:
            ConfigError: there is no such deployment.
        """
        found = self._existing().deployments.get(deployment)
        if found is None:
            raise ConfigError(self._unknown(deployment))
        if found.process is None:
            return ""
        return processes.tail(self._home / found.process.log, lines)

    def stop(self) -> None:
        """Stop what runs, keeping the endpoint so that it can be started again."""
        with self._state.changing(self.name):
            self._change(_without_processes)
            self._end_leftovers()

    def repair(self, report: Report) -> None:
        """Start again whatever should run and does not; what cannot start says so in its detail.

        Does nothing while another command is changing the endpoint.
        """
        self._repair(report, thorough=True)

    @cached_property
    def _session(self) -> "requests.Session":
        return local_session()

    def _send(self, payload: bytes | Mapping[str, Any], deployment: str | None) -> Answer:
        state = self._existing()
        headers = {"Authorization": f"Bearer {self.key()}"}
        if deployment is not None:
            headers[DEPLOYMENT_HEADER] = deployment
        # the router answers 504 when a deployment takes too long: give it time to say so
        timeout = state.request_timeout_seconds + _PROBE_SECONDS
        return post(self._session, self.url(), payload, headers, timeout)

    def _repair(self, report: Report, *, thorough: bool) -> None:
        state = self._state.endpoint(self.name)
        if state is None or self._is_whole(state, thorough=thorough):
            return
        try:
            with self._state.changing(self.name):
                self._start_missing(report, thorough=thorough)
        except EndpointBusy:
            return

    def _is_whole(self, state: EndpointState, *, thorough: bool) -> bool:
        if state.leftovers or not self._router_works(state, thorough=thorough):
            return False
        return all(
            self._runs(each.process) or (each.failure and not thorough)
            for each in state.deployments.values()
        )

    def _start_missing(self, report: Report, *, thorough: bool, but: str | None = None) -> None:
        """Start what should run, `but` one deployment; the caller holds the right to change it.

        If `thorough`, also what failed to start before, and a router that hangs.
        """
        self._end_leftovers()
        state = self._state.endpoint(self.name)
        if state is None:
            return
        try:
            for name, found in state.deployments.items():
                wanted = name != but and (thorough or not found.failure)
                if wanted and not self._runs(found.process):
                    self._start_again(name, found, report)
            if not self._router_works(state, thorough=thorough):
                report("the router is not running: starting it again")
                self._replace_router(report)
        finally:
            self._end_leftovers()

    def _start_again(self, name: str, found: DeploymentState, report: Report) -> None:
        report(f"{name} is not running: starting it again")
        # without a process no request can reach a stranger that got the old port
        process, failure = None, ""
        try:
            facts = verify_version(self._root / found.folder)
            server = self._start_server(name, found, report)
            self._wait_for_server(name, server, facts)
            process = server
        except MlopsError as error:
            failure = str(error)
            report(f"{name} could not be started again: {failure}")
        again = replace(found, process=process, failure=failure)
        self._change(
            lambda s: _without_leftover(
                replace(s, deployments={**s.deployments, name: again}), process
            )
        )
        self._end_leftovers()

    def _start_server(self, name: str, plan: DeploymentState, report: Report) -> ProcessRecord:
        code = self._home / plan.code
        python = environment_python(self._root, code / REQUIREMENTS, self._environments, report)
        report(f"starting version {plan.model_version} as {name}")
        record = self._new_process(name, processes.free_port())
        launcher = Path(__file__).with_name("scoring_launcher.py")
        command = [str(python), "-P", str(launcher), record.token]
        command += ["--entry_script", str(code / ENTRY_SCRIPT), "--port", str(record.port)]
        limits = self._settings.start_timeout_seconds, self._settings.request_timeout_seconds
        env = {
            **_clean_environment(),
            "AML_APP_ROOT": str(code),
            "AZUREML_MODEL_DIR": str(self._root / plan.folder),
            "APP_INSIGHTS_LOG_RESPONSE_ENABLED": "false",
            "GUNICORN_CMD_ARGS": "--no-control-socket",
            "OMP_NUM_THREADS": "1",
            "PYTHONUNBUFFERED": "1",
            "WORKER_TIMEOUT": str(1 + int(max(limits))),
        }
        return self._start(record, command, env)

    def _start_router(self, state: EndpointState, report: Report) -> ProcessRecord:
        self._state.key(self.name)
        port = processes.free_port(state.port)
        if state.port is not None and port != state.port:
            report(
                f"port {state.port} is taken by another program: "
                f"the URL of {self.name} is now http://{LOCALHOST}:{port}/score"
            )
        record = self._new_process("router", port)
        module = f"{__package__}.router"
        command = [sys.executable, "-P", "-m", module, record.token, self.name, str(port)]
        return self._start(record, command, os.environ)

    def _new_process(self, name: str, port: int) -> ProcessRecord:
        return processes.new_record(f"{self.name}-{name}", port, f"logs/{self.name}")

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

    def _wait_for_server(self, name: str, server: ProcessRecord, facts: VersionFacts) -> None:
        """Wait until a server answers a typical row with the version it should serve.

        Raises:
            PlatformError: it ended, answered something else or took too long.
        """
        deadline = time.monotonic() + self._settings.start_timeout_seconds
        url = f"http://{LOCALHOST}:{server.port}/score"
        said = f"it does not answer within {self._settings.start_timeout_seconds:g} s"
        while (left := deadline - time.monotonic()) > 0:
            process = processes.find(server, self._home)
            if process is None:
                said = "it ended while starting"
                break
            if processes.listens(process, server.port):
                with contextlib.suppress(PlatformError):
                    answer = post(self._session, url, {"data": [facts.example]}, {}, left)
                    if _serves(answer, facts.version):
                        return
                    said = f"it answered a typical row with {answer.status} {answer.body}"
                    break
            time.sleep(_POLL_SECONDS)
        raise PlatformError(self._failed_start(name, server, said))

    def _wait_for_router(self, router: ProcessRecord) -> None:
        deadline = time.monotonic() + self._settings.start_timeout_seconds
        while time.monotonic() < deadline:
            process = processes.find(router, self._home)
            if process is None:
                break
            if processes.listens(process, router.port) and self._routed(router.port):
                return
            time.sleep(_POLL_SECONDS)
        raise PlatformError(self._failed_start("the router", router, "it does not answer"))

    def _failed_start(self, name: str, process: ProcessRecord, said: str) -> str:
        log = self._home / process.log
        return (
            f"{name} of the endpoint {self.name} did not start: {said}. "
            f"From its log ({log}):\n{_excerpt(processes.tail(log, _LOG_LINES))}"
        )

    def _switch(self, name: str, new: DeploymentState, router: ProcessRecord) -> None:
        """Put a healthy server to use; what it replaces becomes a leftover, in the same write."""

        def switched(state: EndpointState) -> EndpointState:
            old = state.deployments.get(name)
            traffic = state.traffic if state.deployments else {name: ALL_TRAFFIC}
            state = _without_leftover(_without_leftover(state, new.process), router)
            return replace(
                state,
                port=router.port,
                router=router,
                request_timeout_seconds=self._settings.request_timeout_seconds,
                traffic={**dict.fromkeys(state.deployments, 0), name: 0, **traffic},
                deployments={**state.deployments, name: new},
                leftovers=(old.process,) if old and old.process else (),
            )

        self._change(switched)

    def _let_router_follow(self, report: Report) -> None:
        """Wait until the router goes by the present state; start it anew if it does not."""
        state = self._existing()
        deadline = time.monotonic() + _FOLLOW_SECONDS
        while time.monotonic() < deadline and state.port is not None:
            found = self._routed(state.port)
            if found is not None and found["revision"] >= state.revision:
                return
            time.sleep(_POLL_SECONDS)
        report("the router does not follow: starting it again")
        self._replace_router(report)

    def _replace_router(self, report: Report) -> None:
        self._change(
            lambda s: replace(
                s, router=None, leftovers=(*s.leftovers, *([s.router] if s.router else []))
            )
        )
        self._end_leftovers()
        router = self._start_router(self._existing(), report)
        self._wait_for_router(router)
        self._change(
            lambda s: _without_leftover(replace(s, router=router, port=router.port), router)
        )

    def _drain(self) -> None:
        """Wait until no request is open at a server that was replaced."""
        state = self._existing()
        old = {str(process.port) for process in state.leftovers}
        deadline = time.monotonic() + state.request_timeout_seconds
        while time.monotonic() < deadline and state.port is not None:
            found = self._routed(state.port)
            if found is None or not old & found["in_flight"].keys():
                return
            time.sleep(_POLL_SECONDS)

    def _end_leftovers(self) -> None:
        state = self._state.endpoint(self.name)
        if state is not None and state.leftovers:
            processes.stop(state.leftovers, self._home)
            self._change(lambda s: replace(s, leftovers=()))

    def _describe(self, name: str, found: DeploymentState) -> Deployment:
        detail = ""
        process = processes.find(found.process, self._home)
        if process is None or found.process is None:
            detail = found.failure.partition("\n")[0]
            detail = detail or ("stopped" if found.process is None else "not running")
        elif not processes.listens(process, found.process.port):
            detail = "does not listen"
        elif get_json(self._session, found.process.port, _PROBE_SECONDS) is None:
            detail = "does not answer"
        return Deployment(
            name=name,
            model_version=found.model_version,
            model_sha256=found.model_sha256,
            commit=found.commit,
            healthy=not detail,
            detail=detail,
        )

    def _check_traffic(self, traffic: Mapping[str, int], state: EndpointState) -> None:
        shares = ", ".join(f"{name} {share} %" for name, share in traffic.items()) or "nothing"
        if any(share < 0 for share in traffic.values()):
            raise ConfigError(f"no share of traffic may be negative: {shares}")
        if sum(traffic.values()) not in (0, ALL_TRAFFIC):
            raise ConfigError(f"the shares of traffic must sum to 0 or 100 %: {shares}")
        for name, share in traffic.items():
            if name not in state.deployments:
                raise ConfigError(self._unknown(name))
            found = self._describe(name, state.deployments[name])
            if share > 0 and not found.healthy:
                raise PlatformError(
                    f"{name} cannot take traffic: it is not healthy ({found.detail})"
                )

    def _routed(self, port: int) -> dict[str, Any] | None:
        """Return what this endpoint's router says of itself, or None if it does not answer."""
        found = get_json(self._session, port, _PROBE_SECONDS)
        if isinstance(found, dict) and found.get("endpoint") == self.name:
            return found
        return None

    def _router_works(self, state: EndpointState, *, thorough: bool) -> bool:
        if not self._runs(state.router) or state.port is None:
            return False
        return not thorough or self._routed(state.port) is not None

    def _runs(self, record: ProcessRecord | None) -> bool:
        return processes.find(record, self._home) is not None

    def _change(self, function: Callable[[EndpointState], EndpointState]) -> EndpointState:
        return self._state.change(self.name, function)

    def _existing(self) -> EndpointState:
        state = self._state.endpoint(self.name)
        if state is None or not state.deployments:
            raise ConfigError(
                f"the endpoint {self.name} does not exist: `mlops deploy` makes it with its first "
                "deployment"
            )
        return state

    def _unknown(self, deployment: str) -> str:
        known = ", ".join(sorted(self._existing().deployments))
        return f"{self.name} has no deployment {deployment!r} (it has: {known})"

    def _relative(self, folder: Path) -> str:
        folder = folder.resolve()
        root = self._root.resolve()
        if folder.is_relative_to(root):
            return folder.relative_to(root).as_posix()
        return str(folder)


def _check_name(kind: str, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"the name of the {kind}, {name!r}, must start with a letter and hold only letters, "
            "digits and dashes, at most 63"
        )


def _excerpt(log: str) -> str:
    """Return what explains a failure: from the first traceback on, else the last lines."""
    lines = log.splitlines()
    first = next((n for n, line in enumerate(lines) if "Traceback (most recent" in line), None)
    shown = lines[-_EXCERPT_LINES:] if first is None else lines[first : first + _EXCERPT_LINES]
    return "\n".join(shown)


def _serves(answer: Answer, version: int) -> bool:
    body = answer.body
    return answer.status == 200 and isinstance(body, dict) and body.get("model_version") == version


def _clean_environment() -> dict[str, str]:
    """Return this process's environment without what steers another Python or server."""
    left_out = ("PYTHON", "VIRTUAL_ENV", "AZUREML_", "AML_")
    return {k: v for k, v in os.environ.items() if not k.startswith(left_out)}


def _without_leftover(state: EndpointState, process: ProcessRecord | None) -> EndpointState:
    if process is None:
        return state
    left = tuple(each for each in state.leftovers if each.token != process.token)
    return replace(state, leftovers=left)


def _without_processes(state: EndpointState) -> EndpointState:
    running = [state.router, *(each.process for each in state.deployments.values())]
    return replace(
        state,
        router=None,
        deployments={name: replace(d, process=None) for name, d in state.deployments.items()},
        leftovers=(*state.leftovers, *(process for process in running if process is not None)),
    )
