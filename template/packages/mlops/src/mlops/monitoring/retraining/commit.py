"""The commit of the version that serves: whether it can be trained again, and a folder of it."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlops.errors import ConfigError, PlatformError
from mlops.hints import typed
from mlops.monitoring.retraining.knowledge import Serving
from mlops.steps.provenance import ask_git

_MACHINERY = "packages/mlops"
_MANIFESTS = f"{_MACHINERY}/src/mlops/artifacts/candidate.py"
_RELEASE_A_NEW_ONE = (
    "train and release a version with the present code first: by a push to main, or by "
    f"{typed('train')}, evaluate, register and release"
)


def require_trainable(root: Path, serving: Serving) -> None:
    """Refuse to train a candidate in the place of a version of which nobody can have the code.

    Raises:
        ConfigError: its code cannot be had, or its machinery knows no manifests.
    """
    number, commit = serving.version, serving.commit
    require_code(root, number, commit, dirty=serving.dirty)
    way = ask_git(root, "rev-parse", "--show-prefix").said
    if _holds(root, commit, way, f"{_MACHINERY}/pyproject.toml") and not _holds(
        root, commit, way, _MANIFESTS
    ):
        raise ConfigError(
            f"version {number} is of commit {commit}, whose machinery does not know manifests of "
            "candidates",
            _RELEASE_A_NEW_ONE,
        )


def require_code(root: Path, number: int, commit: str, *, dirty: bool) -> None:
    """Refuse to train a version again of which nobody can have the code.

    Args:
        root: the project's folder.
        number: the version.
        commit: the one that it was trained at; empty if there was none.
        dirty: whether there were uncommitted changes.

    Raises:
        ConfigError: it was made without a commit or with uncommitted changes, its commit is not
            here, or holds no lock.
    """
    if not commit:
        raise ConfigError(
            f"version {number} was made without a git commit, so nothing can train it again",
            f"put the project under git, and then {_RELEASE_A_NEW_ONE}",
        )
    if dirty:
        raise ConfigError(
            f"version {number} was made with uncommitted changes beside commit {commit}, so "
            "nothing can train it again",
            f"commit them, and then {_RELEASE_A_NEW_ONE}",
        )
    way = ask_git(root, "rev-parse", "--show-prefix")
    if not way.well:
        raise ConfigError(
            f"{root} is in no git repository ({way.problem}), so commit {commit} of version "
            f"{number} cannot be had",
            "run the command in a clone of the project",
        )
    if not ask_git(root, "cat-file", "-e", f"{commit}^{{commit}}").well:
        raise ConfigError(
            f"commit {commit} of version {number} is not in this clone",
            "fetch it with `git fetch --unshallow` or `git fetch origin`",
        )
    if not _holds(root, commit, way.said, "uv.lock"):
        raise ConfigError(
            f"commit {commit} of version {number} holds no uv.lock, so nobody knows with which "
            "packages it was trained",
            f"commit uv.lock, and then {_RELEASE_A_NEW_ONE}",
        )


@contextmanager
def checked_out(root: Path, commit: str) -> Iterator[Path]:
    """Yield the project's folder as it is at a commit; it is gone when the block ends.

    Nothing in the project's own folder changes.

    Raises:
        ConfigError: git is not installed.
        PlatformError: git does not do it.
    """
    way = ask_git(root, "rev-parse", "--show-prefix").said
    with tempfile.TemporaryDirectory(prefix="mlops-candidate-") as parent:
        place = Path(parent) / "project"
        # hooks of the team are for their own work
        hooks = ("-c", f"core.hooksPath={Path(parent) / 'none'}")
        made = ask_git(root, *hooks, "worktree", "add", "--quiet", "--detach", str(place), commit)
        try:
            if not made.well:
                raise PlatformError(f"git does not check out commit {commit}: {made.problem}")
            yield place / way
        finally:
            ask_git(root, "worktree", "remove", "--force", str(place))
            ask_git(root, "worktree", "prune")


def _holds(root: Path, commit: str, way: str, path: str) -> bool:
    return ask_git(root, "cat-file", "-e", f"{commit}:{way}{path}").well
