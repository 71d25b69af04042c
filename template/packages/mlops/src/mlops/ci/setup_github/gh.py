"""gh, GitHub's own command line: only it talks to GitHub, with the rights of who is signed in."""

import json
import os
import re
import shutil
import subprocess  # nosec B404  # only gh, with arguments of our own
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mlops.ci.setup_github.hosting import host_for_gh
from mlops.errors import ConfigError, PlatformError

TIMEOUT_SECONDS = 60
OLDEST = (2, 25)
"""The first gh that has `gh variable`."""
WHERE_TO_GET_IT = "see https://cli.github.com"
PAGE = 100
"""The most that GitHub gives at once."""

Run = Callable[[Sequence[str]], subprocess.CompletedProcess[str]]
"""Runs gh with these arguments."""


class GhError(PlatformError):
    """GitHub, or gh itself, said no.

    Args:
        message: what was called and what was said.
        status: GitHub's, such as 404; None where none was named.
    """

    def __init__(self, message: str, status: int | None) -> None:
        super().__init__(message)
        self.status = status

    @property
    def is_of_the_plan(self) -> bool:
        """Whether GitHub refuses it because of the owner's plan."""
        words = self.message.lower()
        return self.status in (403, 422) and ("upgrade to " in words or "billing plan" in words)


class Gh:
    """The command gh, run in the project's folder.

    Args:
        root: that folder.
        run: in the place of gh.

    Raises:
        ConfigError: gh is not installed.
    """

    def __init__(self, root: Path, run: Run | None = None) -> None:
        if run is None and shutil.which("gh") is None:
            raise ConfigError("gh is not installed", f"{WHERE_TO_GET_IT}, then `gh auth login`")
        self._run = run or _in(root)

    def check_version(self) -> None:
        """Refuse a gh that would stop half-way; one that names no version is taken.

        Raises:
            ConfigError: it is too old.
        """
        found = re.search(r"\bversion (\d+)\.(\d+)\S*", self.call("--version"))
        if found and (int(found[1]), int(found[2])) < OLDEST:
            version = found[0].removeprefix("version ")
            needed = ".".join(map(str, OLDEST))
            raise ConfigError(
                f"gh {version} is too old: it has no `gh variable`, and would stop half-way",
                f"install {needed} or newer: {WHERE_TO_GET_IT}",
            )

    def call(self, *arguments: str) -> str:
        """Run gh and return what it prints.

        Raises:
            GhError: it failed, or did not answer in time.
        """
        shown = f"`gh {' '.join(_told(arguments))}`"
        try:
            done = self._run(arguments)
        except subprocess.TimeoutExpired:
            message = f"{shown} did not end within {TIMEOUT_SECONDS} seconds"
            raise GhError(message, None) from None
        if done.returncode:
            said = " ".join(done.stderr.split())
            status = re.search(r"\bHTTP (\d{3})\b", said)
            raise GhError(f"{shown} failed: {said}", int(status[1]) if status else None)
        return done.stdout

    def get(self, path: str) -> Any:
        """Return GitHub's answer; None where it has no content.

        Raises:
            GhError: GitHub refused it.
        """
        answer = self.call("api", path)
        return json.loads(answer) if answer.strip() else None

    def pages(self, path: str, key: str | None = None) -> list[Any]:
        """Return all items of a list, page by page.

        Args:
            path: of the list.
            key: under which an answer holds the items; None: the answer is the list.

        Raises:
            GhError: GitHub refused it.
        """
        items: list[Any] = []
        page = 1
        while True:
            sign = "&" if "?" in path else "?"
            answer = self.get(f"{path}{sign}per_page={PAGE}&page={page}")
            found = answer[key] if key else answer
            items += found
            if len(found) < PAGE:
                return items
            page += 1


def _told(arguments: Sequence[str]) -> list[str]:
    """Return what tells calls apart: method and path, or the variable, not all fields."""
    said = [each for each in arguments if each not in ("--silent", "--method")]
    return said[: 3 if "--method" in arguments else 5]


def _in(root: Path) -> Run:
    host = host_for_gh(root)
    environment = {**os.environ, **({"GH_HOST": host} if host else {})}

    def run(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # nosec B603  # a list of arguments, no shell
            [str(shutil.which("gh")), *arguments],
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            timeout=TIMEOUT_SECONDS,
        )

    return run
