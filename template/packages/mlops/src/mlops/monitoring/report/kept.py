"""The evidence of releases: of this machine, and of others from beside the versions."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mlops.artifacts.documents import EVIDENCE
from mlops.errors import MlopsError
from mlops.platforms.base import Platform

_VERSIONS = 5
_ASKED = ("ended_at", "candidate", "outcome", "reason", "model_version", "traffic_after")
"""What the page tells of each release."""


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
            found, unread = _of_version(
                platform, number, environment, endpoint, folder / str(number)
            )
            records += found
            problems += unread
        except MlopsError as error:
            problems.append(f"the evidence of version {number}: {error.message}")
    return records, problems


def read_records(paths: Iterable[Path]) -> tuple[list[dict[str, Any]], list[str]]:
    """Return what files of evidence say, and which cannot be read; one hides no other."""
    records: list[dict[str, Any]] = []
    problems: list[str] = []
    for path in sorted(paths):
        try:
            found = EVIDENCE.read(path.parent)
        except MlopsError as error:
            problems.append(error.message)
        except OSError as error:
            problems.append(f"{path}: {error.strerror or type(error).__name__}")
        else:
            if lacks := [name for name in _ASKED if name not in found]:
                problems.append(f"{path} lacks {', '.join(lacks)}")
            else:
                records.append(found)
    return records, problems


def _of_version(
    platform: Platform, number: int, environment: str, endpoint: str, folder: Path
) -> tuple[list[dict[str, Any]], list[str]]:
    paths: list[Path] = []
    for kept in platform.evidence(number):
        if kept.name.startswith(f"{environment}-"):
            target = folder / kept.name
            if not target.is_dir():
                platform.fetch_evidence(number, kept.name, target)
            paths += (target / endpoint).glob(f"*/{EVIDENCE.name}")
    return read_records(paths)
