"""The audit log on this machine: `.mlops/audit`, a file a month, and its anchor in the registry.

The anchor lies beside the versions of the model and not among MLflow's tags, since a release and a
rollback do without MLflow's database, and opening it takes longer than all of `mlops monitor`.
"""

import os
import re
from pathlib import Path

from filelock import FileLock, Timeout
from typing_extensions import override

from mlops.artifacts.documents import AUDIT_ANCHOR
from mlops.errors import ConfigError, PlatformError
from mlops.full_disk import writing
from mlops.platforms.auditing import MONTH, Anchor, AuditStore, NotAnchored, Overtaken

_LOCK_SECONDS = 30.0


class LocalAudit(AuditStore):
    """See `AuditStore`.

    Args:
        folder: of the log.
        registry: the folder of the model's versions.
    """

    def __init__(self, folder: Path, registry: Path) -> None:
        self._folder = folder
        self._registry = registry

    @override
    def place(self) -> str:
        return str(self._folder)

    @override
    def months(self) -> list[str]:
        return sorted(
            path.name for path in self._folder.glob("*") if re.fullmatch(MONTH, path.name)
        )

    @override
    def read(self, month: str) -> bytes:
        path = self._folder / month
        return path.read_bytes() if path.is_file() else b""

    @override
    def tail(self, month: str, longest: int) -> tuple[int, bytes]:
        path = self._folder / month
        if not path.is_file():
            return 0, b""
        with path.open("rb") as stream:
            length = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, length - longest))
            return length, stream.read()

    @override
    def append(self, month: str, line: bytes, at: int, anchor: Anchor) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / month
        lock = FileLock(self._folder / ".lock")
        try:
            lock.acquire(timeout=_LOCK_SECONDS)
        except Timeout:
            raise PlatformError(
                f"{lock.lock_file} was held by another command for {_LOCK_SECONDS:.0f} s",
                "try again",
            ) from None
        try:
            if self.tail(month, 0)[0] != at:
                raise Overtaken(f"another command has written to {path}", "try again")
            _append(path, line, at)
            self._set_anchor(anchor)
        finally:
            lock.release()

    @override
    def anchor(self) -> Anchor | None:
        if not (self._registry / AUDIT_ANCHOR.name).is_file():
            return None
        try:
            content = AUDIT_ANCHOR.read(self._registry)
            return Anchor(int(content["count"]), str(content["head"]))
        except (ConfigError, KeyError, TypeError, ValueError) as error:
            raise PlatformError(
                f"the anchor of the audit log cannot be read: {error}",
                "docs/audit.md says what to do",
            ) from None

    def _set_anchor(self, anchor: Anchor) -> None:
        known = self.anchor()
        if known is not None and known.count > anchor.count:
            return
        try:
            content = {"count": anchor.count, "head": anchor.head}
            AUDIT_ANCHOR.write(self._registry, content)
        except OSError as error:
            raise NotAnchored(f"the anchor of the audit log cannot be written: {error}") from None


def _append(path: Path, line: bytes, at: int) -> None:
    """Append a line so that it outlives a loss of power; no part of it stays if it does not fit."""
    with writing(path), path.open("ab") as stream:
        try:
            stream.write(line)
            stream.flush()
            os.fsync(stream.fileno())
        except BaseException:
            os.truncate(path, at)
            raise
