"""What a platform does about the audit log: it keeps its lines, and apart from them its anchor.

Lines stand in one file a month, such as `2026-11.jsonl`. What they say is nothing to a platform:
see `mlops.governance.audit`.
"""

from dataclasses import dataclass
from typing import Protocol

from mlops.errors import ConfigError, PlatformError

MONTH = r"[0-9]{4}-[0-9]{2}\.jsonl"
"""How files of a log are called, as a pattern."""


@dataclass(frozen=True)
class Anchor:
    """The newest line as it is known in another place than the log: its number and its hash."""

    count: int
    head: str

    def text(self) -> str:
        """Return it as a tag says it."""
        return f"{self.count}:{self.head}"

    @classmethod
    def read(cls, text: str) -> "Anchor":
        """Return the anchor that a tag says.

        Raises:
            ValueError: it says none.
        """
        count, _, head = text.partition(":")
        return cls(int(count), head)


class Overtaken(PlatformError):
    """Another writer was quicker: what was to be appended does not follow the newest line."""


class NotAnchored(PlatformError):
    """A line was written, and the anchor could not be moved to it."""


class NoAuditLog(ConfigError):
    """The platform has no place for an audit log, or who runs this may not use it."""


class AuditStore(Protocol):
    """Where the lines of an audit log are kept, and its anchor.

    Every method raises `NoAuditLog` where there is no place for a log, and `PlatformError` where
    that place cannot be used for now.
    """

    def place(self) -> str:
        """Return where the log is, in the platform's own words."""

    def months(self) -> list[str]:
        """Return the names of its files, such as `2026-11.jsonl`, oldest first."""

    def read(self, month: str) -> bytes:
        """Return the content of a file; nothing if there is none."""

    def tail(self, month: str, longest: int) -> tuple[int, bytes]:
        """Return the length of a file, and at most so many of its last bytes."""

    def append(self, month: str, line: bytes, at: int, anchor: Anchor) -> None:
        """Append a line to a file that is just so long, then move the anchor to it.

        A file of length 0 is made if need be. An anchor that counts more lines stays.

        Raises:
            Overtaken: the file has another length; nothing was written.
            NotAnchored: the line is there, and the anchor is as it was.
        """

    def anchor(self) -> Anchor | None:
        """Return the anchor, or None where none was set."""


class Audited(Protocol):
    """What of a platform the audit log needs."""

    def audit(self) -> AuditStore:
        """Return the audit log of the settings' environment, whether or not it has lines."""
