"""The steps, from folder to folder."""

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fakes.cli import Command
from mlops.settings.project import Project


def test_the_steps_hand_over_folders(mlops: Command, raw: Path, project: Project) -> None:
    assert mlops("step", "validate", "--data-dir", raw, "--output", "v") == 0
    assert mlops("step", "prepare", "--validated", "v", "--output", "p") == 0
    assert mlops("step", "fit", "--prepared", "p", "--output", "m") == 0
    assert mlops("step", "evaluate", "--prepared", "p", "--model", "m", "--output", "e") == 0
    assert json.loads((project.root / "e" / "evaluation.json").read_text())["rows"] > 50
    assert _trained_from(project)["dirty"] is True


def test_a_job_without_git_is_told_the_commit(
    mlops: Command,
    raw: Path,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As in an image that holds the repository and not git."""
    (project.root / ".git").mkdir()
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert mlops("train", "--data-dir", raw) == 2
    assert "is not installed; install it, or train as a job" in capsys.readouterr().err
    assert mlops("step", "validate", "--data-dir", raw, "--output", "v") == 0
    assert mlops("step", "prepare", "--validated", "v", "--output", "p") == 0
    fit = ("step", "fit", "--prepared", "p", "--output", "m")
    assert mlops(*fit) == 2
    commit = "0123456789" * 4
    assert mlops(*fit, "--git-commit", commit) == 2
    assert mlops(*fit, "--git-commit", commit, "--git-dirty", "False") == 0
    assert _trained_from(project) == {"commit": commit, "branch": "", "dirty": False}
    assert mlops("step", "evaluate", "--prepared", "p", "--model", "m", "--output", "e") == 0


def _trained_from(project: Project) -> dict[str, Any]:
    git: dict[str, Any] = json.loads((project.root / "m" / "training.json").read_text())["git"]
    return git


def test_a_step_refuses_bad_data_and_the_next_refuses_to_go_on(mlops: Command, raw: Path) -> None:
    pl.DataFrame({"machine": ["a"]}).write_parquet(raw / "data.parquet")
    assert mlops("step", "validate", "--data-dir", raw, "--output", "v") == 1
    assert mlops("step", "prepare", "--validated", "v", "--output", "p") == 1
    assert mlops("step", "prepare", "--validated", "nothing", "--output", "p") == 2


def test_a_step_never_replaces_a_folder_of_something_else(
    mlops: Command, raw: Path, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    for output in (".", "conf", ".."):
        assert mlops("step", "validate", "--data-dir", raw, "--output", output) == 2
    assert "name an empty folder" in capsys.readouterr().err
    assert (project.root / "conf" / "base.yaml").exists()
