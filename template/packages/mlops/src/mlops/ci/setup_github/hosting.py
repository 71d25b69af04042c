"""On which GitHub a repository lives, and whether the workflows can run there."""

import os
import subprocess  # nosec B404
from pathlib import Path
from urllib.parse import urlsplit

CLOUD = "github.com"
WITH_A_DOMAIN_OF_ITS_OWN = ".ghe.com"
UNSUPPORTED = (
    "GitHub Enterprise Server is not supported: it knows neither `uses: $/…`, nor environments "
    "without a deployment, nor subjects with the numbers of owner and repository"
)
INSTEAD = "keep the repository on github.com, or on a GitHub of your own domain at ghe.com"


def runs_the_workflows(host: str) -> bool:
    """Tell whether it is GitHub's cloud: github.com, or a domain of its own below ghe.com."""
    host = host.lower()
    return host == CLOUD or host.endswith((f".{CLOUD}", WITH_A_DOMAIN_OF_ITS_OWN))


def host_of(url: str) -> str | None:
    """Return the host in a remote's URL; None for a folder, or a name that only ssh knows."""
    if "://" in url:
        host = urlsplit(url).hostname or ""
    else:
        before, colon, _ = url.partition(":")
        host = before.rpartition("@")[2] if colon and "/" not in before else ""
    return host if "." in host else None


def host_of_origin(root: Path) -> str | None:
    """Return the host of the remote `origin`; None where there is none, or it is not known."""
    try:
        # a fixed argument list, no shell
        done = subprocess.run(  # nosec B603, B607
            ["git", "config", "--get", "remote.origin.url"],
            cwd=root,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError:
        return None
    return host_of(done.stdout.strip())


def where_it_is_hosted(root: Path) -> list[str]:
    """Say so where `origin` is on another server than GitHub's cloud."""
    host = host_of_origin(root)
    if host is None or runs_the_workflows(host):
        return []
    return [f"origin is at {host}, and the workflows run on GitHub's cloud alone. {UNSUPPORTED}"]


def host_for_gh(root: Path) -> str | None:
    """Return the host that gh is to ask; None: it is left to gh.

    `gh api` takes owner and name from the remote, and still asks github.com where somebody is
    signed in to more than one host.
    """
    host = host_of_origin(root)
    if host is None or os.environ.get("GH_HOST"):
        return None
    return CLOUD if host.endswith(f".{CLOUD}") else host


def asked_by_gh(root: Path) -> list[str]:
    """Say what has to be set before the commands that are printed, where it is not github.com."""
    host = host_for_gh(root)
    if host in (None, CLOUD) or not runs_the_workflows(host or ""):
        return []
    return [
        f"origin is at {host}. With --apply gh is told so; for the commands that are printed set "
        f"GH_HOST to {host} first, since `gh api` may ask {CLOUD} otherwise"
    ]
