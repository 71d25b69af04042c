"""A generated project, committed, act to run its workflows, and GitHub's own parser."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import Template, commit_all, run
from tests.workflows.act import Act
from tests.workflows.github_api import GitHubApi, github_api
from tests.workflows.graph.language import Language
from tests.workflows.graph.language import language as started

NOT_OPENED = ("docs", "packages/mlops/tests")


@pytest.fixture(scope="package")
def repository(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated project, committed, without what no job opens: act copies it for each one."""
    project = template.render(tmp_path_factory.mktemp("workflows") / "project")
    for name in NOT_OPENED:
        shutil.rmtree(project / name)
    commit_all(project)
    run("git", "gc", "--quiet", folder=project)
    shutil.rmtree(project / ".git" / "hooks")
    return project


@pytest.fixture
def api() -> Iterator[GitHubApi]:
    with github_api() as server:
        yield server


@pytest.fixture
def act(tmp_path: Path, repository: Path, api: GitHubApi) -> Act:
    return Act(tmp_path, repository, api)


@pytest.fixture(scope="session")
def language() -> Iterator[Language]:
    with started() as found:
        yield found
