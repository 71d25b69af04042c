"""The command notices when another package called mlops hides the machinery."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import mlops
import mlops_command

SOURCE = Path(mlops.__file__).resolve().parents[1]


def command(*before: Path) -> subprocess.CompletedProcess[str]:
    """Run `mlops --help` with folders that are looked into before the machinery's own."""
    path = os.pathsep.join(str(folder) for folder in (*before, SOURCE))
    return subprocess.run(
        [sys.executable, "-c", "import mlops_command; mlops_command.main()", "--help"],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("file", ["mlops/__init__.py", "mlops/cli.py"])
def test_a_stranger_that_hides_the_machinery_is_named(tmp_path: Path, file: str) -> None:
    """With an `__init__.py` it is imported first; without one the machinery still is."""
    (tmp_path / "mlops").mkdir()
    (tmp_path / file).write_text("raise SystemExit('a stranger ran')")
    done = command(tmp_path)
    if file.endswith("__init__.py"):
        assert done.returncode == 2
        assert f"error: {tmp_path / 'mlops'} is another package called mlops" in done.stderr
        assert "`uv pip uninstall mlops`" in done.stderr
    else:
        assert done.returncode == 0, done.stderr
    assert "a stranger ran" not in done.stdout + done.stderr


def test_a_missing_machinery_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlops_command, "find_spec", lambda _name: None)
    assert mlops_command.problem().endswith("is not installed: run `uv sync`")


def test_the_command_of_the_machinery_runs() -> None:
    done = command()
    assert done.returncode == 0
    assert "train" in done.stdout
