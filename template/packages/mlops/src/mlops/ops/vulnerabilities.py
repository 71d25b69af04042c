"""Asking OSV, by `uv audit`, whether vulnerabilities are known of what the project runs on.

Both locks are asked about: the project's, and the versions of the serving environment, of which uv
makes a script for this. Where nobody answers, that is an error: nothing was checked.
"""

import os
import shutil
import subprocess  # nosec B404
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mlops.errors import ConfigError, PlatformError
from mlops.platforms.serving_env import REQUIREMENTS
from mlops.progress import Report
from mlops.settings.project import Project

_VULNERABLE = 1
_ERROR_LINES = 8


@dataclass(frozen=True)
class Audited:
    """What was said of one set of packages, and whether a vulnerability is known of one."""

    name: str
    said: str
    vulnerable: bool


def audit(project: Project, service_url: str | None, report: Report) -> list[Audited]:
    """Return what OSV says of the project's packages and of those that serve.

    Args:
        project: the project.
        service_url: a mirror of OSV; None: OSV itself.
        report: receives lines about the progress.

    Raises:
        ConfigError: there is no uv.
        PlatformError: OSV does not answer, or a set of packages cannot be resolved.
    """
    uv = os.environ.get("UV") or shutil.which("uv")
    if not uv:
        raise ConfigError("uv is not installed", "https://docs.astral.sh/uv says how")
    service = ["--service-url", service_url] if service_url else []
    command = [uv, "audit", "--preview-features", "audit-command", *service]
    report("the project")
    locked = ["--locked"] if (project.root / "uv.lock").is_file() else []
    found = [_audited("the project", [*command, *locked], project.root)]
    report("the serving environment")
    requirements = (project.serving / REQUIREMENTS).read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "serving.py"
        script.write_text(script_of(requirements), encoding="utf-8")
        asked = [*command, "--script", str(script)]
        found.append(_audited("the serving environment", asked, project.root))
    return found


def script_of(requirements: str) -> str:
    """Return a script whose inline metadata (PEP 723) ask for just these requirements."""
    lines = [line.partition("#")[0].strip() for line in requirements.splitlines()]
    python = f"=={sys.version_info.major}.{sys.version_info.minor}.*"
    dependencies = [f"#     {_quoted(line)}," for line in lines if line]
    return "\n".join(
        [
            "# /// script",
            f'# requires-python = "{python}"',
            "# dependencies = [",
            *dependencies,
            "# ]",
            "# ///",
            "",
        ]
    )


def _quoted(line: str) -> str:
    return '"' + line.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _audited(name: str, command: Sequence[str], root: Path) -> Audited:
    # a fixed argument list, no shell
    done = subprocess.run(  # nosec B603
        list(command),
        cwd=root,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode not in (0, _VULNERABLE):
        said = "\n".join(done.stderr.strip().splitlines()[-_ERROR_LINES:])
        raise PlatformError(
            f"the vulnerabilities of {name} could not be looked up, so nothing is known:\n{said}",
            "try again where the network reaches OSV, or name a mirror with --service-url",
        )
    said = "\n".join(part for part in (done.stdout.strip(), done.stderr.strip()) if part)
    return Audited(name, f"{name}:\n{said}", done.returncode == _VULNERABLE)
