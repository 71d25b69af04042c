"""Which version a run became."""

from mlops.artifacts.version_folder import VersionFolder
from mlops.errors import MlopsError
from mlops.platforms.base import ModelVersion, Platform, Run


def registered_as(platform: Platform, run: Run) -> int | None:
    """Return the version that was made of a run, or None."""
    made = (each.version for each in platform.versions() if _origin(each) == run.run_id)
    return next(made, None)


def _origin(version: ModelVersion) -> str:
    """Return the run that a version was made of; nothing if neither tags nor files say so."""
    if "run_id" in version.tags:
        return version.tags["run_id"]
    try:
        return str(VersionFolder(version.folder).lineage()["run_id"])
    except MlopsError:
        return ""
