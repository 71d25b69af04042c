"""The code and the environment that a step runs with."""

import hashlib
import platform
import re
import shutil
import subprocess  # nosec B404  # only git, with fixed arguments
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from mlops.artifacts.data_source import ASSET, FOLDER, SAMPLE, DataSource
from mlops.errors import ConfigError
from mlops.files import file_sha256
from mlops.hints import typed
from mlops.settings.loading import flatten
from mlops.settings.sections import Settings

NO_COMMIT = "none"
OWN_ROOT = (
    "GitHub looks for .github/workflows at a repository's root only: make the project a repository "
    "of its own"
)
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True)
class GitState:
    """The commit that is checked out; empty where there is none. `dirty`: uncommitted changes."""

    commit: str
    branch: str
    dirty: bool


def git_state(root: Path) -> GitState:
    """Read the state of the project's git repository.

    Raises:
        ConfigError: git refuses to say, or is not installed. That is not to be taken for a project
            without a commit.
    """
    if _way_to_the_root(root) is None:
        return GitState(commit="", branch="", dirty=True)
    commit = ask_git(root, "rev-parse", "--verify", "--quiet", "HEAD").said
    if not commit:
        return GitState(commit="", branch="", dirty=True)
    status = ask_git(root, "status", "--porcelain")
    return GitState(
        commit=commit,
        branch=ask_git(root, "rev-parse", "--abbrev-ref", "HEAD").said,
        dirty=not status.well or status.said != "",
    )


def repository_above(root: Path) -> Path | None:
    """Return the root of the repository that a project is only a folder of; None if it is not.

    Raises:
        ConfigError: there is one, and git refuses it, as where its files are another user's.
    """
    way = _way_to_the_root(root)
    return (root / way).resolve() if way else None


def _way_to_the_root(root: Path) -> str | None:
    """Return how to get to the repository's root, such as `../`; None if there is none."""
    if not any((folder / ".git").exists() for folder in (root, *root.parents)):
        return None
    found = ask_git(root, "rev-parse", "--show-cdup")
    if not found.well:
        raise ConfigError(
            f"git does not say which commit {root} is at ({found.problem})",
            "run `git status` there, and do as it says",
        )
    return found.said


def below_the_root(repository: Path) -> str:
    """Return what is said of a project that is only a folder of a repository."""
    return f"the project is a folder of the repository {repository}, and its workflows never run"


def told_git_state(commit: str, dirty: bool) -> GitState:
    """Return the state that a job is told, since it runs in a copy without git.

    Args:
        commit: the commit, or `none` where there is none.
        dirty: whether there were uncommitted changes.

    Raises:
        ConfigError: `commit` is no commit.
    """
    if commit == NO_COMMIT:
        return GitState(commit="", branch="", dirty=True)
    if not _COMMIT.fullmatch(commit):
        raise ConfigError(f"--git-commit: {commit!r} is neither a full commit nor {NO_COMMIT!r}")
    return GitState(commit=commit, branch="", dirty=dirty)


def environment_state(root: Path) -> dict[str, str]:
    """Return Python's version and one hash over every installed package and its version."""
    packages = sorted(
        f"{found.metadata['Name']}=={found.version}" for found in metadata.distributions()
    )
    lock = root / "uv.lock"
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "packages_sha256": hashlib.sha256("\n".join(packages).encode()).hexdigest(),
        "lock_sha256": file_sha256(lock) if lock.is_file() else "",
    }


def effective_settings(values: Settings, source: DataSource) -> dict[str, Any]:
    """Return every setting by its dotted key, those of the data as they were in effect.

    What conf names besides the data that were read is null: it says nothing about the run.
    """
    effective = {
        "data.source": source.kind,
        "data.folder": source.name if source.kind == FOLDER else None,
        "azure.data_asset": source.name if source.kind == ASSET else None,
        "data.fraction": source.fraction,
    }
    flat = {**flatten(values), **effective}
    drawn = {} if source.kind == SAMPLE else {key: None for key in flat if "data.sample." in key}
    return {**flat, **drawn}


def as_dict(state: GitState) -> dict[str, Any]:
    """Return a git state as JSON stores it."""
    return asdict(state)


@dataclass(frozen=True)
class GitAnswer:
    """What git said, or why it did not."""

    said: str
    problem: str = ""

    @property
    def well(self) -> bool:
        """Whether it did what it was asked."""
        return not self.problem


def ask_git(root: Path, *arguments: str) -> GitAnswer:
    """Return what git says in a folder.

    Raises:
        ConfigError: git is not installed.
    """
    git = shutil.which("git")
    if git is None:
        raise ConfigError(
            f"{root} is a git repository, and git, which knows the commit, is not installed",
            "install it, or train as a job does that has no git: by the steps, with --git-commit "
            f"and --git-dirty for {typed('step fit')}",
        )
    done = subprocess.run(  # nosec B603  # a fixed argument list, no shell
        [git, *arguments],
        cwd=root,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode == 0:
        return GitAnswer(done.stdout.strip())
    said = done.stderr.strip().partition("\n")[0].removeprefix("fatal: ")
    return GitAnswer("", said or f"exit code {done.returncode}")
