"""A project's folder, and the GitHub that its repository is on."""

import shutil
from pathlib import Path

import pytest

from fakes.gh import FakeGitHub
from fakes.places import PROJECT
from mlops.ci.setup_github.project_files import RULESET, RULESET_ALONE


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "project"
    for file in (RULESET, RULESET_ALONE):
        (path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / file, path / file)
    return path


@pytest.fixture
def github(root: Path) -> FakeGitHub:
    return FakeGitHub(root)
