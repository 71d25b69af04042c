"""The command line inside a project of the tests' own."""

import sys
from pathlib import Path

import pytest

from fakes.cli import Command, Outputs
from fakes.project import TODAY
from fakes.tiny_use_case.sample import make_sample
from mlops.cli.main import main
from mlops.platforms.local.platform import LocalPlatform
from mlops.settings.project import Project


@pytest.fixture
def mlops(project: Project, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run a command inside the project and return its exit code."""
    monkeypatch.chdir(project.root)

    def call(*arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["mlops", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        return int(end.value.code or 0)

    return call


@pytest.fixture
def inside(
    trained: tuple[LocalPlatform, str], monkeypatch: pytest.MonkeyPatch, mlops: Command
) -> tuple[Command, str]:
    """Commands inside the project that was trained once, and its run."""
    platform, run_id = trained
    monkeypatch.chdir(platform.settings.project.root)
    return mlops, run_id


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    folder = tmp_path / "raw"
    folder.mkdir()
    make_sample(300, 1, 0.0, TODAY).write_parquet(folder / "data.parquet")
    return folder


@pytest.fixture
def outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Outputs:
    """Return what later steps of the job would see."""
    path = tmp_path / "outputs"
    monkeypatch.setenv("GITHUB_OUTPUT", str(path))

    def read() -> dict[str, str]:
        lines = path.read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines)

    return read
