"""What the tests share: running commands, rendering, git repositories."""

import functools
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest.mock import patch

import copier._main
import yaml
from copier import run_copy, run_update
from copier._tools import scantree
from filelock import FileLock

from tools.expected_files import files_in
from tools.worktree import ROOT, copy_worktree

TESTS = ROOT / "tests"
BIN = Path(sys.executable).parent
PACKAGES = "packages"
"""The folder of a project whose files are the same in each."""
MACHINERY = ROOT / "template" / PACKAGES / "mlops"
PYTHON = "Scripts/python.exe" if os.name == "nt" else "bin/python"
SETTINGS: dict[str, Any] = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
QUESTIONS: dict[str, dict[str, Any]] = {
    name: value for name, value in SETTINGS.items() if not name.startswith("_")
}
FOREIGN_VARIABLES = (
    *("VIRTUAL_ENV", "MLOPS_", "PYTEST_", "COV_", "UV_PROJECT"),
    "PYTHONDONTWRITEBYTECODE",
)
"""Variables that would lead a command to this repository's environment or settings, and one that
makes every process compile every module again."""
GIT = ["git", "-c", "user.name=Test", "-c", "user.email=test@example.com"]

LONG_PACKAGE = "a_package_with_30_letters_here"
HOSTILE = {
    "project_name": """Größe's "best" \\n {{ 7 * 7 }} {% raw %} <b>& $HOME `id` 😀""",
    "description": """He said: "C:\\temp\\new" 'x' {{ answers }} {# no #} # % | > ümläut 漢字 🚀""",
    "team": """R&D "Zürich" \\ {{ 6 * 7 }} 'é'""",
    "contact_email": "o'neil+ml_ops%1@sub.example.co",
    "project_slug": "groesse",
}


def variables(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables of a command: this process's without FOREIGN_VARIABLES, and more."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(FOREIGN_VARIABLES)
    }
    return kept | dict(more or {})


def run(
    *command: str | Path,
    folder: Path,
    env: Mapping[str, str] | None = None,
    expect: int | None = 0,
    timeout: float = 600,
    typed: str | None = None,
) -> str:
    """Run a command and return its output, stdout and stderr together.

    `env` is laid over `variables()`; `expect` is the exit code that must come, None if any may;
    `typed` is what the command reads.
    """
    done = subprocess.run(
        [str(part) for part in command],
        input=typed,
        cwd=folder,
        env=variables(env),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        timeout=timeout,
        check=False,
    )
    shown = " ".join(str(part) for part in command)
    assert expect in (None, done.returncode), f"`{shown}`: {done.returncode}\n{done.stdout}"
    return done.stdout


def uv() -> str:
    """Return the uv that runs these tests."""
    path = os.environ.get("UV")
    assert path, "run the tests with `make test` or `uv run pytest`"
    return path


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@functools.cache
def machinery_python() -> Path:
    """Return the Python of the environment in which the machinery is tested, made if need be."""
    run(uv(), "sync", "--quiet", "--all-extras", folder=MACHINERY)
    return MACHINERY / ".venv" / PYTHON


def commit_all(repository: Path, message: str = "Change", tag: str | None = None) -> None:
    """Commit everything in a folder, which becomes a repository if it is none."""
    if not (repository / ".git").exists():
        run("git", "init", "--quiet", "--initial-branch", "main", folder=repository)
    run("git", "add", "--all", folder=repository)
    run(*GIT, "commit", "--quiet", "--allow-empty", "--message", message, folder=repository)
    if tag:
        run(*GIT, "tag", tag, folder=repository)


def append(path: Path, text: str) -> None:
    """Add a line to a file, which is made if need be."""
    with path.open("a", encoding="utf-8", newline="\n") as stream:
        stream.write(f"{text}\n")


def contents(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file below a folder, git's own left out."""
    return {name: (folder / name).read_bytes() for name in files_in(folder)}


@dataclass(frozen=True)
class Project:
    """A rendered project with its environment."""

    path: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.path / ".venv" / PYTHON

    def run(self, *command: str | Path, **options: Any) -> str:
        """Run a command of its environment."""
        path = os.pathsep.join([str(Path(uv()).parent), os.environ["PATH"]])
        env = {"PATH": path} | options.pop("env", {})
        return run(uv(), "run", "--quiet", *command, folder=self.path, env=env, **options)

    def mlops(self, *arguments: str | Path, **options: Any) -> str:
        """Run its command line."""
        return self.run("mlops", *arguments, **options)


def _all_but_packages(path: str, *options: bool) -> Iterator[os.DirEntry[str]]:
    """Yield what Copier's scantree yields but for packages/."""
    for entry in scantree(path, *options):
        if Path(entry.path).relative_to(path).parts[0] != PACKAGES:
            yield entry


@dataclass(frozen=True)
class Template:
    """A git repository of this template's files, as they are in the working tree."""

    path: Path

    @classmethod
    def make(cls, path: Path) -> "Template":
        """Copy the working tree to `path`, commit and tag it 1.0.0."""
        commit_all(copy_worktree(path), "Start", tag="1.0.0")
        return cls(path)

    @classmethod
    def make_small(cls, path: Path, keep: Sequence[str]) -> "Template":
        """Make one whose machinery has only some files: Copier calls git for each of a project.

        Args:
            path: where to make it.
            keep: the files of packages/mlops that stay.
        """
        copy_worktree(path)
        machinery = path / MACHINERY.relative_to(ROOT)
        for name in files_in(machinery):
            if name not in keep:
                (machinery / name).unlink()
        commit_all(path, "Start", tag="1.0.0")
        return cls(path)

    def render(self, project: Path, **answers: Any) -> Path:
        """Render a project with defaults for what `answers` leaves open; nothing is trusted."""
        unknown = answers.keys() - QUESTIONS.keys()
        assert not unknown, f"copier.yml does not ask {unknown}"
        if project.exists():
            run_copy(str(self.path), project, data=answers, defaults=True, quiet=True)
        else:
            shutil.copytree(self._rendered(answers), project)
        return project

    def _rendered(self, answers: Mapping[str, Any]) -> Path:
        """Return a project that nobody changes, made once.

        Copier takes ten seconds for the files of packages/, which it only copies: it is given the
        others. `test_rendering.py` compares one whole project.
        """
        head = run("git", "rev-parse", "HEAD", folder=self.path).strip()
        named = json.dumps([head, dict(answers)], sort_keys=True)
        kept = (
            self.path.with_name(f"{self.path.name}-rendered") / sha256(named.encode()).hexdigest()
        )
        kept.parent.mkdir(exist_ok=True)
        with FileLock(f"{kept}.lock"):
            if not kept.exists():
                beside = kept.with_suffix(".new")
                with patch.object(copier._main, "scantree", _all_but_packages):
                    run_copy(str(self.path), beside, data=dict(answers), defaults=True, quiet=True)
                self._add_packages(beside)
                beside.rename(kept)
        return kept

    def _add_packages(self, project: Path) -> None:
        """Copy packages/ of the version that a project was made of, if that has it."""
        answers = yaml.safe_load((project / ".copier-answers.yml").read_text(encoding="utf-8"))
        folder = f"{answers['_commit']}:template"
        if PACKAGES in run("git", "ls-tree", "--name-only", folder, folder=self.path).split():
            packed = project.with_suffix(".tar")
            archive = ("git", "-c", "tar.umask=user", "archive", f"--output={packed}")
            run(*archive, folder, PACKAGES, folder=self.path)
            run("tar", "--extract", f"--file={packed}", folder=project)
            packed.unlink()

    def install(self, path: Path, **answers: Any) -> Project:
        """Render a project, install it and commit it with its lock, as its first user does."""
        self.render(path, **answers)
        run("git", "init", "--quiet", "--initial-branch", "main", folder=path)
        run(uv(), "sync", "--quiet", folder=path)
        commit_all(path)
        return Project(path)

    def update(self, project: Path, **answers: Any) -> None:
        """Update a committed project to the newest tag."""
        run_update(project, data=answers, defaults=True, overwrite=True, quiet=True)
