"""An audit log that was read as a whole: what is appended to it is in memory alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from typing_extensions import override

from mlops.governance.audit.log import read_lines
from mlops.governance.audit.record import retention_of
from mlops.governance.audit.verify import Verified, verify
from mlops.platforms.auditing import Anchor, AuditStore, Overtaken
from mlops.settings.loading import LoadedSettings


@dataclass
class Snapshot(AuditStore):
    """See `AuditStore`.

    Attributes:
        named: where it was read.
        files: the content of each file, by its name.
        newest: the anchor.
        earlier: what the anchor was before, in any order.
        commit: of the branch that it was read from; empty where there was none.
    """

    named: str
    files: dict[str, bytes] = field(default_factory=dict)
    newest: Anchor | None = None
    earlier: tuple[Anchor, ...] = ()
    commit: str = ""

    @classmethod
    def of(
        cls, named: str, files: Mapping[str, bytes], anchors: tuple[Anchor, ...], commit: str = ""
    ) -> "Snapshot":
        """Return a log of which these anchors are known."""
        newest = max(anchors, key=lambda each: each.count, default=None)
        return cls(named, dict(files), newest, anchors, commit)

    @override
    def place(self) -> str:
        return self.named

    @override
    def months(self) -> list[str]:
        return sorted(self.files)

    @override
    def read(self, month: str) -> bytes:
        return self.files.get(month, b"")

    @override
    def tail(self, month: str, longest: int) -> tuple[int, bytes]:
        content = self.read(month)
        return len(content), content[max(0, len(content) - longest) :]

    @override
    def append(self, month: str, line: bytes, at: int, anchor: Anchor) -> None:
        content = self.read(month)
        if len(content) != at:
            raise Overtaken(f"{month} has {len(content)} bytes, not {at}")
        self.files[month] = content + line
        if self.newest is None or self.newest.count <= anchor.count:
            self.newest = anchor

    @override
    def anchor(self) -> Anchor | None:
        return self.newest

    def verified(self, settings: LoadedSettings) -> Verified:
        """Return what verification finds in it, by each anchor that is known."""
        return verify(
            read_lines(self), self.newest, settings.clock(), retention_of(settings), self.earlier
        )
