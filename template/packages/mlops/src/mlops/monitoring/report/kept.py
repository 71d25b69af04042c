"""The evidence of releases that other machines made, from beside the versions."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlops.artifacts.documents import EVIDENCE
from mlops.errors import MlopsError
from mlops.platforms.base import Platform

_VERSIONS = 5


def kept_records(
    platform: Platform, environment: str, endpoint: str, folder: Path
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return what evidence.json of the newest versions' releases says, and what cannot be read.

    Args:
        platform: has the versions.
        environment: of which releases.
        endpoint: that of the environment.
        folder: evidence is fetched into it once.
    """
    records: list[dict[str, Any]] = []
    problems: list[str] = []
    try:
        newest = sorted(each.version for each in platform.versions())[-_VERSIONS:]
    except MlopsError as error:
        return [], [f"the list of versions: {error.message}"]
    for number in newest:
        try:
            records += _of_version(platform, number, environment, endpoint, folder / str(number))
        except MlopsError as error:
            problems.append(f"the evidence of version {number}: {error.message}")
    return records, problems


def _of_version(
    platform: Platform, number: int, environment: str, endpoint: str, folder: Path
) -> Iterator[dict[str, Any]]:
    for kept in platform.evidence(number):
        if kept.name.startswith(f"{environment}-"):
            target = folder / kept.name
            if not target.is_dir():
                platform.fetch_evidence(number, kept.name, target)
            for path in sorted((target / endpoint).glob(f"*/{EVIDENCE.name}")):
                yield EVIDENCE.read(path.parent)
