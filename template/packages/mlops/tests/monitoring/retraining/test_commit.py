"""The code of a version that serves: refused with a remedy where nobody can have it."""

import subprocess
from pathlib import Path

import pytest

from fakes.candidates import committed, git
from mlops.errors import ConfigError, PlatformError
from mlops.monitoring.retraining.commit import checked_out, require_trainable
from mlops.monitoring.retraining.knowledge import Serving

LOCK, MACHINERY = "uv.lock", "packages/mlops/pyproject.toml"
MANIFESTS = "packages/mlops/src/mlops/artifacts/candidate.py"


def serving(commit: str) -> Serving:
    return Serving(7, "blue", commit, dirty=False, made=None, candidate=None)


def test_a_commit_with_lock_and_manifests_can_be_trained(tmp_path: Path) -> None:
    require_trainable(tmp_path, serving(committed(tmp_path, LOCK, MACHINERY, MANIFESTS)))


def test_a_project_without_the_machinerys_sources_can_be_trained(tmp_path: Path) -> None:
    require_trainable(tmp_path, serving(committed(tmp_path, LOCK)))


def test_a_project_below_the_root_of_its_repository_can_be_trained(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    files = [f"project/{name}" for name in (LOCK, MACHINERY, MANIFESTS)]
    commit = committed(tmp_path, *files)
    require_trainable(tmp_path / "project", serving(commit))
    with checked_out(tmp_path / "project", commit) as folder:
        assert (folder / LOCK).is_file()


@pytest.mark.parametrize(
    ("files", "said", "remedy"),
    [
        ((LOCK, MACHINERY), "does not know manifests of candidates", "release a version with the"),
        ((MACHINERY, MANIFESTS), "holds no uv.lock", "commit uv.lock"),
    ],
)
def test_a_commit_that_lacks_something_is_refused(
    tmp_path: Path, files: tuple[str, ...], said: str, remedy: str
) -> None:
    commit = committed(tmp_path, *files)
    committed(tmp_path, LOCK, MACHINERY, MANIFESTS)  # that the present one has it does not help
    with pytest.raises(ConfigError, match=said) as told:
        require_trainable(tmp_path, serving(commit))
    assert remedy in told.value.remedy


def test_without_a_repository_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is in no git repository") as told:
        require_trainable(tmp_path, serving("c0ffee" + "0" * 34))
    assert "clone" in told.value.remedy


def test_without_git_it_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = committed(tmp_path, LOCK)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="not installed"):
        require_trainable(tmp_path, serving(commit))


def test_a_checkout_leaves_no_trace_and_runs_no_hook(tmp_path: Path) -> None:
    first = committed(tmp_path, "a")
    second = committed(tmp_path, "b")
    hook = tmp_path / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ntouch hooked\n")
    hook.chmod(0o755)
    (tmp_path / "b").write_text("mine")
    with checked_out(tmp_path, first) as folder:
        assert [each.name for each in folder.iterdir() if each.name != ".git"] == ["a"]
    assert not folder.exists()
    assert git(tmp_path, "rev-parse", "HEAD") == second
    assert (tmp_path / "b").read_text() == "mine"
    assert len(git(tmp_path, "worktree", "list").splitlines()) == 1


def test_a_checkout_is_gone_also_if_something_fails(tmp_path: Path) -> None:
    commit = committed(tmp_path, "a")
    with pytest.raises(ZeroDivisionError), checked_out(tmp_path, commit) as folder:
        raise ZeroDivisionError
    assert not folder.exists()
    with pytest.raises(PlatformError, match="does not check out"), checked_out(tmp_path, "0" * 40):
        pass
    subprocess.run(["git", "fsck"], cwd=tmp_path, check=True, capture_output=True)
