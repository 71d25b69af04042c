"""Whether there is a newer version of the template than the one that the project has."""

import os
import subprocess  # nosec B404
from collections.abc import Callable
from pathlib import Path

from mlops.diagnosis import Diagnosis
from mlops.errors import PlatformError
from mlops.ops.template_source import Recorded, recorded
from mlops.ops.template_versions import Refs, newer_than

NAME = "updates"
TIMEOUT_SECONDS = 15
HOW = "commit what you have, then `uvx copier update`"
_ASKS_NOBODY = {
    "GIT_TERMINAL_PROMPT": "0",
    "GCM_INTERACTIVE": "never",
    "GIT_SSH_COMMAND": os.environ.get("GIT_SSH_COMMAND", "ssh -oBatchMode=yes"),
}
List = Callable[[str], Refs]


def template_news(root: Path, list_refs: List | None = None) -> list[Diagnosis]:
    """Tell whether the project is behind its template; nothing where it records none.

    Where the template does not answer that is not known, and never as good as up to date.

    Args:
        root: the project's folder.
        list_refs: what asks the template's repository, by its address.
    """
    found = recorded(root)
    if found is None or not found.source or not found.version or not _can_be_asked(found):
        return []
    try:
        newer = newer_than(found.version, (list_refs or refs_of)(found.address))
    except PlatformError as error:
        said = f"not checked: {error.message}"
        return [Diagnosis(NAME, False, said, error.remedy, needed=False)]
    if not newer:
        return [Diagnosis(NAME, True, f"{found.version} is the newest version of the template")]
    said = f"the project has {found.version} of the template, and there is {newer}"
    return [Diagnosis(NAME, False, said, HOW, needed=False)]


def refs_of(address: str) -> Refs:
    """Ask a repository for its tags and its newest commit; nobody is asked for a password.

    Raises:
        PlatformError: it does not answer, or may not be read.
    """
    command = ["git", "ls-remote", "--", address, "HEAD", "refs/tags/*"]
    remedy = "it needs git, the network, and the right to read the template's repository"
    try:
        done = subprocess.run(  # nosec B603  # a list of arguments, no shell
            command,
            env={**os.environ, **_ASKS_NOBODY},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=TIMEOUT_SECONDS,
        )
    except subprocess.TimeoutExpired:
        message = f"the template's repository did not answer within {TIMEOUT_SECONDS} seconds"
        raise PlatformError(message, remedy) from None
    except OSError as error:
        raise PlatformError(f"git cannot be started: {error}", remedy) from None
    if done.returncode:
        said = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise PlatformError(f"git does not read the template's versions: {said}", remedy)
    refs = Refs.parse(done.stdout)
    if not refs.head and not refs.tags:
        raise PlatformError("the template's repository holds nothing", remedy)
    return refs


def _can_be_asked(found: Recorded) -> bool:
    """Tell whether the address leads anywhere; where not, `template_source` says so."""
    path = Path(found.source).expanduser()
    return found.is_elsewhere or (path.is_absolute() and path.is_dir())
