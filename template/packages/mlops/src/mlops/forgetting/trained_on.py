"""Which versions were trained on a key, by the training parts of their runs."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from mlops.artifacts.prepared import train_file
from mlops.artifacts.run_folder import RunFolder
from mlops.artifacts.version_folder import VersionFolder
from mlops.errors import MlopsError
from mlops.platforms.base import ModelVersion, Platform


@dataclass(frozen=True)
class TrainedOn:
    """Versions by what is known of them, in order of their numbers."""

    versions: tuple[int, ...]
    not_known: tuple[int, ...]


def run_of_training_part(path: Path, state_dir: Path) -> str | None:
    """Return the run whose training part a file is; None: it is none."""
    runs = state_dir / "runs"
    if not path.is_relative_to(runs):
        return None
    run = path.relative_to(runs).parts[0]
    return run if path == train_file(RunFolder(runs / run).prepared_path) else None


def trained_on(platform: Platform, state_dir: Path, runs: Collection[str]) -> TrainedOn:
    """Sort the versions.

    A version is one of a key's if its run is; it is not if the run's training part is here and has
    not had the key; else nobody knows.

    Args:
        platform: has the versions.
        state_dir: the project's, which has the runs.
        runs: those whose training parts had the key.
    """
    yes, unknown = [], []
    for version in platform.versions():
        run = _run(version)
        if run in runs:
            yes.append(version.version)
        elif not run or not train_file(RunFolder(state_dir / "runs" / run).prepared_path).is_file():
            unknown.append(version.version)
    return TrainedOn(tuple(yes), tuple(unknown))


def _run(version: ModelVersion) -> str:
    """Return the run of a version; nothing where it cannot be read."""
    if "run_id" in version.tags:
        return version.tags["run_id"]
    try:
        return str(VersionFolder(version.folder).lineage()["run_id"])
    except (MlopsError, KeyError):
        return ""
