"""What is missing on this machine and in this project, with what to do about it."""

import os
import shutil
import socket
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from mlops.ci.job import summarise
from mlops.console import mark, show_result, show_table
from mlops.diagnosis import Diagnosis, diagnose
from mlops.errors import MlopsError
from mlops.hints import typed
from mlops.ops.adoption import adoption
from mlops.ops.github_side import hosting, infra_approval, sign_in
from mlops.ops.template_files import template_files
from mlops.ops.template_news import template_news
from mlops.ops.template_source import template_source
from mlops.platforms import platform_class
from mlops.settings.loading import ENVIRONMENT_VARIABLE, load_settings
from mlops.settings.project import Project, find_project
from mlops.steps.provenance import OWN_ROOT, below_the_root, git_state, repository_above
from mlops.usecase.stubs import Stub, find_stubs
from mlops.usecase.use_case import UseCase
from mlops_command import REMEDY, problem

FREE_GIB_NEEDED = 2


def examine(folder: Path) -> list[Diagnosis]:
    """Check machine and project; a check that fails never stops the others."""
    machine = [_python(), _machinery(), _tool("git", "install git"), _uv(), _disk(folder), _port()]
    try:
        project = find_project(folder)
    except MlopsError as error:
        remedy = error.remedy or "go to the project's folder"
        missing = Diagnosis("project", False, error.message, remedy)
        return [*machine, missing, *adoption(folder)]
    found = [*machine, Diagnosis("project", True, project.root.name), *_conf(project)]
    found += [
        *_git(project),
        *hosting(project.root),
        _lock(project),
        _stubs(project),
        _writable(project),
    ]
    return [
        *found,
        *template_source(project.root),
        template_files(project),
        *template_news(project.root),
        *adoption(project.root),
    ]


def examine_platform(
    folder: Path, environment: str | None, platform: str | None
) -> list[Diagnosis]:
    """Check the resources of an environment on its platform; on this machine there are none.

    If the settings cannot be read, that nothing was checked is told, too.

    Args:
        folder: a folder of the project.
        environment: which conf/<environment>.yaml; None: MLOPS_ENVIRONMENT or dev.
        platform: another platform than the settings say.
    """
    try:
        project = find_project(folder)
    except MlopsError:
        return []  # what `examine` returns says so already
    try:
        overrides = {"platform": platform} if platform else {}
        settings = load_settings(project, environment, overrides)
    except MlopsError as error:
        return [_not_checked(project, environment, platform, error)]
    found = platform_class(settings).examine(settings)
    if not platform_class(settings).has_callers:
        return found
    return [*found, sign_in(project.root), *infra_approval(project.root)]


def show_diagnoses(diagnoses: list[Diagnosis]) -> None:
    """Print the diagnoses as a table, and below it what to do about those that need it."""
    rows = [
        (each.name, each.found, mark(each.passed) if each.needed or each.passed else "advice")
        for each in diagnoses
    ]
    show_table("What this machine and project need", ("what", "found", ""), rows, is_result=True)
    remedies = [(each.name, each.remedy) for each in diagnoses if each.remedy]
    if remedies:
        summarise("What to do", ("what", "what to do"), remedies)
        show_result("What to do:")
    for name, remedy in remedies:
        show_result(f"- {name}: {remedy}")


def _python() -> Diagnosis:
    found = ".".join(str(part) for part in sys.version_info[:3])
    return Diagnosis("python", sys.version_info >= (3, 11), found, "")


def _machinery() -> Diagnosis:
    said = problem()
    return Diagnosis("mlops", not said, said or "this project's own", REMEDY if said else "")


def _tool(name: str, remedy: str) -> Diagnosis:
    path = shutil.which(name)
    return Diagnosis(name, path is not None, path or "missing", "" if path else remedy)


def _uv() -> Diagnosis:
    path = os.environ.get("UV") or shutil.which("uv")
    remedy = (
        "" if path else "python -m pip install uv (without it pip makes the serving environment)"
    )
    return Diagnosis("uv", path is not None, path or "missing", remedy, needed=False)


def _disk(folder: Path) -> Diagnosis:
    free = shutil.disk_usage(folder).free / 2**30
    enough = free >= FREE_GIB_NEEDED
    remedy = "" if enough else f"free {FREE_GIB_NEEDED} GiB for the serving environment"
    return Diagnosis("disk", enough, f"{free:.1f} GiB free", remedy)


def _port() -> Diagnosis:
    try:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
    except OSError as error:
        return Diagnosis("ports", False, str(error), "allow servers on 127.0.0.1")
    return Diagnosis("ports", True, "127.0.0.1 can be served", "")


def _conf(project: Project) -> list[Diagnosis]:
    """Check the settings of each environment; what is wrong with all of them is said once."""
    diagnoses = [_settings(project, name) for name in project.environments()]
    wrong = [each.found for each in diagnoses if not each.passed]
    said: set[str] = set()
    kept = []
    for each in diagnoses:
        if each.passed:
            kept.append(each)
        elif each.found not in said:
            said.add(each.found)
            everywhere = wrong.count(each.found) > 1
            kept.append(replace(each, name="settings") if everywhere else each)
    return kept


def _not_checked(
    project: Project, environment: str | None, platform: str | None, error: MlopsError
) -> Diagnosis:
    name = environment or os.environ.get(ENVIRONMENT_VARIABLE) or "dev"
    if name not in project.environments():
        remedy = f"name one of them with --environment or {ENVIRONMENT_VARIABLE}"
        return Diagnosis(f"environment {name}", False, error.message, error.remedy or remedy)
    found = f"not checked: the settings of {name} cannot be read"
    return Diagnosis(platform or "platform", False, found, "mend the settings, then run this again")


def _settings(project: Project, environment: str) -> Diagnosis:
    return _attempt(
        f"conf/{environment}.yaml",
        lambda: (load_settings(project, environment), "every setting is known and valid")[1],
        "mend the file or variable it names",
    )


def _git(project: Project) -> list[Diagnosis]:
    try:
        state, above = git_state(project.root), repository_above(project.root)
    except MlopsError as error:
        return [Diagnosis("commit", False, error.message, error.remedy)]
    found = state.commit[:10] or "no commit"
    remedy = "" if state.commit else "git init --initial-branch main && git add -A && git commit"
    commit = Diagnosis("commit", bool(state.commit), found, remedy, needed=False)
    if above is None:
        return [commit]
    return [commit, Diagnosis("workflows", False, below_the_root(above), OWN_ROOT, needed=False)]


def _lock(project: Project) -> Diagnosis:
    there = (project.root / "uv.lock").is_file()
    remedy = "" if there else "uv sync writes it; commit it"
    return Diagnosis("uv.lock", there, "there" if there else "missing", remedy, needed=False)


def _stubs(project: Project) -> Diagnosis:
    stubs: list[Stub] = []

    def count() -> str:
        stubs.extend(find_stubs(UseCase(project.package).folder))
        return f"{len(stubs)} stubs to fill"

    found = _attempt("use case", count, "mend the file it names")
    if not stubs:
        return found
    return replace(found, passed=False, remedy=f"{typed('stubs')} lists them", needed=False)


def _writable(project: Project) -> Diagnosis:
    def probe() -> str:
        project.state_dir.mkdir(exist_ok=True)
        path = project.state_dir / ".probe"
        path.touch()
        path.unlink()
        return "can be written"

    return _attempt(".mlops", probe, "allow writing to the project's folder")


def _attempt(name: str, look: Callable[[], str], remedy: str) -> Diagnosis:
    """Look at one thing; also a fault of the team's code is no more than one diagnosis."""
    try:
        return diagnose(name, look, remedy)
    except Exception as error:
        return Diagnosis(name, False, f"{type(error).__name__}: {error}", remedy)
