"""Git as the branch of the audit log needs it: asked nothing, and each failure in its own words."""

import os
import re
import subprocess  # nosec B404
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mlops.errors import ConfigError, PlatformError

_CREDENTIALS = re.compile(r"//[^/@\s]+@")
_ASKS_NOBODY = {"GIT_TERMINAL_PROMPT": "0", "GCM_INTERACTIVE": "never"}
TIMEOUT_SECONDS = 300


@dataclass(frozen=True)
class Said:
    """What git answered: its exit code, its output, and its last words where it failed."""

    code: int
    output: bytes
    words: str

    @property
    def well(self) -> bool:
        """Whether it did what it was asked."""
        return self.code == 0


@dataclass(frozen=True)
class Git:
    """Runs git in a folder.

    Attributes:
        root: the folder.
        more: variables besides those of this process.
    """

    root: Path
    more: Mapping[str, str] = field(default_factory=dict)

    def ask(
        self, *arguments: str, given: bytes = b"", more: Mapping[str, str] | None = None
    ) -> Said:
        """Run git.

        Args:
            arguments: the command and its options.
            given: what it reads on its standard input.
            more: variables for this call alone.

        Raises:
            ConfigError: git is not installed.
            PlatformError: it did not end in time.
        """
        try:
            done = subprocess.run(  # nosec B603, B607  # a list of arguments, no shell
                ["git", *arguments],
                cwd=self.root,
                env={**os.environ, **_ASKS_NOBODY, **self.more, **(more or {})},
                input=given,
                capture_output=True,
                check=False,
                timeout=TIMEOUT_SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise PlatformError(
                f"git {arguments[0]} did not end within {TIMEOUT_SECONDS} seconds", "try again"
            ) from None
        except OSError as error:
            raise ConfigError(f"git cannot be started: {error}", "install git") from None
        return Said(done.returncode, done.stdout, _words(done.stderr) if done.returncode else "")

    def do(
        self, *arguments: str, given: bytes = b"", more: Mapping[str, str] | None = None
    ) -> bytes:
        """Run git, and return what it says.

        Raises:
            ConfigError: git is not installed.
            PlatformError: it failed.
        """
        said = self.ask(*arguments, given=given, more=more)
        if not said.well:
            raise PlatformError(f"git {arguments[0]} failed: {said.words or said.code}")
        return said.output

    def text(self, *arguments: str, given: bytes = b"") -> str:
        """Run git, and return what it says as a text without the last newline.

        Raises:
            ConfigError: git is not installed.
            PlatformError: it failed.
        """
        return self.do(*arguments, given=given).decode("utf-8", errors="replace").strip()


def as_the_job(variables: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return what lets git use the token of a job of GitHub Actions, for GitHub alone.

    It is handed on in the environment: no file and no argument of a command holds it. Elsewhere git
    has its own ways to sign in.

    Args:
        variables: environment variables.
    """
    server, token = variables.get("GITHUB_SERVER_URL"), variables.get("GITHUB_TOKEN")
    if variables.get("GITHUB_ACTIONS") != "true" or not (server and token):
        return {}
    number = int(variables.get("GIT_CONFIG_COUNT") or 0)
    basic = b64encode(f"x-access-token:{token}".encode()).decode()
    return {
        "GIT_CONFIG_COUNT": str(number + 1),
        f"GIT_CONFIG_KEY_{number}": f"http.{server}/.extraheader",
        f"GIT_CONFIG_VALUE_{number}": f"AUTHORIZATION: basic {basic}",
        **{f"GIT_{role}_NAME": "github-actions[bot]" for role in ("AUTHOR", "COMMITTER")},
        **{
            f"GIT_{role}_EMAIL": "41898282+github-actions[bot]@users.noreply.github.com"
            for role in ("AUTHOR", "COMMITTER")
        },
    }


def _words(errors: bytes) -> str:
    """Return what went wrong: what the other side says, else git's own last line."""
    lines = [line.strip() for line in errors.decode("utf-8", errors="replace").splitlines()]
    lines = [line for line in lines if line and not line.startswith(("hint:", "To "))]
    told = [line for line in lines if line.startswith(("remote: ", "! "))] or lines[-1:]
    said = " ".join(line.removeprefix("remote: ").removeprefix("fatal: ") for line in told)
    return _CREDENTIALS.sub("//", said).replace("; ", ", ")[:500]
