"""What happened to a version since it was registered, from evidence and from what checks kept."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from mlops.artifacts import drift_result, performance_result
from mlops.artifacts.documents import APPROVALS, EVIDENCE
from mlops.artifacts.evidence_folder import releases_folder
from mlops.artifacts.version_folder import VersionFolder
from mlops.errors import MlopsError
from mlops.governance.since import Happening, in_order
from mlops.platforms.base import Endpoint, Platform
from mlops.release.change_log import CHANGE
from mlops.settings.loading import LoadedSettings
from mlops.window import Window

_CHECKS = "checks of the endpoint"


def happened_to(
    platform: Platform, number: int, environments: Sequence[LoadedSettings]
) -> tuple[tuple[Happening, ...], tuple[str, ...]]:
    """Return what is recorded of a version, oldest first, and what could not be read.

    Args:
        platform: has the version.
        number: the version.
        environments: the settings of every environment to ask.
    """
    found: list[Happening] = []
    problems: list[str] = []
    created = VersionFolder(platform.version(number).folder).lineage()["created_at"]
    with tempfile.TemporaryDirectory() as parent:
        try:
            for kept in platform.evidence(number):
                target = Path(parent) / kept.name
                platform.fetch_evidence(number, kept.name, target)
                found += _in_folder(target, number, environments)
        except MlopsError as error:
            problems.append(f"the kept evidence: {error.message}")
    for settings in environments:
        try:
            found += _in_folder(releases_folder(settings.project.state_dir), number, [settings])
            endpoint = platform.endpoint(settings.endpoint_name)
            window = Window(datetime.fromisoformat(created), settings.clock())
            found += _checks(endpoint, number, settings.values.environment, window)
        except MlopsError as error:
            problems.append(f"{settings.values.environment}: {error.message}")
    return in_order(found), tuple(problems)


def _in_folder(
    folder: Path, number: int, environments: Sequence[LoadedSettings]
) -> Iterator[Happening]:
    if (folder / APPROVALS.name).is_file():
        said = APPROVALS.read(folder)
        if said["model_version"] == number:
            yield Happening(
                time=datetime.fromisoformat(said["asked_at"]),
                kind="approval",
                environment=said["environment"],
                outcome=said["outcome"],
                said=said["reason"] or ", ".join(said["approved_by"]),
                source=APPROVALS.name,
            )
    for settings in environments:
        for path in (folder / settings.endpoint_name).glob(f"*/{EVIDENCE.name}"):
            content = EVIDENCE.read(path.parent)
            if content.get("model_version") == number:
                yield Happening(
                    time=datetime.fromisoformat(content["ended_at"]),
                    kind="rehearsal" if content.get("rehearsal") else "release",
                    environment=settings.values.environment,
                    outcome=content["outcome"],
                    said=content["reason"],
                    source=EVIDENCE.name,
                )


def _checks(
    endpoint: Endpoint, number: int, environment: str, window: Window
) -> Iterator[Happening]:
    for name in (CHANGE, drift_result.CHECK, performance_result.CHECK):
        for row in endpoint.checks(name, window):
            if row.get("model_version") == number and not row.get("column", row.get("slice")):
                yield Happening(
                    time=datetime.fromisoformat(row["time"]),
                    kind=str(row.get("kind") or name) if name == CHANGE else name,
                    environment=environment,
                    outcome=str(row.get("outcome") or ""),
                    said=_said(name, row),
                    source=_CHECKS,
                )


def _said(name: str, row: Mapping[str, Any]) -> str:
    if name == CHANGE:
        return str(row.get("traffic") or "")
    if name == drift_result.CHECK:
        columns = f"{row.get('drifted_columns')} of {row.get('columns')} columns"
        return f"{columns}, {row.get('rows')} predictions"
    return f"{row.get('metric')} {row.get('value')} ({row.get('kind')}), {row.get('rows')} rows"
