"""Updates a copy of the project to the newest template, and keeps it as a proposal.

The copy is a clone beside the project, so that no file of the running machinery is replaced.
Nothing of the new version is run: Copier renders it, and uv locks without building.
"""

import json
import os
import shutil
import subprocess  # nosec B404
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from mlops.ci.template_changelog import changelog_part
from mlops.ci.template_proposal import Update
from mlops.errors import ConfigError, PlatformError
from mlops.ops.template_source import ANSWERS, recorded

COPIER = "copier>=9.19,<10"
BRANCH = "template-update"
BUNDLE = "update.bundle"
_WHO = (
    *("-c", "user.name=github-actions[bot]"),
    *("-c", "user.email=41898282+github-actions[bot]@users.noreply.github.com"),
    *("-c", "commit.gpgsign=false"),
)
_RIGHT = (
    "see that this machine reaches the template's repository and may read it: "
    "a token of this repository does not open another private one"
)
Run = Callable[[Sequence[str], Path, Mapping[str, str]], "subprocess.CompletedProcess[str]"]


@dataclass(frozen=True)
class News:
    """What Copier says: the version that the project has, and the newest one."""

    current: str
    latest: str


class Tools:
    """Git, uv and Copier, each call with its words told where it fails.

    Args:
        run: what runs a command in a folder with more variables.
    """

    def __init__(self, run: Run | None = None) -> None:
        self._run = run or run_command

    def git(self, folder: Path, *arguments: str, env: Mapping[str, str] | None = None) -> str:
        """Run git.

        Raises:
            PlatformError: it failed.
        """
        return self._call(["git", *arguments], folder, env, "")

    def copier(self, folder: Path, *arguments: str) -> str:
        """Run Copier, which uv brings.

        Raises:
            PlatformError: it failed.
        """
        command = [_uv(), "tool", "run", "--quiet", "--from", COPIER, "copier", *arguments]
        return self._call(command, folder, {"GIT_TERMINAL_PROMPT": "0"}, _RIGHT)

    def lock(self, folder: Path) -> str:
        """Lock the versions anew, and build nothing to learn what it needs.

        Raises:
            PlatformError: it failed.
        """
        return self._call([_uv(), "lock"], folder, {"UV_NO_BUILD": "1"}, "")

    def _call(
        self, command: Sequence[str], folder: Path, env: Mapping[str, str] | None, remedy: str
    ) -> str:
        done = self._run(command, folder, env or {})
        if done.returncode:
            lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
            last = lines[-1].strip() if lines else f"exit code {done.returncode}"
            shown = "copier" if "copier" in command else Path(command[0]).stem
            raise PlatformError(f"{shown} failed: {last}", remedy)
        return done.stdout


def run_command(
    command: Sequence[str], folder: Path, more: Mapping[str, str]
) -> "subprocess.CompletedProcess[str]":
    """Run a command that is asked nothing; what it says is kept."""
    kept = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    return subprocess.run(  # nosec B603  # a list of arguments, no shell
        list(command),
        cwd=folder,
        env={**kept, **more},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


def find_news(root: Path, tools: Tools) -> News | None:
    """Ask Copier whether there is a newer version; None if there is none.

    Raises:
        ConfigError: the project records no template.
        PlatformError: Copier does not say.
    """
    found = recorded(root)
    if found is None or not found.source:
        raise ConfigError(f"{ANSWERS} names no template, so there is nothing to update from")
    said = tools.copier(root, "check-update", "--output-format", "json")
    try:
        answer = json.loads(said.strip().splitlines()[-1])
        available = answer["update_available"]
        news = News(str(answer["current_version"]), str(answer["latest_version"]))
    except (IndexError, KeyError, TypeError, ValueError):
        message = f"copier check-update does not say whether there is news: {said.strip()!r}"
        raise PlatformError(message, "run `uvx copier check-update` by hand") from None
    return news if available else None


def make_update(root: Path, output: Path, news: News, tools: Tools) -> Update:
    """Update a clone of the project's commit, and keep the commit of it as a bundle.

    Args:
        root: the project's root, in a git repository.
        output: the folder that gets the bundle.
        news: what Copier found.
        tools: git, uv and Copier.

    Raises:
        PlatformError: one of them failed.
    """
    base = tools.git(root, "rev-parse", "HEAD").strip()
    output.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="template-update-") as folder:
        clone = Path(folder, "project")
        tools.git(root, "clone", "--quiet", "--no-hardlinks", ".", str(clone))
        tools.git(clone, "checkout", "--quiet", "-B", BRANCH, base)
        tools.copier(clone, "update", "--defaults", "--quiet")
        conflicts = _conflicts(clone, tools)
        locked = _lock(clone, conflicts, tools)
        tools.git(clone, "add", "--all")
        changed = _names(tools.git(clone, "diff", "--cached", "--name-only", "-z", "HEAD"))
        update = Update(
            news.current,
            news.latest,
            conflicts,
            tuple(changed),
            locked,
            _changelog(clone, Path(folder), news, tools),
        )
        # of the same day as its parent, so that the same update is the same commit
        day = tools.git(clone, "log", "-1", "--format=%cI").strip()
        env = {"GIT_AUTHOR_DATE": day, "GIT_COMMITTER_DATE": day}
        tools.git(clone, *_WHO, "commit", "--quiet", "--no-verify", "-m", update.title, env=env)
        bundle = str((output / BUNDLE).resolve())
        tools.git(clone, "bundle", "create", "--quiet", bundle, f"{base}..{BRANCH}")
    return update


def _conflicts(clone: Path, tools: Tools) -> tuple[str, ...]:
    """Return the files in which both sides changed the same lines, and what was rejected."""
    unmerged = _names(tools.git(clone, "diff", "--name-only", "--diff-filter=U", "-z"))
    rejected = _names(tools.git(clone, "ls-files", "--others", "-z", "--", "*.rej"))
    return tuple(sorted({*unmerged, *rejected}))


def _lock(clone: Path, conflicts: Sequence[str], tools: Tools) -> bool:
    """Lock anew where versions are locked; tell whether the lock agrees with the settings."""
    if not (clone / "uv.lock").is_file():
        return True
    if any(name.endswith("pyproject.toml") for name in conflicts):
        return False
    try:
        tools.lock(clone)
    except PlatformError:
        return False
    return True


def _changelog(clone: Path, folder: Path, news: News, tools: Tools) -> str:
    """Return the part of the template's changelog; empty if it cannot be read."""
    found = recorded(clone)
    template = folder / "template"
    try:
        address = found.address if found else ""
        tools.git(folder, "clone", "--quiet", "--bare", "--", address, str(template))
        version = found.version if found else ""
        text = tools.git(template, "show", f"{version}:CHANGELOG.md")
    except PlatformError:
        return ""
    return changelog_part(text, news.current, news.latest)


def _names(listing: str) -> list[str]:
    return [name for name in listing.split("\0") if name]


def _uv() -> str:
    found = os.environ.get("UV") or shutil.which("uv")
    if not found:
        raise ConfigError("uv is not here, and it brings Copier", "install uv")
    return found
