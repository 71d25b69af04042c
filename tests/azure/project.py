"""A generated project that is led to an emulated Azure; its commands run unmodified."""

import itertools
import json
import os
import shutil
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import requests
import yaml
from fakes.waiting import wait_for

from tests.support import Project, Template, commit_all, run, uv, variables

from .emulator import AzureEmulator, Call
from .emulator.machine import Machine

NAME = "purchase-prediction"
CONTRACT = Path(__file__).with_name("contract") / "test_azure_endpoint.py"
ENVIRONMENTS = ("dev", "test", "prod")
# Small and quick, but nothing is left out: the A/B test needs few requests to be sure.
SETTINGS = {
    "MLOPS_PLATFORM": "azure",
    "MLOPS_AZURE__POLL_SECONDS": "0.5",
    "MLOPS_AZURE__LEASE_SECONDS": "8",
    "MLOPS_AZURE__OPERATION_TIMEOUT_SECONDS": "180",
    "MLOPS_DATA__SAMPLE__SIZE": "3000",
    "MLOPS_DATA__FRACTION": "1.0",
    "MLOPS_GATE__TOLERANCE": "0.5",
    "MLOPS_SMOKE_TEST__REQUESTS": "5",
    "MLOPS_SMOKE_TEST__MAX_P95_MS": "10000",
    "MLOPS_ENDPOINT__REQUEST_TIMEOUT_SECONDS": "10",  # so long a request may be told late
    "MLOPS_AB_TEST__MIRROR_REQUESTS": "10",
    "MLOPS_AB_TEST__MIRROR_PERCENT": "50",
    "MLOPS_AB_TEST__SHARE_PERCENT": "50",
    "MLOPS_AB_TEST__MIN_REQUESTS": "20",
    "MLOPS_AB_TEST__OBJECTIVE_MS": "10000",
    "MLOPS_AB_TEST__PATIENCE_MS": "10000",
    "MLOPS_AB_TEST__DURATION_SECONDS": "120",
    "MLOPS_AB_TEST__MARGINS__ERRORS": "0.2",
    "MLOPS_AB_TEST__MARGINS__SLOW": "0.2",
}
# Who approves is asked of GitHub: test_pipeline.py has that.
UNASKED = {"MLOPS_APPROVALS__REQUIRED": "0"}

Found = TypeVar("Found")
Routing = tuple[dict[str, int], dict[str, int]]
# The traffic and the mirror of a release of green while callers are served by blue, in order.
RELEASED: list[Routing] = [
    ({"blue": 100}, {}),
    ({"blue": 100}, {"green": 50}),
    ({"blue": 100}, {}),
    ({"blue": 50, "green": 50}, {}),
    ({"green": 100}, {}),
]


@dataclass
class AzureProject:
    """An installed project with the group `azure`, and the Azure that it sees."""

    project: Project
    azure: AzureEmulator
    settings: dict[str, str] = field(default_factory=lambda: SETTINGS | UNASKED)

    @property
    def environment(self) -> dict[str, str]:
        """The variables of its commands."""
        log = {
            "MLOPS_AZURE__LOG_ANALYTICS_WORKSPACE_ID": self.azure.log_analytics_workspace,
            "MLOPS_AZURE__INSIGHTS_CONNECTION_STRING": self.azure.insights_connection_string,
        }
        path = os.pathsep.join([str(Path(uv()).parent), os.environ["PATH"]])
        return {"PATH": path, **self.azure.variables, **log, **self.settings}

    def mlops(self, *arguments: str, **options: Any) -> str:
        """Run a command; return what it said."""
        env = self.environment | options.pop("settings", {})
        command = [str(self.project.python), "-m", "mlops", *arguments]
        return run(*command, folder=self.project.path, env=env, **options)

    def begin(self, *arguments: str, **settings: str) -> "subprocess.Popen[str]":
        """Start a command, with these settings besides, and do not wait for it."""
        return subprocess.Popen(
            [str(self.project.python), "-m", "mlops", *arguments],
            cwd=self.project.path,
            env=variables(self.environment | settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def traffic(self, environment: str) -> dict[str, int]:
        """The traffic of an environment's endpoint, as Azure has it."""
        properties = self.azure.endpoint(f"{NAME}-{environment}")["properties"]
        return {name: share for name, share in properties["traffic"].items() if share}

    def tags(self, environment: str) -> dict[str, str]:
        """The tags of an environment's endpoint, as Azure has them."""
        return dict(self.azure.endpoint(f"{NAME}-{environment}")["tags"])

    def deployment(self, environment: str, name: str) -> dict[str, Any]:
        """A deployment of an environment's endpoint, as Azure has it."""
        return dict(self.azure.deployment(f"{NAME}-{environment}", name))

    def writes(self, environment: str, since: int = 0) -> list[Call]:
        """The writes of an environment's endpoint from a call on, in order."""
        found = self.azure.called("PUT", rf"onlineEndpoints/{NAME}-{environment}$")
        return [call for call in found if self.azure.calls.index(call) >= since]

    def routings(self, environment: str, since: int = 0) -> list[Routing]:
        """The traffic and the mirror that those writes asked for, without repetitions."""
        found = [routing(call) for call in self.writes(environment, since)]
        return [each for each, _ in itertools.groupby(found)]

    def smoke_tested(self, environment: str, deployment: str, since: int = 0) -> Counter[int]:
        """How a deployment answered the smoke test before anything was routed to it, by status."""
        routed = next(
            call
            for call in self.writes(environment, since)
            if deployment in {name for shares in routing(call) for name in shares}
        )
        rows = [row.columns for row in self.azure.state.traffic_log]
        return Counter(
            row["ModelStatusCode"]
            for row in rows
            if row["UserAgent"].startswith("mlops-direct")
            and row["DeploymentName"] == deployment
            and row["EndpointName"] == f"{NAME}-{environment}"
            and datetime.fromisoformat(row["TimeGenerated"]).timestamp() < routed.time
        )

    def trained(self, platform: str = "azure") -> str:
        """Train, on this machine if need be, and let the gate judge; return the run's id."""
        there = {"MLOPS_PLATFORM": platform}
        said = self.mlops("train", "--environment", "dev", settings=there)
        run_id = said.strip().splitlines()[-1]
        self.mlops("evaluate", "--environment", "dev", "--run-id", run_id)
        return run_id

    def another(self, run_id: str) -> str:
        """Give a run another id, as if it had been trained again; train, if there is none."""
        runs = self.project.path / ".mlops" / "runs"
        judged = next(runs.glob("*/verdict.json"), None) or runs / self.trained() / "verdict.json"
        shutil.copytree(judged.parent, runs / run_id)
        return run_id

    def of_other_data(self, run_id: str, **source: Any) -> int:
        """Register a copy of a run that says something else of its data; return the version."""
        copy = self.project.path / ".mlops" / "runs" / self.another(run_id)
        prepared = copy / "prepared" / "prepared.json"
        content = json.loads(prepared.read_text(encoding="utf-8"))
        content["source"] |= {"made_up": True, "fraction": 1.0, **source}
        prepared.write_text(json.dumps(content), encoding="utf-8")
        said = self.mlops("register", "--environment", "dev", "--run-id", run_id)
        return int(said.strip().splitlines()[-1])

    def registered(self, run_id: str) -> int:
        """Register and share; return the version."""
        said = self.mlops("register", "--environment", "dev", "--run-id", run_id)
        version = int(said.strip().splitlines()[-1])
        self.mlops("share", "--model-version", str(version))
        return version

    def example(self, environment: str) -> dict[str, float]:
        """A row that every version which an environment serves can score."""
        deployed = (self.azure.folder / "deployments").glob(f"{NAME}-{environment}-*")
        signature = json.loads(next(next(deployed).rglob("signature.json")).read_text())
        return {feature["name"]: feature["example"] for feature in signature["features"]}

    @contextmanager
    def shared_registry(self, name: str) -> Iterator[None]:
        """Let conf name another registry for a while."""
        conf = self.project.path / "conf" / "base.yaml"
        before = conf.read_text(encoding="utf-8")
        content = yaml.safe_load(before)
        content["azure"] = (content.get("azure") or {}) | {"registry": name}
        conf.write_text(yaml.safe_dump(content), encoding="utf-8")
        try:
            yield
        finally:
            conf.write_text(before, encoding="utf-8")

    def run_contract(self) -> str:
        """Let the contract of every endpoint run, in a workspace of its own."""
        self.azure.add_workspace("mlw-contract", "rg-contract")
        self.azure.add_registry("mlr-contract", "rg-contract-shared")
        own = {
            "MLOPS_AZURE__WORKSPACE": "mlw-contract",
            "MLOPS_AZURE__RESOURCE_GROUP": "rg-contract",
            "MLOPS_ENDPOINT__NAME": "contract-dev",
            "MLOPS_TELEMETRY__KEYS": "true",
        }
        tests = self.project.path / "azure_contract"
        tests.mkdir()
        shutil.copy(CONTRACT, tests)
        try:
            command = [str(self.project.python), "-m", "pytest", "-q", "-p", "no:cacheprovider"]
            command += ["-c", "packages/mlops/pyproject.toml", "-W", "ignore", str(tests)]
            env = self.environment | own
            with self.shared_registry("mlr-contract"):
                return run(*command, folder=self.project.path, env=env, timeout=900)
        finally:
            shutil.rmtree(tests)

    @contextmanager
    def callers(self, environment: str) -> Iterator[list[int]]:
        """Send requests to an endpoint from the outside, all the time; yield their statuses.

        They are many while a command changes the endpoint, else few, which saves time.
        """
        running = self.azure.endpoints.running[f"{NAME}-{environment}"]
        uri = self.azure.endpoint(f"{NAME}-{environment}")["properties"]["scoringUri"]
        row = self.example(environment)
        mode = self.azure.endpoint(f"{NAME}-{environment}")["properties"]["authMode"]
        secret = running.keys["primaryKey"]
        if mode == "AADToken":
            secret = self.azure.identity.service_token("https://ml.azure.com")
        statuses: list[int] = []
        over = threading.Event()

        def call() -> None:
            proxies = {"https": self.azure.network["HTTPS_PROXY"]}
            headers = {"Authorization": f"Bearer {secret}"}
            with requests.Session() as session:
                session.trust_env = False  # a certificate authority of this machine would win
                session.verify = self.azure.network["REQUESTS_CA_BUNDLE"]
                while not over.is_set():
                    answer = session.post(
                        uri, json={"data": [row]}, headers=headers, proxies=proxies, timeout=60
                    )
                    statuses.append(answer.status_code)
                    changing = "mlops-lease-holder" in self.tags(environment)
                    over.wait(0.02 if changing else 0.5)

        caller = threading.Thread(target=call)
        caller.start()
        try:
            yield statuses
        finally:
            over.set()
            caller.join()


def while_runs(command: "subprocess.Popen[str]", condition: Callable[[], Found]) -> Found:
    """Wait until a condition holds while a command runs; return what it found."""

    def found() -> Found:
        assert command.poll() is None, command.communicate()[0]
        return condition()

    return wait_for(found)


def routing(call: Call) -> Routing:
    """The traffic and the mirror that a write of an endpoint asks for."""
    properties: dict[str, Any] = call.body["properties"]
    return properties.get("traffic") or {}, properties.get("mirrorTraffic") or {}


@contextmanager
def azure_project(
    template: Template, folder: Path, *, storage_keys: bool = False
) -> Iterator[AzureProject]:
    """Render and install a project, and start an Azure with all that its infra would make.

    The workspaces' files are opened by who signs in, or with `storage_keys` by the account's key.
    """
    project = template.install(folder / "project")
    run(uv(), "sync", "--quiet", "--group", "azure", folder=project.path)
    made = run(project.python, "-c", _SERVING, folder=project.path)
    serving = project.path / made.strip().splitlines()[-1]
    commit_all(project.path)  # prod takes nothing of changes that are in no commit
    with started(project, folder, project.python, serving, storage_keys=storage_keys) as place:
        yield place


@contextmanager
def started(
    project: Project,
    folder: Path,
    training: Path | Machine,
    serving: Path | Machine,
    *,
    storage_keys: bool = False,
) -> Iterator[AzureProject]:
    """Start an Azure for an installed project, whose jobs and deployments run as is given."""
    with AzureEmulator(folder / "azure", training_python=training, serving_python=serving) as azure:
        for environment in ENVIRONMENTS:
            azure.add_workspace(
                f"mlw-{NAME}-{environment}",
                f"rg-{NAME}-{environment}",
                f"cpu-{environment}",
                storage_keys=storage_keys,
            )
        azure.add_registry(f"mlr-{NAME}", f"rg-{NAME}-shared")
        yield AzureProject(project, azure)


_SERVING = """
from pathlib import Path
from mlops.platforms.serving_env import serving_python
requirements = Path("serving/requirements.txt")
print(serving_python(Path("."), requirements, Path(".mlops/serving-env"), lambda line: None))
"""
