"""The folder of a simulation: made anew, under a git of its own, never twice at once."""

import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from mlops.errors import PlatformError
from mlops.platforms.local import processes
from mlops.platforms.local.state import StateFile
from mlops.settings.project import Project
from mlops.simulation.world import NAME, opened, project_files
from mlops.steps.provenance import git_state

pytestmark = pytest.mark.usefixtures("clean_git")


@pytest.fixture
def clean_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which nobody has told git a name."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")


def git(root: Path, *arguments: str) -> str:
    named = ("-c", "user.name=a", "-c", "user.email=a@b")
    command = ["git", *named, *arguments]
    return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout


def commit(project: Project) -> None:
    (project.root / ".gitignore").write_text(".mlops/\n/data/\n")
    git(project.root, "init", "--quiet")
    git(project.root, "add", "--all")
    git(project.root, "commit", "--quiet", "--message", "one")


def test_what_git_has_or_would_take_is_copied(project: Project) -> None:
    commit(project)
    for name in ("data/secret.csv", ".mlops/state.json", "new.txt"):
        (project.root / name).parent.mkdir(exist_ok=True)
        (project.root / name).write_text("x")
    (project.root / "conf" / "dev.yaml").unlink()
    assert project_files(project.root) == [
        ".gitignore",
        "conf/base.yaml",
        "new.txt",
        "pyproject.toml",
    ]


def test_without_git_folders_of_state_and_environments_stay_behind(project: Project) -> None:
    for name in (".mlops/state.json", ".venv/bin/python", "src/__pycache__/a.pyc", "src/a.py"):
        (project.root / name).parent.mkdir(parents=True, exist_ok=True)
        (project.root / name).write_text("x")
    expected = ["conf/base.yaml", "conf/dev.yaml", "pyproject.toml", "src/a.py"]
    assert project_files(project.root) == expected


def test_the_copy_has_one_commit_of_its_own_and_nothing_else_changes(project: Project) -> None:
    commit(project)
    before = git_state(project.root), git(project.root, "log", "--all", "--format=%H")
    with opened(project) as world:
        assert world.root.is_relative_to(project.state_dir / NAME)
        found = git_state(world.root)
        assert found.commit
        assert not found.dirty
        assert found.commit != before[0].commit
        (world.root / "more.txt").write_text("x")
        world.commit("more")
        assert len(git(world.root, "log", "--format=%H").split()) == 2
    assert (git_state(project.root), git(project.root, "log", "--all", "--format=%H")) == before


def test_it_is_made_anew_also_after_one_that_was_killed(project: Project) -> None:
    with opened(project) as world:
        (world.root / "old.txt").write_text("x")
    unfinished = world.folder / ".project.12345678"
    unfinished.mkdir()
    with opened(project) as world:
        assert not (world.root / "old.txt").exists()
        assert not unfinished.exists()
        assert (world.root / "pyproject.toml").is_file()


def test_servers_that_an_earlier_one_left_are_ended(project: Project) -> None:
    with opened(project) as world:
        state = StateFile(world.state_dir)
        record = processes.new_record("tiny-prod-blue", processes.free_port(), "logs")
    command = [sys.executable, "-c", "import time; time.sleep(60)", record.token]
    started = processes.start(record, command, world.state_dir, {})
    state.change("tiny-prod", lambda s: type(s)(leftovers=(started,)))
    assert processes.find(started, world.state_dir)
    with opened(project):
        assert processes.find(started, world.state_dir) is None


def test_two_at_once_are_one(project: Project) -> None:
    (project.state_dir / NAME).mkdir(parents=True)
    with (
        FileLock(project.state_dir / NAME / ".lock"),
        pytest.raises(PlatformError, match="another simulation"),
        opened(project),
    ):
        pass


def test_servers_use_environments_that_are_there_and_make_none_of_them(project: Project) -> None:
    there = project.state_dir / "serving-env" / "abc"
    there.mkdir(parents=True)
    (project.state_dir / "serving-env" / ".abc.lock").touch()
    with opened(project) as world:
        assert (world.state_dir / "serving-env" / "abc").resolve() == there.resolve()
        (world.state_dir / "serving-env" / "new").mkdir()
    assert [path.name for path in there.parent.glob("[!.]*")] == ["abc"]
    with opened(project) as world:
        assert (world.state_dir / "serving-env" / "new").is_dir()  # made once for all
    there.rmdir()
    with opened(project) as world:
        assert not (world.state_dir / "serving-env" / "abc").is_symlink()
