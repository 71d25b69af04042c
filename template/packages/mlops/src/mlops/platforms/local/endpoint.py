"""An online endpoint on this machine: Azure ML's inference servers behind a router on 127.0.0.1.

Each deployment is the real inference server in the serving environment. A change is made beside
what runs, put to use in one write of the state file; the next command ends what it leaves behind.
"""

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from mlops.artifacts.event_folders import event_folders
from mlops.artifacts.predictions import Predictions
from mlops.artifacts.version_folder import verify_version
from mlops.clock import Clock
from mlops.errors import ConfigError
from mlops.files import code_hash
from mlops.monitoring.check_log import CheckLog
from mlops.monitoring.telemetry import Telemetry, digest
from mlops.platforms.base import (
    ALL_TRAFFIC,
    Answer,
    Deployment,
    Endpoint,
    ModelVersion,
    Observation,
)
from mlops.platforms.http import Unreachable, post
from mlops.platforms.lease_rules import EndpointBusy, Shares, interrupted
from mlops.platforms.lease_terms import USUAL, Pending, Terms, WayBack
from mlops.platforms.local import leases, notes, processes
from mlops.platforms.local.http import get_observations
from mlops.platforms.local.processes import LOCALHOST, ProcessRecord
from mlops.platforms.local.servers import (
    POLL_SECONDS,
    PROBE_SECONDS,
    LocalServers,
    without_leftover,
    without_processes,
)
from mlops.platforms.local.state import (
    DeploymentState,
    EndpointState,
    Lease,
    StateFile,
    check_name,
    path_from,
    without_deployment,
)
from mlops.platforms.serving_env import scoring_code
from mlops.platforms.traffic_rules import (
    DEPLOYMENT_HEADER,
    DIRECT_AGENT,
    check_mirror,
    check_removal,
    check_shares,
    require_healthy,
    unknown_deployment,
)
from mlops.progress import Report, silent
from mlops.settings.project import Project
from mlops.signing.folder import Trust, require_deployable
from mlops.window import Window

if TYPE_CHECKING:
    from mlops.features import Features
    from mlops.settings.sections import EndpointSettings


class LocalEndpoint(notes.LocalNotes, Endpoint):
    """One endpoint.

    Args:
        project: the project whose state folder and scoring code are used.
        name: the endpoint's name.
        settings: how long a start and a request may take.
        clock: what tells its servers the time.
        telemetry: what its deployments keep of predictions.
        serving_venvs: where serving environments are kept; by default `.mlops/serving-env`.
        trust: whose signature of a version counts; by default nobody's.

    Raises:
        ConfigError: the name has other characters than letters, digits and dashes.
    """

    poll_seconds = 0.0

    def __init__(
        self,
        project: Project,
        name: str,
        settings: "EndpointSettings",
        clock: Clock,
        telemetry: Telemetry,
        serving_venvs: Path | None = None,
        trust: Trust | None = None,
    ) -> None:
        check_name("endpoint", name)
        self.name, self._project, self._home = name, project, project.state_dir
        self._settings, self._telemetry = settings, telemetry
        self._trust = trust or Trust()
        self._state = StateFile(self._home)
        self._servers = LocalServers(
            *(project.root, name, settings, self._state),
            *(serving_venvs or self._home / "serving-env", telemetry, clock),
        )
        self._events = event_folders(self._home, name)
        self._purpose = ""  # of the lease that was taken by this object
        self._checks = CheckLog(self._events.checks)

    @override
    def exists(self) -> bool:
        state = self._state.endpoint(self.name)
        return state is not None and bool(state.deployments)

    @override
    def url(self) -> str:
        return f"http://{LOCALHOST}:{self._servers.existing().port}/score"

    @override
    def key(self) -> str:
        return self._state.key(self.name)

    @override
    def deploy(
        self,
        deployment: str,
        version: ModelVersion,
        report: Report,
        *,
        first_share: int = ALL_TRAFFIC,
        origin: str = "",
    ) -> None:
        """Create or replace a deployment; return when it is healthy, else leave all as it was.

        No request fails while one is replaced. The origin is the hash of scoring code that was
        deployed before.
        """
        check_name("deployment", deployment)
        facts = require_deployable(version.folder, self._trust, report)
        with self._changing():
            self._servers.start_missing(report, retry_failed=False, but=deployment)
            code = scoring_code(self._project.serving, self._home / "serving-code", origin)
            plan = DeploymentState(
                model_name=facts.name,
                model_version=facts.version,
                model_sha256=facts.model_sha256,
                commit=facts.commit,
                folder=path_from(self._project.root, version.folder),
                code=code.relative_to(self._home).as_posix(),
                telemetry=digest(self._servers.told(deployment, facts)),
            )
            try:
                server = self._servers.start_server(deployment, plan, facts, report)
                state = self._state.endpoint(self.name) or EndpointState()
                router = state.router or self._servers.start_router(state, report)
                self._servers.wait_for_server(deployment, server, facts)
                self._servers.wait_for_router(router)
                self._switch(deployment, replace(plan, process=server), router, first_share)
                self._servers.let_router_follow(report)
                self._servers.drain()
            finally:
                self._servers.end_leftovers()

    @override
    def is_current(self, deployment: str, version: ModelVersion) -> bool:
        state = self._state.endpoint(self.name)
        found = state.deployments.get(deployment) if state else None
        if not state or not found or not self._servers.describe(deployment, found).healthy:
            return False
        facts = verify_version(version.folder)
        has = found.model_version, found.model_sha256, found.origin, found.telemetry
        kept = state.keep_days, state.keep_gb
        events = self._telemetry.settings
        return (*has, *kept) == (
            facts.version,
            facts.model_sha256,
            code_hash(self._project.serving),
            digest(self._servers.told(deployment, facts)),
            events.keep_days,
            events.keep_gb,
        )

    @override
    def deployments(self) -> list[Deployment]:
        state = self._state.endpoint(self.name) or EndpointState()
        return [
            self._servers.describe(name, state.deployments[name])
            for name in sorted(state.deployments)
        ]

    @override
    def traffic(self) -> dict[str, int]:
        state = self._state.endpoint(self.name) or EndpointState()
        return {name: state.traffic.get(name, 0) for name in sorted(state.deployments)}

    @override
    def set_traffic(
        self,
        traffic: Mapping[str, int],
        *,
        completes: bool = False,
        way_back: WayBack | None = None,
    ) -> None:
        with self._changing():
            self._servers.end_leftovers()
            state = self._servers.existing()
            self._check_traffic(traffic, state)
            shares = {name: traffic.get(name, 0) for name in sorted(state.deployments)}
            self._change(
                lambda s: replace(leases.done(s, way_back) if completes else s, traffic=shares)
            )
            self._servers.let_router_follow(silent)

    @override
    def mirror(self) -> dict[str, int]:
        state = self._state.endpoint(self.name)
        return dict(state.mirror) if state else {}

    @override
    def set_mirror(self, deployment: str | None, percent: int = 0) -> None:
        with self._changing():
            self._servers.existing()
            check_mirror(self.name, deployment, percent, self.traffic())
            mirror = {deployment: percent} if deployment is not None and percent else {}
            self._change(lambda s: replace(s, mirror=mirror))
            self._servers.let_router_follow(silent)

    @override
    def delete(self, deployment: str) -> None:
        """Remove a deployment; with the last one the endpoint ends."""
        with self._changing():
            self._servers.end_leftovers()
            state = self._servers.existing()
            check_removal(self.name, deployment, self.traffic(), state.mirror)
            try:
                if self._change(lambda s: without_deployment(s, deployment)).deployments:
                    self._servers.let_router_follow(silent)
                    self._servers.drain()
            finally:
                self._servers.end_leftovers()

    @override
    def predictions(self, window: Window, features: "Features | None" = None) -> Predictions:
        from mlops.monitoring.event_store import read_events

        return read_events(self._events, window, features)

    @override
    def keep_scored(self, folder: Path) -> None:
        """Leave them: they are read where `mlops score` writes them."""

    @override
    def keep_checks(self, checks: Sequence[Mapping[str, Any]]) -> None:
        self._checks.add(checks)

    @override
    def checks(self, name: str, window: Window) -> list[dict[str, Any]]:
        return self._checks.read(name, window)

    @override
    def front_log(self, window: Window) -> None:
        """Return nothing: events and observations say all that the router knows."""

    @override
    def observations(self, after: int = 0, patience_seconds: float = math.inf) -> list[Observation]:
        self._repair(silent, retry_failed=False)
        port = self._servers.existing().port or 0
        limit = self._settings.request_timeout_seconds
        return get_observations(
            self._servers.session, port, self.key(), after, patience_seconds, limit
        )

    @override
    def await_observation(self, deployment: str, report: Report) -> None:
        """Return at once: the router itself observes what it passes on."""

    @override
    @contextlib.contextmanager
    def lease(self, purpose: str, terms: Terms = USUAL) -> Iterator[None]:
        """Hold the endpoint for one change of several steps.

        Until it ends, other commands can neither change the endpoint nor start its deployments
        again; only this process can.
        """
        with self._changing(terms):
            held = self._lease()
            if held is not None and not leases.gives_way(held, terms):
                raise leases.busy(self.name, held)
            self._change(lambda s: leases.taken(s, purpose, terms))
            if held is not None:
                self._servers.let_router_follow(silent)
        self._purpose = purpose
        try:
            yield
            leases.check(self.name, self._lease(), terms, purpose)
        except BaseException:
            self._change(lambda s: leases.ended(s) if leases.is_for(s.lease, purpose) else s)
            raise
        finally:
            self._purpose = ""
        self._change(lambda s: leases.completed(s) if leases.is_for(s.lease, purpose) else s)

    @override
    def pending(self) -> Pending | None:
        held = self._lease()
        return leases.pending(held) if held else None

    @override
    def previous(self) -> Shares | None:
        state = self._state.endpoint(self.name)
        return state.previous if state else None

    @override
    def way_back(self) -> WayBack | None:
        state = self._state.endpoint(self.name)
        return state.way_back if state else None

    @override
    def invoke(self, payload: bytes | Mapping[str, Any], deployment: str | None = None) -> Answer:
        """Send one scoring request; what should run and does not is started first."""
        deadline = time.monotonic() + self._settings.start_timeout_seconds
        while True:
            self._repair(silent, retry_failed=False)
            try:
                return self._send(payload, deployment)
            except Unreachable:
                # the router died in just this moment, or another command is starting it again
                if time.monotonic() > deadline:
                    raise
                time.sleep(POLL_SECONDS)

    @override
    def logs(self, deployment: str, lines: int = 100) -> str:
        known = self._servers.existing().deployments
        if deployment not in known:
            raise ConfigError(unknown_deployment(self.name, deployment, known.keys()))
        process = known[deployment].process
        return processes.tail(self._home / process.log, lines) if process else ""

    @override
    def stop(self) -> None:
        with self._changing():
            self._change(without_processes)
            self._servers.end_leftovers()

    @override
    def repair(self, report: Report) -> None:
        """Start again whatever should run and does not; what cannot start says so in its detail.

        While another command is changing the endpoint, only a missing router is started.
        """
        self._repair(report, retry_failed=True)

    def _send(self, payload: bytes | Mapping[str, Any], deployment: str | None) -> Answer:
        state = self._servers.existing()
        headers = {"Authorization": f"Bearer {self.key()}"}
        if deployment is not None:
            headers |= {DEPLOYMENT_HEADER: deployment, "User-Agent": DIRECT_AGENT}
        # the router answers 504 when a deployment takes too long: give it time to say so
        timeout = state.request_timeout_seconds + PROBE_SECONDS
        return post(self._servers.session, self.url(), payload, headers, timeout)

    @contextlib.contextmanager
    def _changing(self, terms: Terms = USUAL) -> Iterator[None]:
        """Hold the right to change the endpoint for one step.

        Raises:
            EndpointBusy: another command changes it, and does not give way on these terms.
        """
        held = self._lease()
        leases.check(self.name, held, terms, self._purpose)
        # another command may be starting the router again, or end the step before it gives way
        wait = self._settings.start_timeout_seconds if leases.is_held(held) else 0.0
        with self._state.changing(self.name, wait):
            self._undo_abandoned(silent)
            leases.check(self.name, self._lease(), terms, self._purpose)
            yield

    def _lease(self) -> Lease | None:
        state = self._state.endpoint(self.name)
        return state.lease if state else None

    def _undo_abandoned(self, report: Report) -> None:
        """Undo the change of a process that was killed."""
        held = self._lease()
        if held is None or leases.is_held(held):
            return
        state = self._change(leases.ended)
        report(interrupted(held.purpose, state.traffic, done=held.done))

    def _repair(self, report: Report, *, retry_failed: bool) -> None:
        state = self._state.endpoint(self.name)
        if state is None:
            return
        # A release looks at how its deployments do: nobody mends them behind its back.
        watched = leases.is_held(state.lease) and not (retry_failed and leases.is_own(state.lease))
        router_runs = not state.deployments or self._servers.router_works(
            state, thorough=retry_failed
        )
        abandoned = state.lease and not leases.is_held(state.lease)
        whole = not abandoned and self._servers.are_whole(state, retry_failed=retry_failed)
        if router_runs and (watched or whole):
            return
        with contextlib.suppress(EndpointBusy), self._state.changing(self.name):
            self._undo_abandoned(report)
            if watched:
                self._servers.start_missing_router(report, thorough=retry_failed)
            else:
                self._servers.start_missing(report, retry_failed=retry_failed)

    def _switch(
        self, name: str, new: DeploymentState, router: ProcessRecord, first_share: int
    ) -> None:
        """Put a healthy server to use; what it replaces becomes a leftover, in the same write."""

        def switched(state: EndpointState) -> EndpointState:
            old = state.deployments.get(name)
            traffic = state.traffic if state.deployments else {name: first_share}
            state = without_leftover(without_leftover(state, new.process), router)
            return replace(
                state,
                port=router.port,
                router=router,
                request_timeout_seconds=self._settings.request_timeout_seconds,
                keep_days=self._telemetry.settings.keep_days,
                keep_gb=self._telemetry.settings.keep_gb,
                traffic={**dict.fromkeys(state.deployments, 0), name: 0, **traffic},
                deployments={**state.deployments, name: new},
                leftovers=(old.process,) if old and old.process else (),
            )

        self._change(switched)

    def _check_traffic(self, traffic: Mapping[str, int], state: EndpointState) -> None:
        check_shares(self.name, traffic, state.deployments.keys(), state.mirror)
        for name, share in traffic.items():
            # a busy server may be slow to say that it is healthy, as long as callers would wait
            patience = state.request_timeout_seconds
            found = self._servers.describe(name, state.deployments[name], patience)
            if share > 0:
                require_healthy(name, found.detail, healthy=found.healthy)

    def _change(self, function: Callable[[EndpointState], EndpointState]) -> EndpointState:
        return self._state.change(self.name, function)
