"""The evidence of a version's releases, kept beside the version: the pipeline's own is deleted."""

import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from mlops.artifacts.documents import APPROVALS, EVIDENCE
from mlops.artifacts.evidence_folder import seal, time_name
from mlops.errors import Hold
from mlops.files import file_hashes
from mlops.platforms.base import KeptEvidence, Platform


@dataclass(frozen=True)
class Releases:
    """The releases of one version to one environment, whose evidence lies in a folder.

    Attributes:
        folder: where it lies, as `mlops release` and `mlops approvals` write it.
        environment: where to, such as prod.
        endpoint: the environment's endpoint.
        model_version: what was to be released.
    """

    folder: Path
    environment: str
    endpoint: str
    model_version: int


@dataclass(frozen=True)
class Kept:
    """What was kept: its files, and how the releases and approvals ended that they tell of."""

    evidence: KeptEvidence
    files: tuple[str, ...]
    outcomes: tuple[str, ...]


def keep_releases(platform: Platform, releases: Releases) -> Kept:
    """Keep the evidence of a version's releases to an environment beside the version.

    Raises:
        ConfigError: there is no such version, or a file of the evidence cannot be read.
        Hold: there is no evidence of it.
        Refused: other evidence is kept by the same name.
    """
    found = _read(releases)
    mine = {path: each for path, each in found.items() if _concerns(each, releases)}
    if not mine:
        raise _nothing(releases, found.values())
    environment, number = releases.environment, releases.model_version
    name = f"{environment}-{time_name(max(map(_moment, mine.values())))}"
    outcomes = [str(each["outcome"]) for each in mine.values()]
    about = {"environment": environment, "model_version": number, "outcomes": outcomes}
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / name
        folder.mkdir()
        for path in mine:
            _copy(path, folder / path.relative_to(releases.folder))
        files = tuple(file_hashes(folder))
        seal(folder, {"name": name, **about})
        return Kept(platform.keep_evidence(number, name, folder), files, tuple(outcomes))


def _read(releases: Releases) -> dict[Path, dict[str, Any]]:
    """Return what the files say: who approved, and how each release of the endpoint ended."""
    approvals = releases.folder / APPROVALS.name
    found = {}
    if approvals.is_file():
        asked = APPROVALS.read(releases.folder)
        if asked["environment"] == releases.environment:
            # one that does not name the version is of the same run all the same
            found[approvals] = {
                **asked,
                "model_version": asked["model_version"] or releases.model_version,
            }
    for path in sorted((releases.folder / releases.endpoint).glob(f"*/{EVIDENCE.name}")):
        content = EVIDENCE.read(path.parent)
        # not said by releases of before
        found[path] = {"model_version": content["versions"].get(content["candidate"]), **content}
    return found


def _copy(path: Path, target: Path) -> None:
    """Copy who approved; of a release all that lies beside its file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.name == APPROVALS.name:
        shutil.copyfile(path, target)
    else:
        shutil.copytree(path.parent, target.parent, dirs_exist_ok=True)


def _nothing(releases: Releases, found: Iterable[dict[str, Any]]) -> Hold:
    others = sorted({str(each["model_version"]) for each in found})
    instead = f" (there is some of {', '.join(others)})" if others else ""
    return Hold(
        f"there is no evidence of a release of version {releases.model_version} to "
        f"{releases.environment} in {releases.folder}{instead}, so none is kept",
        "name the folder that the release wrote with --folder",
    )


def _concerns(content: dict[str, Any], releases: Releases) -> bool:
    return bool(content["model_version"] == releases.model_version)


def _moment(content: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(content.get("ended_at") or content["asked_at"])
