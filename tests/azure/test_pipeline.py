"""The pipeline on Azure: a push to main, job by job under act, with the project's own commands."""

from pathlib import Path

import pytest

from tests.github_api import github_api
from tests.support import Template, run
from tests.workflows import PUSH, SEVEN_JOBS, Act

from .project import NAME, SETTINGS, azure_project

pytestmark = [pytest.mark.project, pytest.mark.azure]

SIGN_IN = ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_SUBSCRIPTION_ID")


def test_a_push_to_main_trains_registers_and_releases_to_prod(
    template: Template, tmp_path: Path
) -> None:
    """Each job signs in with an assertion of GitHub's; two people approve prod."""
    with azure_project(template, tmp_path) as place, github_api() as api:
        repository = tmp_path / "repository"
        run("git", "clone", "--quiet", place.project.path, repository, folder=tmp_path)
        run("git", "remote", "remove", "origin", folder=repository)
        variables = place.azure.github_variables
        given = SETTINGS | variables | {"STUB_PROJECT_PYTHON": str(place.project.python)}
        environment = {
            name: value
            for name, value in given.items()
            if name not in (*SIGN_IN, "MLOPS_PLATFORM", "AZURE_CLIENT_SECRET")
        }
        act = Act(
            tmp_path / "act", repository, api, uv="uv_azure", environment=environment, timeout=900
        )
        api.approved_by("ann", "bob")
        outcome = act(
            "push",
            PUSH,
            variables={"MLOPS_PLATFORM": "azure", **{name: variables[name] for name in SIGN_IN}},
        )
        assert outcome.ok, outcome.log[-6000:]
        assert sorted(outcome.jobs[:3]) == sorted(SEVEN_JOBS[:3])
        assert outcome.jobs[3:] == SEVEN_JOBS[3:]
        assert outcome.find("mlops approvals --environment prod")
        assert not outcome.find("--rehearsal")
        for environment_name in ("test", "prod"):
            assert place.traffic(environment_name) == {"blue": 100}
            model = place.azure.deployment(f"{NAME}-{environment_name}", "blue")["properties"]
            assert f"registries/mlr-{NAME}/models/{NAME}/versions/1" in str(model["model"])
        assert place.azure.refused_hosts == []
        assert place.azure.state.client_faults == []
        kept = [name for name in outcome.artifacts["run-dev"] if name.endswith(".parquet")]
        assert all("/package/" in name for name in kept), "data must not be downloadable"
