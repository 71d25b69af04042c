"""A generated project, committed, and act to run its workflows."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import Template, commit_all
from tests.workflows.act import Act
from tests.workflows.github_api import GitHubApi, github_api


@pytest.fixture(scope="package")
def repository(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated project, committed."""
    project = template.render(tmp_path_factory.mktemp("workflows") / "project")
    commit_all(project)
    return project


@pytest.fixture
def api() -> Iterator[GitHubApi]:
    with github_api() as server:
        yield server


@pytest.fixture
def act(tmp_path: Path, repository: Path, api: GitHubApi) -> Act:
    return Act(tmp_path, repository, api)
