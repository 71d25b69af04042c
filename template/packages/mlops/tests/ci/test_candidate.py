"""The pipeline trains reviewed code alone: candidates whose commit main holds."""

from pathlib import Path

import pytest

from fakes.candidates import candidate, committed, git
from fakes.project import write_project
from mlops.ci.candidate import MAIN, require_reviewed
from mlops.errors import ConfigError, Refused
from mlops.settings.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return write_project(tmp_path / "project")


def test_a_commit_of_main_is_trained(project: Project) -> None:
    first = committed(project.root, "uv.lock")
    committed(project.root, "later")
    require_reviewed(project, candidate(commit=first), MAIN)


def test_a_commit_that_main_does_not_hold_is_refused(project: Project) -> None:
    committed(project.root, "uv.lock")
    git(project.root, "checkout", "-q", "-b", "idea")
    unreviewed = committed(project.root, "unreviewed")
    git(project.root, "checkout", "-q", "main")
    with pytest.raises(Refused, match="so nobody reviewed it"):
        require_reviewed(project, candidate(commit=unreviewed), MAIN)


@pytest.mark.parametrize("ref", ["refs/heads/idea", "refs/tags/main", ""])
def test_another_branch_trains_no_candidate(project: Project, ref: str) -> None:
    commit = committed(project.root, "uv.lock")
    with pytest.raises(Refused, match="from main alone"):
        require_reviewed(project, candidate(commit=commit), ref)


def test_a_candidate_of_another_model_is_refused(project: Project) -> None:
    commit = committed(project.root, "uv.lock")
    with pytest.raises(Refused, match="of the model other, not tiny"):
        require_reviewed(project, candidate(commit=commit, model_name="other"), MAIN)


def test_a_commit_that_cannot_be_trained_is_refused(project: Project) -> None:
    with pytest.raises(ConfigError, match=r"holds no uv\.lock"):
        require_reviewed(project, candidate(commit=committed(project.root)), MAIN)
