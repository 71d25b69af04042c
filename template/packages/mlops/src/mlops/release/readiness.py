"""Whether an environment lets a version be released, by what is recorded of it and of the project.

Where callers are, what is missing refuses. In a rehearsal, and where the platform has no callers of
its own, it is said and nothing more.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops.artifacts.documents import APPROVALS
from mlops.artifacts.evidence_folder import releases_folder
from mlops.artifacts.run_folder import RunFolder
from mlops.artifacts.version_folder import VersionFolder
from mlops.checks import shortened
from mlops.errors import MlopsError, Refused
from mlops.governance.human_part import human_problems, read_human_part
from mlops.governance.readiness import (
    Demands,
    Evidence,
    Lack,
    card_problems,
    lacks,
    lineage_problems,
)
from mlops.hints import typed
from mlops.platforms.base import ModelVersion, Platform, Run
from mlops.progress import Report
from mlops.settings.loading import LoadedSettings


@dataclass(frozen=True)
class Readiness:
    """What was found at the time of a release: it goes into the evidence.

    Attributes:
        lacking: what is missing for the environment.
        human_sha256: the hash of the human part then; empty where there was no such file.
    """

    lacking: tuple[Lack, ...] = ()
    human_sha256: str = ""


UNKNOWN = Readiness()
"""Of what no environment was asked, such as an A/B test by itself."""


def evidence_of_version(version: ModelVersion, settings: LoadedSettings) -> Evidence:
    """Return what is known of a registered version, whose folder is in place."""
    folder = VersionFolder(version.folder)
    try:
        evaluation = folder.card().get("evaluation")
    except MlopsError:
        evaluation = None
    try:
        dirty = folder.lineage().get("git", {}).get("dirty")
    except MlopsError:
        dirty = None
    state = settings.project.state_dir
    return Evidence(
        human=human_problems(settings.project.root, settings.clock().date()),
        evaluation=evaluation,
        lineage=lineage_problems(version.folder),
        card=card_problems(version.folder, version.name, version.version),
        dirty=dirty,
        approvals=_approvals(releases_folder(state)),
        model_version=version.version,
    )


def evidence_of_run(run: Run, settings: LoadedSettings) -> Evidence:
    """Return what is known of a run that may be registered.

    Raises:
        ConfigError: it was not evaluated.
    """
    folder = RunFolder(run.folder)
    unmade = ("the run is not registered, which makes it",)
    return Evidence(
        human=human_problems(settings.project.root, settings.clock().date()),
        evaluation=folder.evaluation.results(),
        lineage=unmade,
        card=unmade,
        dirty=folder.model.training()["git"].get("dirty"),
    )


def demands_of(settings: LoadedSettings) -> Demands:
    """Return what the settings' environment asks for."""
    values = settings.values
    return Demands(values.environment, values.gate, values.approvals.required)


def check_ready(
    platform: Platform,
    settings: LoadedSettings,
    version: ModelVersion,
    report: Report,
    *,
    rehearsal: bool,
) -> Readiness:
    """Look at what the settings' environment refuses; refuse it where callers are.

    Args:
        platform: where it is released.
        settings: of the environment.
        version: what is released, with its folder in place.
        report: is told what would be refused, where nothing is.
        rehearsal: whether it is one.

    Raises:
        Refused: something is missing.
    """
    found = lacks(evidence_of_version(version, settings), demands_of(settings))
    said, environment = [each.said for each in found], settings.values.environment
    if found and platform.has_callers and not rehearsal:
        raise Refused(
            f"version {version.version} is refused in {environment}: {shortened(said)}",
            f"{typed(f'gate --explain --model-version {version.version}')} lists all of it",
        )
    for each in said:
        report(f"would be refused in {environment}: {each}")
    try:
        human = read_human_part(settings.project.root)
    except MlopsError:
        human = None
    return Readiness(found, "" if human is None else human.sha256)


def _approvals(folder: Path) -> dict[str, Any] | None:
    try:
        return APPROVALS.read(folder) if (folder / APPROVALS.name).is_file() else None
    except MlopsError:
        return None
