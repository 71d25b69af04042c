"""Plays a project's workflows in the model: what each job hands on, and how it ends."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops.ci.setup_github.environments import environments

from tests.workflows.graph.language import Language
from tests.workflows.graph.repository import Event, Gate, Repository, Workflow
from tests.workflows.graph.server import PESSIMISTIC, Job, Reading, Run, Server

TRAINING = "train-pull-request"
CHECKS = ("data-quality", "code-quality", "unit-tests")


@dataclass(frozen=True)
class Project:
    """What a project says to its pipeline."""

    level: int = 3
    platform: str = "azure"
    trains: bool = True
    approvals: int = 2
    drifts: bool = False
    proposes: str = "pull"
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def variables(self) -> Mapping[str, str]:
        """Variables of the repository."""
        return {**self.more, **({"MLOPS_PLATFORM": "azure"} if self.platform == "azure" else {})}


@dataclass(frozen=True)
class Fate:
    """How a job ends otherwise than well: it fails, or the run is cancelled while it is at work."""

    job: str
    result: str


WELL = Fate("", "success")


def workflows_of(language: Language, project: Path) -> dict[str, Workflow]:
    """Read a project's workflows."""
    folder = project / ".github" / "workflows"
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.iterdir())}
    return {file: Workflow.read(language, file, text) for file, text in texts.items()}


def server_of(
    language: Language,
    workflows: Mapping[str, Workflow],
    project: Project,
    reading: Reading = PESSIMISTIC,
) -> Server:
    """Return GitHub with this project, set up as `mlops setup github` does."""
    used = environments(project.level, infrastructure="infra.yml" in workflows)
    gates = {each.name: Gate(each.branches, each.reviewed) for each in used}
    return Server(language, Repository(workflows, gates, project.variables), reading)


def go_on(server: Server, run: Run, project: Project, fate: Fate = WELL) -> None:
    """Let a run's jobs end, until it waits for a person or has ended."""
    while at_work := [job for other, job in server.running() if other is run]:
        job = at_work[0]
        if "/".join(job.path) == fate.job and fate.result == "cancelled" and not run.cancelled:
            server.cancel(run)
            continue
        result = fate.result if "/".join(job.path) == fate.job else result_of(server, run, job)
        server.finish(run, job, result, outputs_of(project, run, job))


def approve_all(server: Server, run: Run, project: Project, fate: Fate = WELL) -> None:
    """Let a run go to its end, with every approval that it asks for."""
    go_on(server, run, project, fate)
    while asked := [job.environment for job in run.jobs.values() if job.state == "asked"]:
        server.review(run, asked[0])
        go_on(server, run, project, fate)


def outputs_of(project: Project, run: Run, job: Job) -> dict[str, Any]:
    """Return what a job hands on when it ends well."""
    asks = project.platform != "local" and project.level >= 2
    outputs: dict[str, dict[str, Any]] = {
        "data-quality": {
            "stubs": "0",
            "trains": str(project.trains).lower(),
            "level": str(project.level),
            "platform": project.platform,
            "approvals": str(project.approvals if asks else 0),
            "commit": "",
        },
        TRAINING: {"metrics": "success"},
        "train-dev": {"run-id": "run-1", "artifact": "run-dev"},
        "register-model": {"model-version": "7"},
        "ready": {"attempt": str(run.attempt)},
        "newer": {"changed": "true"},
        "update": {"kind": project.proposes},
        "platform": {
            "platform": project.platform,
            "level": str(project.level),
            "labels": "true",
        },
        "watch": {"code": "0", "candidate": "{}" if project.drifts else ""},
        "environments": {"names": '["dev", "test", "prod"]'},
    }
    return outputs.get(job.path[-1], {})


def result_of(server: Server, run: Run, job: Job) -> str:
    """Return how a job ends whose script decides by what it is told."""
    if job.path == ("required",):
        told = server.environment_of(run, job)
        well = [told[name] for name in ("DATA", "CODE", "TESTS")] == ["success"] * 3
        return "success" if well and told["TRAINING"] == told["EXPECTED"] else "failure"
    if job.path[-1] == "again":
        return "failure"
    if job.path == ("found",):
        return "success" if server.environment_of(run, job)["CODE"] == "0" else "failure"
    return "success"


PULL_REQUEST = {"number": 1, "base": {"ref": "main", "sha": "0"}}


def proposed(repository: str = "acme/model", **more: Any) -> Event:
    """A pull request from a branch of a repository."""
    head = {"ref": "idea", "repo": {"full_name": repository}}
    payload = {"number": 1, "pull_request": {**PULL_REQUEST, "head": head}}
    return Event("pull_request", "refs/pull/1/merge", payload=payload, **more)


def pushed(branch: str = "main", **more: Any) -> Event:
    """A push to a branch."""
    return Event("push", f"refs/heads/{branch}", **more)


def by_hand(branch: str = "main") -> Event:
    """A run that a person starts."""
    return Event("workflow_dispatch", f"refs/heads/{branch}", files=())


WEEKLY = Event("schedule", files=())
QUEUED = Event("merge_group", "refs/heads/gh-readonly-queue/main/pr-1-a", files=())
"""What a merge queue asks about."""
