"""Keeping the scoring code and making the serving environment, with uv and pip faked."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mlops.errors import ConfigError, PlatformError
from mlops.files import code_hash
from mlops.platforms import serving_env
from mlops.platforms.serving_env import keep_code, serving_python
from mlops.progress import silent


@pytest.fixture
def code(tmp_path: Path) -> Path:
    folder = tmp_path / "project" / "serving"
    folder.mkdir(parents=True)
    (folder / "score.py").write_text("def init(): ...")
    (folder / "requirements.txt").write_text("numpy")
    return folder


class Installer:
    """Stands in for uv, venv and pip: remembers the commands and makes the interpreter's file."""

    def __init__(self) -> None:
        self.commands: list[list[str]] = []
        self.folders: list[Path] = []
        self.fails_at = ""

    def run(self, command: Sequence[str], cwd: Path, **_options: Any) -> SimpleNamespace:
        self.commands.append(list(command))
        self.folders.append(cwd)
        if self.fails_at and self.fails_at in command:
            return SimpleNamespace(returncode=2, stdout="", stderr="no such package: numpi")
        if "venv" in command:
            python = serving_env._python_of(Path(command[-1]))
            python.parent.mkdir(parents=True)
            python.write_text("")
        return SimpleNamespace(returncode=0, stdout="", stderr="")


@pytest.fixture
def installer(monkeypatch: pytest.MonkeyPatch) -> Installer:
    fake = Installer()
    monkeypatch.setattr(subprocess, "run", fake.run)
    monkeypatch.setenv("UV", "/tools/uv")
    return fake


def test_the_code_is_kept_under_the_hash_of_its_content(code: Path, tmp_path: Path) -> None:
    (code / "part").mkdir()
    (code / "part" / "more.py").write_text("x = 1")
    (code / "__pycache__").mkdir()
    (code / "__pycache__" / "score.pyc").write_text("")
    kept = keep_code(code, tmp_path / "kept")
    assert kept.name == code_hash(code) == code_hash(kept)
    files = {path.relative_to(kept).as_posix() for path in kept.rglob("*") if path.is_file()}
    assert files == {"score.py", "requirements.txt", "part/more.py"}


def test_changed_code_is_kept_beside_what_was_deployed(code: Path, tmp_path: Path) -> None:
    before = keep_code(code, tmp_path / "kept")
    (code / "score.py").write_text("def init(): pass")
    after = keep_code(code, tmp_path / "kept")
    assert (before / "score.py").read_text() == "def init(): ..."
    assert (after / "score.py").read_text() == "def init(): pass"


@pytest.mark.parametrize("name", ["score.py", "requirements.txt"])
def test_a_missing_file_is_named(code: Path, tmp_path: Path, name: str) -> None:
    (code / name).unlink()
    with pytest.raises(ConfigError, match=name):
        keep_code(code, tmp_path / "kept")


def test_an_environment_is_made_once(code: Path, tmp_path: Path, installer: Installer) -> None:
    lines: list[str] = []
    store = tmp_path / "envs"
    requirements = code / "requirements.txt"
    python = serving_python(code.parent, requirements, store, lines.append)
    assert python.is_file()
    assert [command[:2] for command in installer.commands] == [
        ["/tools/uv", "venv"],
        ["/tools/uv", "pip"],
    ]
    assert installer.commands[1][-1] == str(requirements)
    # in the project's root uv finds exclude-newer and the package index
    assert set(installer.folders) == {code.parent}
    assert len(lines) == 1
    assert serving_python(code.parent, requirements, store, lines.append) == python
    assert len(installer.commands) == 2
    assert len(lines) == 1


def test_an_environment_whose_interpreter_is_gone_is_made_again(
    code: Path, tmp_path: Path, installer: Installer
) -> None:
    requirements = code / "requirements.txt"
    python = serving_python(code.parent, requirements, tmp_path, silent)
    python.unlink()
    assert serving_python(code.parent, requirements, tmp_path, silent).is_file()
    assert len(installer.commands) == 4


def test_other_requirements_or_another_python_give_another_environment(
    code: Path, tmp_path: Path, installer: Installer, monkeypatch: pytest.MonkeyPatch
) -> None:
    requirements = code / "requirements.txt"

    def made() -> Path:
        return serving_python(code.parent, requirements, tmp_path, silent)

    environments = {made()}
    requirements.write_text("numpy<3")
    environments.add(made())
    monkeypatch.setattr(sys, "version_info", SimpleNamespace(major=3, minor=99))
    environments.add(made())
    assert len(environments) == 3
    assert len(installer.commands) == 6


@pytest.mark.parametrize("step", ["venv", "install"])
def test_a_failed_installation_is_explained_and_leaves_nothing(
    code: Path, tmp_path: Path, installer: Installer, step: str
) -> None:
    store = tmp_path / "envs"
    installer.fails_at = step
    with pytest.raises(PlatformError, match="no such package: numpi"):
        serving_python(code.parent, code / "requirements.txt", store, silent)
    assert [path for path in store.iterdir() if path.is_dir()] == []
    installer.fails_at = ""
    assert serving_python(code.parent, code / "requirements.txt", store, silent).is_file()


@pytest.mark.usefixtures("installer")
def test_what_a_killed_installation_left_is_removed(code: Path, tmp_path: Path) -> None:
    store = tmp_path / "envs"
    python = serving_python(code.parent, code / "requirements.txt", store, silent)
    environment = next(path for path in store.iterdir() if path.is_dir())
    unfinished = store / f".{environment.name}.abc"
    unfinished.mkdir()
    python.unlink()
    serving_python(code.parent, code / "requirements.txt", store, silent)
    assert not unfinished.exists()


def test_without_uv_venv_and_pip_do_it(
    code: Path, tmp_path: Path, installer: Installer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UV")
    monkeypatch.setenv("PATH", str(tmp_path))
    python = serving_python(code.parent, code / "requirements.txt", tmp_path / "envs", silent)
    venv, pip = installer.commands
    assert venv[:3] == [sys.executable, "-m", "venv"]
    assert pip[1:4] == ["-m", "pip", "install"]
    assert Path(pip[0]).name == python.name
