"""What a platform keeps away from this machine, in memory."""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

from mlops.errors import MlopsError
from mlops.platforms.remote_rows import FileChanged, RemoteEvent, RemoteFile, RemoteRows, Store


class Files:
    """Files by their names; a content is its own tag."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.failing: dict[str, MlopsError] = {}
        self.unlisted: MlopsError | None = None
        self.before_replace: Callable[[str], None] = lambda _name: None
        self.before_list: Callable[[int], None] = lambda _times: None
        self.endpoints: list[set[str]] = []
        self.reads: list[str] = []
        self.tidied = 0

    def listed(self, endpoints: Collection[str]) -> Iterator[RemoteFile]:
        self.endpoints.append(set(endpoints))
        self.before_list(len(self.endpoints))
        if self.unlisted:
            raise self.unlisted
        for name in sorted(self.kept):
            store = Store.SCORED if name.endswith(".parquet") else Store.COLLECTED
            yield RemoteFile(name, str(hash(self.kept[name])), store)

    def read(self, name: str) -> tuple[bytes, str] | None:
        self.reads.append(name)
        if name in self.failing:
            raise self.failing[name]
        content = self.kept.get(name)
        return None if content is None else (content, str(hash(content)))

    def replace(self, name: str, tag: str, content: bytes) -> None:
        self.before_replace(name)
        if str(hash(self.kept.get(name))) != tag:
            raise FileChanged
        self.kept[name] = content

    def tidy(self, endpoints: Collection[str]) -> None:
        assert endpoints is not None
        self.tidied += 1


class Log:
    """Events, and purges of them that end when a test says so."""

    def __init__(self) -> None:
        self.kept: list[RemoteEvent] = []
        self.asked: list[tuple[str, ...]] = []
        self.ended: set[str] = set()
        self.unread: MlopsError | None = None
        self.refusal: MlopsError | None = None
        self.untold: MlopsError | None = None

    def events(self, key: str, *, whole: bool) -> list[RemoteEvent]:
        assert key
        assert not whole
        if self.unread:
            raise self.unread
        return list(self.kept)

    def ask_for_purge(self, ids: Sequence[str]) -> str:
        if self.refusal:
            raise self.refusal
        self.asked.append(tuple(ids))
        return f"purge-{len(self.asked)}"

    def is_purged(self, operation: str) -> bool:
        if self.untold:
            raise self.untold
        return operation in self.ended

    def complete(self) -> None:
        """Let all purges end."""
        for number, ids in enumerate(self.asked, 1):
            self.ended.add(f"purge-{number}")
            self.kept = [each for each in self.kept if each.id not in ids]

    def happened(self, key: str, *ids: str, at: datetime) -> None:
        """Let predictions of a key have been made."""
        self.kept += [RemoteEvent(each, key, "tiny-prod", at) for each in ids]


def remote(**options: Any) -> tuple[RemoteRows, Files, Log]:
    """Return what is kept: no file, and no event."""
    files, log = Files(), Log()
    return RemoteRows(files, log, **options), files, log
