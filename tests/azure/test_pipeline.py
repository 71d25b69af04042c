"""The pipeline on Azure: two pushes to main and a rollback, job by job under act."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support import Template, run
from tests.workflows.act import Act, Outcome
from tests.workflows.events import PUSH
from tests.workflows.github_api import github_api
from tests.workflows.scenarios import ON_AZURE

from .project import NAME, RELEASED, SETTINGS, AzureProject, azure_project

pytestmark = [pytest.mark.project, pytest.mark.azure, pytest.mark.slow]

SIGN_IN = ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_SUBSCRIPTION_ID")
WITHDRAW = {
    "ref": "refs/heads/main",
    "inputs": {"reason": "its answers are wrong", "model-version": "2"},
}


@dataclass
class Repository:
    """A project's repository at GitHub, whose jobs are led to an emulated Azure."""

    place: AzureProject
    act: Act

    def run(self, event: str, payload: dict[str, Any], workflow: str = "ml-cicd.yml") -> Outcome:
        """Let a workflow run, and see that it asked for nothing but Azure."""
        names = self.place.azure.github_variables
        variables = {"MLOPS_PLATFORM": "azure", **{name: names[name] for name in SIGN_IN}}
        self.act.api.approved_by("ann", "bob")
        outcome = self.act(event, payload, workflow=workflow, variables=variables)
        assert outcome.ok, outcome.log[-6000:]
        assert self.place.azure.refused_hosts == []
        assert self.place.azure.state.client_faults == []
        return outcome

    def commit_change(self, path: str, before: str, after: str) -> None:
        """Change a file and commit it."""
        file = self.act.project / path
        text = file.read_text(encoding="utf-8")
        assert before in text
        file.write_text(text.replace(before, after), encoding="utf-8")
        who = ("-c", "user.name=ann", "-c", "user.email=ann@example.com")
        run("git", *who, "commit", "--quiet", "--message", "Change", path, folder=self.act.project)

    def model(self, environment: str, deployment: str) -> str:
        """The id of the model that a deployment serves."""
        return str(self.place.deployment(environment, deployment)["properties"]["model"])


@pytest.fixture(scope="module")
def repository(
    template: Template, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Repository]:
    """A new repository; two people approve prod."""
    folder = tmp_path_factory.mktemp("pipeline")
    with azure_project(template, folder) as place, github_api() as api:
        clone = folder / "repository"
        run("git", "clone", "--quiet", place.project.path, clone, folder=folder)
        run("git", "remote", "remove", "origin", folder=clone)
        given = SETTINGS | place.azure.github_variables
        given |= {"STUB_PROJECT_PYTHON": str(place.project.python)}
        log = {"MLOPS_AZURE__LOG_ANALYTICS_WORKSPACE_ID": place.azure.log_analytics_workspace}
        environment = {
            name: value
            for name, value in (given | log).items()
            if name not in (*SIGN_IN, "MLOPS_PLATFORM", "AZURE_CLIENT_SECRET")
        }
        act = Act(folder / "act", clone, api, uv="uv_azure", environment=environment, timeout=900)
        yield Repository(place, act)


@dataclass
class Event:
    """What a workflow did, from which call on, and the statuses that the callers of prod got."""

    outcome: Outcome
    since: int
    statuses: list[int]


@pytest.fixture(scope="module")
def first(repository: Repository) -> Outcome:
    """The first push to main."""
    return repository.run("push", PUSH)


@pytest.fixture(scope="module")
def second(repository: Repository, first: Outcome) -> Event:
    """A push of another model, while callers are served by the first one."""
    assert first.ok
    repository.commit_change("conf/base.yaml", "max_iter: 150", "max_iter: 60")
    since = len(repository.place.azure.calls)
    with repository.place.callers("prod") as statuses:
        return Event(repository.run("push", PUSH), since, statuses)


@pytest.fixture(scope="module")
def withdrawn(repository: Repository, second: Event) -> Event:
    """A rollback of that model by hand, while callers are served by it."""
    assert second.outcome.ok
    since = len(repository.place.azure.calls)
    with repository.place.callers("prod") as statuses:
        return Event(repository.run("workflow_dispatch", WITHDRAW, "rollback.yml"), since, statuses)


def test_a_push_to_main_trains_registers_and_releases_to_prod(
    repository: Repository, first: Outcome
) -> None:
    """Each job signs in with an assertion of GitHub's; two people approve prod."""
    assert sorted(first.jobs[:3]) == sorted(ON_AZURE[:3])
    assert first.jobs[3:] == ON_AZURE[3:]
    assert first.find("mlops approvals --environment prod")
    assert not first.find("--rehearsal")
    for environment in ("test", "prod"):
        shared = f"registries/mlr-{NAME}/models/{NAME}/versions/1"
        assert shared in repository.model(environment, "blue")
        writes = repository.place.routings(environment)
        assert writes[-1] == ({"blue": 100}, {})
    kept = [name for name in first.artifacts["run-dev"] if name.endswith(".parquet")]
    assert all("/package/" in name for name in kept), "data must not be downloadable"
    handed_out = repository.place.azure.called("POST", "/listSecrets$")
    assert handed_out == [], "by default nobody gets a key of the data"


def test_a_second_push_lets_callers_decide_and_moves_them_to_the_new_version(
    repository: Repository, second: Event
) -> None:
    """Nothing is routed to it before its smoke test passed: then mirror, share and all."""
    place, outcome = repository.place, second.outcome
    assert outcome.jobs[3:] == ON_AZURE[3:]
    assert outcome.find("mlops release --environment prod --model-version 2")
    assert place.routings("prod", second.since)[: len(RELEASED)] == RELEASED
    tested = place.smoke_tested("prod", "green", second.since)
    assert min(tested[400], tested[200]) > 5
    for environment in ("test", "prod"):
        assert repository.model(environment, "green").endswith("/versions/2")
    assert place.traffic("test") == {"green": 100}
    assert set(second.statuses) == {200}


def test_a_rollback_brings_back_what_served_before(
    repository: Repository, second: Event, withdrawn: Event
) -> None:
    place, outcome = repository.place, withdrawn.outcome
    assert [each["command"] for each in outcome.find("mlops rollback")] == [
        "run mlops rollback --environment prod --model-version 2"
    ]
    assert outcome.find("mlops smoke-test --environment prod")
    # from where the release had come to where it had come from
    assert place.routings("prod", withdrawn.since) == [RELEASED[-1], RELEASED[0]]
    assert place.traffic("prod") == {"blue": 100}
    assert repository.model("prod", "blue").endswith("/versions/1")
    assert place.writes("test", withdrawn.since) == []
    assert set(withdrawn.statuses) == {200}
