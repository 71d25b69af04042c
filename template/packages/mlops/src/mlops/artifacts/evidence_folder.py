"""The evidence of releases: where it is written, and the folder that is kept of it.

.mlops/releases/approvals.json
.mlops/releases/<endpoint>/<time>/evidence.json  evidence.md  evidence.png  candidate.log

What is kept beside a version has the same layout, and evidence-manifest.json with the hash of each
file.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from mlops.artifacts.documents import EVIDENCE_MANIFEST
from mlops.errors import ConfigError, Refused
from mlops.files import file_changes, file_hashes, file_sha256


def releases_folder(state_dir: Path) -> Path:
    """Return the folder below which releases write their evidence."""
    return state_dir / "releases"


def time_name(moment: datetime) -> str:
    """Return the name of what was written at a moment; the later one sorts last."""
    return f"{moment:%Y%m%dT%H%M%S.%f}Z"


def seal(folder: Path, about: Mapping[str, Any]) -> None:
    """Write the manifest of a folder of evidence: what it is about, and the hash of each file."""
    EVIDENCE_MANIFEST.write(folder, {**about, "files": file_hashes(folder)})


def seal_of(folder: Path) -> str:
    """Return the hash of a folder's manifest, which stands for all of its files.

    Raises:
        ConfigError: it has none.
    """
    path = folder / EVIDENCE_MANIFEST.name
    if not path.is_file():
        raise ConfigError(f"{folder} holds no {EVIDENCE_MANIFEST.name}")
    return file_sha256(path)


def verify_evidence(folder: Path, sealed: str) -> None:
    """Check that a folder holds just what was kept.

    Args:
        folder: what was fetched.
        sealed: what `seal_of` said when it was kept.

    Raises:
        ConfigError: it has no manifest.
        Refused: a file is another one, missing or new.
    """
    found = file_hashes(folder)
    listed = EVIDENCE_MANIFEST.read(folder)["files"]
    changed = found.pop(EVIDENCE_MANIFEST.name) != sealed
    names = file_changes(found, listed)
    if changed or names:
        what = ", ".join(names) or EVIDENCE_MANIFEST.name
        raise Refused(f"the evidence in {folder} is not what was kept: {what}")
