"""Jobs: a pipeline's steps are really run, each in the code that was uploaded for it."""

import asyncio
import subprocess
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import bindings
from .arm import WORKSPACE, parent_id, resource_path
from .assets import datastore_uri, locate, long_uri
from .azurite import Azurite
from .bindings import Given, ParentInput, StepOutput
from .endpoints import asset_id
from .errors import AzureError, bad_request, not_found
from .faults import Faults
from .machine import Machine
from .operations import Operations
from .servers import empty, end
from .state import PROVIDER, Body, State, Store

JOB = f"{WORKSPACE}/jobs/{{job}}"
LOG = "user_logs/std_log.txt"
ENDED = ("Completed", "Failed", "Canceled")
_TAIL = 20
_LAUNCHER = b"""#!/bin/sh
# If the environment brings no `mlops` of its own: the command line of the snapshot's code.
PYTHONPATH="$PWD/packages/mlops/src:$PWD/src" exec python -m mlops "$@"
"""


class StepError(Exception):
    """A step failed."""


@dataclass
class Run:
    """One run as the run history shows it: a job, or a step of one."""

    id: str
    name: str
    workspace: str
    parent: str | None = None
    status: str = "NotStarted"
    error: str = ""
    started: str = ""
    ended: str = ""
    compute: str = ""
    experiment: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    """The URI of each output."""
    kinds: dict[str, str] = field(default_factory=dict)
    """The type of each output."""
    tags: dict[str, str] = field(default_factory=dict)
    children: list["Run"] = field(default_factory=list)
    process: "subprocess.Popen[bytes] | None" = None

    def begin(self) -> None:
        """Note that it runs."""
        self.status, self.started = "Running", _now()

    def finish(self, status: str, error: str = "") -> None:
        """Note how it ended, unless it was cancelled before."""
        if self.status not in ENDED:
            self.status, self.error, self.ended = status, error, _now()


def _output_uri(child: Run, name: str, properties: Body) -> str:
    """Return where an output of a step lies: where the pipeline says, or Azure's own place."""
    bound = (properties["jobs"][child.name].get("outputs") or {}).get(name)
    parent = bindings.parent_output(bound) if bound else None
    given = ((properties.get("outputs") or {}).get(parent) or {}).get("uri") if parent else None
    path = f"azureml/{child.id}/{name}"
    if given:
        path = (
            str(given)
            .partition("/paths/")[2]
            .replace("${{name}}", child.parent or child.id)
            .strip("/")
        )
    return f"{datastore_uri(child.workspace)}/{path}/"


class Jobs:
    """The jobs of all workspaces."""

    def __init__(
        self,
        state: State,
        azurite: Azurite,
        operations: Operations,
        faults: Faults,
        folder: Path,
        machine: Machine,
    ) -> None:
        self._state = state
        self._azurite = azurite
        self._operations = operations
        self._faults = faults
        self._folder = folder
        self._machine = machine
        self._running: set[asyncio.Task[None]] = set()
        self.runs: dict[str, Run] = {}

    def routes(self) -> list[Route]:
        """Return the routes below management.azure.com."""
        return [
            Route(JOB, self._put, methods=["PUT"]),
            Route(JOB, self._get),
            Route(f"{JOB}/cancel", self._cancel, methods=["POST"]),
        ]

    def stop(self) -> None:
        """End all steps that run."""
        for run in self.runs.values():
            run.finish("Canceled")
            if run.process:
                end(run.process)

    def submit(self, workspace: str, name: str, body: Body) -> Body:
        """Take a pipeline and let it run.

        Raises:
            AzureError: it cannot run (400).
        """
        properties = body["properties"]
        if properties["jobType"] != "Pipeline":
            raise bad_request("Only pipeline jobs are emulated.")
        specs = {
            step: self._state.get(asset_id(details["componentId"], self._state))["properties"][
                "componentSpec"
            ]
            for step, details in properties["jobs"].items()
        }
        steps = bindings.order(properties, specs)
        for step in steps:
            self._check(workspace, properties, step, specs[step])
        run = Run(
            name,
            properties.get("displayName") or name,
            workspace,
            experiment=properties.get("experimentName") or "Default",
            tags=properties.get("tags") or {},
            kinds={
                output: details.get("jobOutputType") or "uri_folder"
                for output, details in (properties.get("outputs") or {}).items()
            },
        )
        self.runs[name] = run
        self._state.job_outputs[name] = run.outputs
        artifacts = f"azureml://datastores/workspaceartifactstore/ExperimentRun/dcid.{name}"
        shown = {
            "tags": {},
            "properties": {},
            "services": {},
            **{key: each for key, each in properties.items() if each is not None},
        }
        shown["outputs"] = {
            **(properties.get("outputs") or {}),
            "default": {"jobOutputType": "uri_folder", "uri": artifacts, "mode": "ReadWriteMount"},
        }
        shown["services"] = {
            "Studio": {
                "jobServiceType": "Studio",
                "endpoint": f"https://ml.azure.com/runs/{name}?wsid={workspace}",
            }
        }
        kept = self._state.put(
            f"{workspace}/jobs/{name}", {"properties": shown | {"status": "NotStarted"}}
        )
        task = asyncio.create_task(self._run(run, properties, specs, steps))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return kept

    async def _put(self, request: Request) -> Response:
        path = resource_path(request)
        if self._state.find(path) is not None:
            raise AzureError(409, "Conflict", f"A job {request.path_params['job']} already exists.")
        body = await request.json()
        return JSONResponse(self.submit(parent_id(request), request.path_params["job"], body), 201)

    async def _get(self, request: Request) -> Response:
        path = resource_path(request)
        run = self.runs.get(request.path_params["job"])
        if run is not None and run.parent:
            # Azure leaves steps to the run history
            kind = f"{PROVIDER}/workspaces/jobs"
            return JSONResponse({"id": path, "name": run.id, "type": kind, "properties": None})
        found = self._state.get(path)
        if run is not None:
            found["properties"]["status"] = run.status
        return JSONResponse(found)

    async def _cancel(self, request: Request) -> Response:
        path = resource_path(request).removesuffix("/cancel")
        self._state.get(path)
        run = self.runs[request.path_params["job"]]

        async def work() -> None:
            for each in (run, *run.children):
                each.finish("Canceled")
                if each.process:
                    await run_in_threadpool(end, each.process)

        return self._operations.answer(self._operations.start(request, path, work), 202, None)

    def _check(self, workspace: str, properties: Body, step: str, spec: Body) -> None:
        """Refuse a step whose code, environment or compute does not exist.

        Raises:
            AzureError: so (400 or 404).
        """
        self._state.get(asset_id(spec["code"], self._state))
        environment = spec["environment"].removeprefix("azureml:")
        if not environment.startswith("AzureML-") and "/registries/azureml/" not in environment:
            self._state.get(asset_id(environment, self._state))
        compute = properties["jobs"][step].get("computeId") or (
            properties.get("settings") or {}
        ).get("default_compute")
        if compute is None:
            raise bad_request(f"The step {step!r} has no compute.")
        if compute != "serverless" and self._state.find(compute) is None:
            raise not_found(f"Compute with name {compute.split('/')[-1]} in {workspace}")

    async def _run(
        self, run: Run, properties: Body, specs: Mapping[str, Body], steps: list[str]
    ) -> None:
        run.begin()
        done: dict[str, Run] = {}
        try:
            for step in steps:
                child = Run(
                    str(uuid.uuid4()), step, run.workspace, run.id, experiment=run.experiment
                )
                run.children.append(child)
                self.runs[child.id] = child
                self._state.job_outputs[child.id] = child.outputs
                child.begin()
                await self._run_step(run, child, properties, specs[step], done)
                child.finish("Completed")
                done[step] = child
                for output, details in (properties["jobs"][step].get("outputs") or {}).items():
                    if name := bindings.parent_output(details):
                        run.outputs[name] = child.outputs[output]
        except Exception as error:
            child.finish("Failed", str(error))
            run.finish("Failed", f"The step {child.name!r} failed. {error}")
            if not isinstance(error, StepError | AzureError):
                raise
        else:
            run.finish("Completed")
        finally:
            said = "".join(f"{each.name}: {each.status}\n" for each in run.children)
            await run_in_threadpool(self.write_log, run, "logs/azureml/executionlogs.txt", said)

    async def _run_step(
        self, run: Run, child: Run, properties: Body, spec: Body, done: Mapping[str, Run]
    ) -> None:
        """Run one step.

        Raises:
            StepError: it failed.
            AzureError: its code, its data or its command cannot be had.
        """
        where = f"{run.id}/{child.name}"
        await self._faults.delay("STEP", where).over()
        if child.status in ENDED:
            raise StepError("It was cancelled.")
        if fault := self._faults.take("STEP", where, "answer"):
            raise StepError(fault.message)
        folder = empty(self._folder / child.id)
        command, environment = await run_in_threadpool(
            self._prepare, folder, child, properties, spec, done
        )
        log = folder / "log.txt"
        with log.open("wb") as output:
            child.process = subprocess.Popen(
                command,
                cwd=folder / "code",
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        code = await run_in_threadpool(child.process.wait)
        said = log.read_text(encoding="utf-8", errors="replace")
        await run_in_threadpool(self.write_log, child, LOG, said)
        modes = bindings.output_modes(child.name, properties, spec)
        store = self.store(run)
        for name, mode in modes.items():
            # what a step writes to a mounted folder is there at once; an upload waits for its end
            if code == 0 or mode != "upload":
                target = child.outputs[name].partition("/paths/")[2].rstrip("/")
                await run_in_threadpool(
                    self._azurite.upload, folder / "outputs" / name, store, target
                )
        if code != 0:
            last = "\n".join(said.splitlines()[-_TAIL:])
            raise StepError(
                f"Execution failed. User process exited with status code {code}. Please check log "
                f"file '{LOG}' for error details. Error: {last}"
            )

    def _prepare(
        self, folder: Path, child: Run, properties: Body, spec: Body, done: Mapping[str, Run]
    ) -> tuple[list[str], dict[str, str]]:
        """Bring code and data of a step here; return its command and its environment."""
        code = self._state.get(asset_id(spec["code"], self._state))["properties"]["codeUri"]
        self._fetch(code, folder / "code", child.workspace)
        step = properties["jobs"][child.name]
        inputs = {
            name: str(details["default"])
            for name, details in (spec.get("inputs") or {}).items()
            if "default" in details
        }
        for name, given in (step.get("inputs") or {}).items():
            value = self._value(bindings.source(given), properties, done)
            if isinstance(value, Given) and value.is_path:
                target = folder / "inputs" / name
                self._fetch(str(value.value), target, child.workspace)
                is_file = (spec["inputs"][name].get("type")) == "uri_file"
                inputs[name] = str(next(target.iterdir()) if is_file else target)
            else:
                inputs[name] = str(value.value)
        outputs = {}
        for name, details in (spec.get("outputs") or {}).items():
            path = folder / "outputs" / name
            path.mkdir(parents=True)
            outputs[name] = str(path)
            child.outputs[name] = _output_uri(child, name, properties)
            child.kinds[name] = details.get("type") or "uri_folder"
        return self._machine.process(
            ["bash", "-c", bindings.fill(spec["command"], inputs, outputs)],
            self._variables(child, spec, step),
            cwd=folder / "code",
            sees=[self._folder],
            programs=self._programs(child, spec),
        )

    def _programs(self, child: Run, spec: Body) -> Path:
        launchers = self._folder / child.id / "bin"
        launchers.mkdir()
        launcher = launchers / "mlops"
        launcher.write_bytes(self._launcher(spec))
        launcher.chmod(0o755)
        return launchers

    def _variables(self, child: Run, spec: Body, step: Body) -> dict[str, str]:
        given = (spec.get("environment_variables") or {}) | (
            step.get("environment_variables") or {}
        )
        return {
            "AZUREML_RUN_ID": child.id,
            "AZUREML_ROOT_RUN_ID": child.parent or child.id,
            "MLFLOW_TRACKING_URI": f"sqlite:///{self._folder / 'mlflow.db'}",
            **{name: str(value) for name, value in given.items()},
        }

    def _launcher(self, spec: Body) -> bytes:
        """Return the file `mlops` that the environment is built with."""
        found = self._state.find(asset_id(spec["environment"], self._state)) or {"properties": {}}
        if uri := (found["properties"].get("build") or {}).get("contextUri"):
            store, prefix = locate(uri, self._state, self._azurite)
            name = f"{prefix}/mlops"
            if name in self._azurite.names(store, prefix):
                return self._azurite.read(store, name)
        return _LAUNCHER

    def _value(self, found: bindings.Source, properties: Body, done: Mapping[str, Run]) -> Given:
        if isinstance(found, StepOutput):
            return Given(done[found.step].outputs[found.output], is_path=True)
        if isinstance(found, ParentInput):
            return self._value(bindings.source(properties["inputs"][found.name]), properties, done)
        return found

    def _fetch(self, uri: str, target: Path, workspace: str) -> None:
        name = uri.removeprefix("azureml:")
        for kind, said in (("data", "dataUri"), ("models", "modelUri")):
            if f"/{kind}/" in name and "/versions/" in name and "/paths/" not in name:
                uri = self._state.get(asset_id(name, self._state))["properties"][said]
        uri = long_uri(uri, workspace, self._state)
        store, prefix = locate(uri, self._state, self._azurite)
        target.mkdir(parents=True, exist_ok=True)
        if not self._azurite.download(store, prefix, target):
            raise not_found(f"Nothing lies at {uri}: it")

    def write_log(self, run: Run, name: str, text: str) -> None:
        """Keep a log where the client can read it."""
        self._azurite.write(self.store(run), f"{log_folder(run)}/{name}", text.encode())

    def store(self, run: Run) -> Store:
        """Return where the files of a run lie."""
        return self._state.stores[run.workspace.lower()]


def log_folder(run: Run) -> str:
    """Return where the logs of a run lie."""
    return f"ExperimentRun/dcid.{run.id}"


def _now() -> str:
    return datetime.now(UTC).isoformat()
