"""An audit log in memory."""

from collections.abc import Callable

from mlops.errors import MlopsError
from mlops.platforms.auditing import Anchor, NotAnchored, Overtaken


class FakeAudit:
    """See `AuditStore`."""

    def __init__(self) -> None:
        self.name = "memory"
        self.files: dict[str, bytes] = {}
        self.kept: Anchor | None = None
        self.fails: MlopsError | None = None
        """What every use of it meets."""
        self.anchored = True
        """Whether the anchor can be moved."""
        self.before_append: Callable[[], None] = lambda: None
        """Called before each line is written."""
        self.reads = 0

    def place(self) -> str:
        return self.name

    def months(self) -> list[str]:
        self._used()
        return sorted(self.files)

    def read(self, month: str) -> bytes:
        self._used()
        return self.files.get(month, b"")

    def tail(self, month: str, longest: int) -> tuple[int, bytes]:
        content = self.read(month)
        return len(content), content[max(0, len(content) - longest) :]

    def append(self, month: str, line: bytes, at: int, anchor: Anchor) -> None:
        self._used()
        self.before_append()
        content = self.files.get(month, b"")
        if len(content) != at:
            raise Overtaken(f"{month} has {len(content)} bytes, not {at}")
        self.files[month] = content + line
        if not self.anchored:
            raise NotAnchored("the anchor cannot be moved")
        if self.kept is None or self.kept.count <= anchor.count:
            self.kept = anchor

    def anchor(self) -> Anchor | None:
        self._used()
        return self.kept

    def lines(self) -> list[str]:
        """Return all lines, without their newlines."""
        return [line for month in self.months() for line in self.files[month].decode().splitlines()]

    def _used(self) -> None:
        self.reads += 1
        if self.fails:
            raise self.fails
