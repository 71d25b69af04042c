"""What is missing on this machine and in this project, with what to do about it."""

import os
import shutil
import socket
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from mlops.ci.job import summarise
from mlops.console import mark, show_result, show_table
from mlops.errors import MlopsError
from mlops.ops.status import environments
from mlops.settings.loading import ENVIRONMENT_VARIABLE, load_settings
from mlops.settings.project import Project, find_project
from mlops.steps.provenance import git_state
from mlops.usecase.stubs import find_stubs
from mlops.usecase.use_case import UseCase

FREE_GIB_NEEDED = 2


@dataclass(frozen=True)
class Finding:
    """One thing that was checked; `needed` tells whether commands fail without it."""

    name: str
    passed: bool
    found: str
    remedy: str
    needed: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as JSON."""
        return asdict(self)


def examine(folder: Path) -> list[Finding]:
    """Check machine and project; a check that fails never stops the others."""
    findings = [_python(), _tool("git", "install git"), _uv(), _disk(folder), _port()]
    try:
        project = find_project(folder)
    except MlopsError as error:
        return [*findings, Finding("project", False, str(error), "go to the project's folder")]
    findings.append(Finding("project", True, project.root.name, ""))
    findings += _conf(project)
    return [*findings, _git(project), _lock(project), _stubs(project), _writable(project)]


def examine_platform(folder: Path, environment: str | None, platform: str | None) -> list[Finding]:
    """Check the resources of an environment on its platform; on this machine there are none.

    If the settings cannot be read, that nothing was checked is a finding, too.

    Args:
        folder: a folder of the project.
        environment: which conf/<environment>.yaml; None: MLOPS_ENVIRONMENT or dev.
        platform: another platform than the settings say.
    """
    try:
        project = find_project(folder)
    except MlopsError:
        return []  # it stands among the findings already
    try:
        overrides = {"platform": platform} if platform else {}
        settings = load_settings(project, environment, overrides)
    except MlopsError as error:
        return [_not_checked(project, environment, platform, error)]
    if settings.values.platform != "azure":
        return []
    from mlops.platforms.azure.examine import examine_azure

    return examine_azure(settings)


def show_findings(findings: list[Finding]) -> None:
    """Print the findings as a table, and below it what to do about those that need it."""
    rows = [
        (f.name, f.found, mark(f.passed) if f.needed or f.passed else "advice") for f in findings
    ]
    show_table("What this machine and project need", ("what", "found", ""), rows, is_result=True)
    remedies = [(f.name, f.remedy) for f in findings if f.remedy]
    if remedies:
        summarise("What to do", ("what", "what to do"), remedies)
        show_result("What to do:")
    for name, remedy in remedies:
        show_result(f"- {name}: {remedy}")


def _python() -> Finding:
    found = ".".join(str(part) for part in sys.version_info[:3])
    return Finding("python", sys.version_info >= (3, 11), found, "")


def _tool(name: str, remedy: str) -> Finding:
    path = shutil.which(name)
    return Finding(name, path is not None, path or "missing", "" if path else remedy)


def _uv() -> Finding:
    path = os.environ.get("UV") or shutil.which("uv")
    remedy = (
        "" if path else "python -m pip install uv (without it pip makes the serving environment)"
    )
    return Finding("uv", path is not None, path or "missing", remedy, needed=False)


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free / 2**30
    enough = free >= FREE_GIB_NEEDED
    remedy = "" if enough else f"free {FREE_GIB_NEEDED} GiB for the serving environment"
    return Finding("disk", enough, f"{free:.1f} GiB free", remedy)


def _port() -> Finding:
    try:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
    except OSError as error:
        return Finding("ports", False, str(error), "allow servers on 127.0.0.1")
    return Finding("ports", True, "127.0.0.1 can be served", "")


def _conf(project: Project) -> list[Finding]:
    """Check the settings of each environment; what is wrong with all of them is said once."""
    findings = [_settings(project, name) for name in environments(project)]
    wrong = [finding.found for finding in findings if not finding.passed]
    said: set[str] = set()
    kept = []
    for finding in findings:
        if not finding.passed:
            if finding.found in said:
                continue
            said.add(finding.found)
            if wrong.count(finding.found) > 1:
                finding = replace(finding, name="settings")
        kept.append(finding)
    return kept


def _not_checked(
    project: Project, environment: str | None, platform: str | None, error: MlopsError
) -> Finding:
    name = environment or os.environ.get(ENVIRONMENT_VARIABLE) or "dev"
    if name not in environments(project):
        found, _, remedy = str(error).partition("; ")
        remedy = remedy or f"name one of them with --environment or {ENVIRONMENT_VARIABLE}"
        return Finding(f"environment {name}", False, found, remedy)
    found = f"not checked: the settings of {name} cannot be read"
    return Finding(platform or "platform", False, found, "mend the settings, then run this again")


def _settings(project: Project, environment: str) -> Finding:
    return _attempt(
        f"conf/{environment}.yaml",
        lambda: (load_settings(project, environment), "every setting is known and valid")[1],
        "mend the file or variable it names",
    )


def _git(project: Project) -> Finding:
    state = git_state(project.root)
    found = state.commit[:10] or "no commit"
    remedy = "" if state.commit else "git init && git add -A && git commit"
    return Finding("commit", bool(state.commit), found, remedy, needed=False)


def _lock(project: Project) -> Finding:
    there = (project.root / "uv.lock").is_file()
    remedy = "" if there else "uv sync writes it; commit it"
    return Finding("uv.lock", there, "there" if there else "missing", remedy, needed=False)


def _stubs(project: Project) -> Finding:
    def count() -> str:
        return f"{len(find_stubs(UseCase(project.package).folder))} stubs to fill"

    found = _attempt("use case", count, "mend the file it names")
    if not found.passed or found.found.startswith("0 "):
        return found
    return Finding("use case", False, found.found, "mlops stubs lists them", needed=False)


def _writable(project: Project) -> Finding:
    def probe() -> str:
        project.state_dir.mkdir(exist_ok=True)
        path = project.state_dir / ".probe"
        path.touch()
        path.unlink()
        return "can be written"

    return _attempt(".mlops", probe, "allow writing to the project's folder")


def _attempt(name: str, check: Callable[[], str], remedy: str) -> Finding:
    try:
        return Finding(name, True, check(), "")
    except MlopsError as error:
        return Finding(name, False, str(error), remedy)
    except Exception as error:
        return Finding(name, False, f"{type(error).__name__}: {error}", remedy)
