"""The logs that the jobs of a run left: each is read as it came, and verified first."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mlops.artifacts.documents import AUDIT_ANCHOR
from mlops.errors import ConfigError
from mlops.governance.audit.entry import Entry
from mlops.governance.audit.log import read_entries
from mlops.governance.audit.verify import Verified
from mlops.ops.audit_branch.snapshot import Snapshot
from mlops.platforms.auditing import MONTH, Anchor
from mlops.settings.loading import LoadedSettings

_LOG, _REGISTRY = "audit", "registry"


@dataclass(frozen=True)
class Collected:
    """One job's log.

    Attributes:
        name: of the folder that it came in.
        entries: those that can be read, in their order.
        found: what verification found.
        sha256: of all of its bytes.
    """

    name: str
    entries: tuple[Entry, ...]
    found: Verified
    sha256: str


def collected_in(folder: Path, settings: LoadedSettings) -> tuple[Collected, ...]:
    """Return the logs below a folder, in order of their names; none where it is not there.

    A log is a folder `audit` of files of months, with its anchor beside it in `registry/<model>`,
    as a job has them in `.mlops`.
    """
    return tuple(_read(root, folder, settings) for root in sorted(set(_roots(folder))))


def _roots(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*.jsonl"):
        if re.fullmatch(MONTH, path.name) and path.parent.name == _LOG:
            yield path.parent.parent
    for path in folder.rglob(AUDIT_ANCHOR.name):
        if path.parent.parent.name == _REGISTRY:
            yield path.parents[2]


def _read(root: Path, folder: Path, settings: LoadedSettings) -> Collected:
    paths = sorted((root / _LOG).glob("*.jsonl"))
    files = {path.name: path.read_bytes() for path in paths if re.fullmatch(MONTH, path.name)}
    name = root.relative_to(folder).as_posix() if root != folder else folder.name
    log = Snapshot.of(name, files, tuple(_anchors(root)))
    digest = hashlib.sha256()
    for month, content in files.items():
        digest.update(f"{month}\0{len(content)}\0".encode() + content)
    return Collected(name, read_entries(log), log.verified(settings), digest.hexdigest())


def _anchors(root: Path) -> Iterator[Anchor]:
    """Yield the anchor of a log; one that cannot be read is none."""
    for path in sorted((root / _REGISTRY).glob(f"*/{AUDIT_ANCHOR.name}")):
        try:
            content = AUDIT_ANCHOR.read(path.parent)
            yield Anchor(int(content["count"]), str(content["head"]))
        except (ConfigError, KeyError, TypeError, ValueError):
            continue
