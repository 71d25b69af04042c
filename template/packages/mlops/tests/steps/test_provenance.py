import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlops.artifacts.data_source import DataSource
from mlops.errors import ConfigError
from mlops.settings.loading import LoadedSettings, flatten
from mlops.steps.provenance import (
    effective_settings,
    environment_state,
    git_state,
    repository_above,
    told_git_state,
)


def git(root: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=root, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_commit_branch_and_uncommitted_changes(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "a").write_text("1")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-q", "-m", "first")
    clean = git_state(tmp_path)
    assert clean.commit == git(tmp_path, "rev-parse", "HEAD")
    assert clean.branch == "main"
    assert not clean.dirty
    (tmp_path / "a").write_text("2")
    assert git_state(tmp_path).dirty


@pytest.fixture
def foreign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project below the root of a repository that git takes for another user's."""
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "first")
    (tmp_path / "project").mkdir()
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    return tmp_path / "project"


def test_a_repository_that_git_refuses_is_not_one_without_a_commit(foreign: Path) -> None:
    for ask in (git_state, repository_above):
        with pytest.raises(ConfigError, match=r"does not say which commit .* \(.*dubious") as told:
            ask(foreign)
        assert "git status" in told.value.remedy


def test_a_repository_without_git_is_none_without_a_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    for ask in (git_state, repository_above):
        with pytest.raises(ConfigError, match=r"git, which .*, is not installed") as told:
            ask(tmp_path)
        assert told.value.remedy.startswith("install it, or train as a job does")
        assert "--git-commit and --git-dirty" in told.value.remedy


def test_a_broken_repository_says_what_git_says(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: /nowhere\n")
    with pytest.raises(ConfigError, match="nowhere"):
        git_state(tmp_path)


def test_a_repository_without_a_commit_has_none(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert git_state(tmp_path).commit == ""


@pytest.mark.parametrize("name", ["project", "Prüfung Łódź"])
def test_the_root_of_the_repository_may_be_above(tmp_path: Path, name: str) -> None:
    """What git prints is no path of this machine, which it may spell as Python does not."""
    repository = tmp_path / name
    project = repository / "ml" / name
    project.mkdir(parents=True)
    assert repository_above(project) is None
    git(repository, "init", "-q")
    assert repository_above(repository) is None
    assert repository_above(project) == repository.resolve()


def test_what_git_says_is_read_as_it_writes_it_whatever_the_machine_uses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    branch = "Prüfung-Łódź"
    git(tmp_path, "init", "-q", "-b", branch)
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "first")
    monkeypatch.setattr("locale.getencoding", lambda: "cp1252")
    assert git_state(tmp_path).branch == branch


def test_without_git_the_code_counts_as_changed(tmp_path: Path) -> None:
    state = git_state(tmp_path)
    assert state.commit == ""
    assert state.dirty


def test_a_job_is_told_the_state_since_it_has_no_git() -> None:
    commit = "0123456789" * 4
    clean = told_git_state(commit, dirty=False)
    assert (clean.commit, clean.branch, clean.dirty) == (commit, "", False)
    assert told_git_state(commit, dirty=True).dirty
    nothing = told_git_state("none", dirty=False)
    assert (nothing.commit, nothing.dirty) == ("", True)


@pytest.mark.parametrize("commit", ["", "main", "0123abc", "--output"])
def test_what_is_no_commit_is_refused(commit: str) -> None:
    with pytest.raises(ConfigError, match="--git-commit"):
        told_git_state(commit, dirty=False)


def test_the_environment_hash_is_stable_and_the_lock_is_part_of_it(tmp_path: Path) -> None:
    first = environment_state(tmp_path)
    assert first == environment_state(tmp_path)
    assert first["lock_sha256"] == ""
    (tmp_path / "uv.lock").write_text("locked")
    assert len(environment_state(tmp_path)["lock_sha256"]) == 64


@pytest.mark.parametrize(
    ("source", "effective"),
    [
        (
            DataSource("folder", "data/2024", made_up=False, fraction=0.5),
            {"data.source": "folder", "data.folder": "data/2024", "data.fraction": 0.5},
        ),
        (
            DataSource("asset", "orders:3", made_up=False, fraction=1.0),
            {"data.source": "asset", "azure.data_asset": "orders:3"},
        ),
        (
            DataSource("sample", "size 300", made_up=True, fraction=1.0),
            {"data.source": "sample", "data.sample.size": 300, "data.sample.seed": 1},
        ),
    ],
)
def test_the_settings_of_a_run_say_what_was_read_not_what_conf_names(
    load: Callable[..., LoadedSettings], source: DataSource, effective: dict[str, Any]
) -> None:
    named = load(data__source="sample", data__folder="conf", azure__data_asset="conf:1").values
    found = effective_settings(named, source)
    assert found.keys() == flatten(named).keys()
    about = ("data.source", "data.folder", "azure.data_asset", "data.sample.size")
    assert {key: found[key] for key in about} == {
        **dict.fromkeys(about),
        **{key: value for key, value in effective.items() if key in about},
    }
    assert found.items() >= effective.items()
    assert found["data.fraction"] == source.fraction
    assert found["training.seed"] == named.training.seed
