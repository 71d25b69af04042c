"""Forgetting a key where the platform keeps rows: files are replaced, of a log a purge is asked.

The lines of a data collector name no key, but the predictions that the log's events name. So the
log goes last: once its rows are gone, nobody can tell any more which lines are the key's.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from mlops.artifacts.event_folders import EVENTS
from mlops.artifacts.forgotten import Forgetting
from mlops.errors import MlopsError, PlatformError
from mlops.forgetting.collected import without_rows
from mlops.forgetting.needle import Needle
from mlops.forgetting.places import Place
from mlops.forgetting.rows import Found, Unread, find, remove
from mlops.platforms.remote_rows import (
    FileChanged,
    RemoteEvent,
    RemoteFile,
    RemoteLog,
    RemoteRows,
    Store,
)
from mlops.progress import Report

_ATTEMPTS = 5

Keep = Callable[[Forgetting], None]
"""Keeps a request as it is now, so that a command that is killed has lost nothing of it."""


@dataclass(frozen=True)
class _Left:
    """A file's content without a key's rows, and what it had."""

    found: Found
    content: bytes


@dataclass
class _Seen:
    """What was met so far: tags of files without the key, files that are named, what is left."""

    clean: dict[str, str] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)
    pending: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class RemoteSearch:
    """The search for one key in what a platform keeps of one environment.

    Attributes:
        rows: what the platform keeps.
        needle: the key.
        model: whose events; others may be in the same place.
        environment: of these events.
        report: receives lines about the progress.
    """

    rows: RemoteRows
    needle: Needle
    model: str
    environment: str
    report: Report

    def look(self) -> tuple[Mapping[Store, int], tuple[str, ...]]:
        """Return how many rows there are by store, and what cannot be searched; change nothing."""
        seen, counts = _Seen(), dict.fromkeys(Store, 0)
        events = self._events(seen)
        counts[Store.LOGGED] = len(events)
        for file in self._files(events, seen):
            try:
                left = self._left(file, _ids(events))
            except (MlopsError, FileChanged) as error:
                self._name(seen, file, f"cannot be read ({_why(error)})")
                continue
            counts[file.store] += left[0].found.rows if left else 0
            if left and left[0].found.besides:
                self._name(seen, file, "has it")
        return {store: rows for store, rows in counts.items() if rows}, tuple(seen.pending)

    def clear(self, request: Forgetting, keep: Keep, now: datetime) -> Forgetting:
        """Remove the rows of files, search again, and then ask for the purge of those of the log.

        Args:
            request: as it is so far.
            keep: keeps it after each step.
            now: the time.

        Returns:
            It with what was removed and asked for; `pending` has what is left besides.
        """
        seen = _Seen()
        self.report("looking for the key in what the platform keeps")
        events = self._events(seen)
        endpoints = {each.endpoint for each in events}
        try:
            self.rows.files.tidy(endpoints)
        except MlopsError as error:
            seen.pending.append(f"{self.environment}: {_why(error)}")
        for file in self._files(events, seen):
            if rows := self._cleared(file, events, seen):
                request = request.with_removed(file.store, rows)
                keep(request)
        self.report("looking for it there again")
        for file in self._files(events, seen):
            if file.name not in seen.named and seen.clean.get(file.name) != file.tag:
                self._look_again(file, events, seen)
        if self.rows.log is not None:
            request = self._purge(self.rows.log, request, events, seen, keep, now)
        return replace(request, pending=(*request.pending, *dict.fromkeys(seen.pending)))

    def _events(self, seen: _Seen) -> list[RemoteEvent]:
        """Return the log's events of the key."""
        if self.rows.log is None:
            return []
        try:
            found = self.rows.log.events(self.needle.text, whole=self.needle.whole)
        except MlopsError as error:
            seen.pending.append(f"{self.environment}: {_why(error)}")
            return []
        return [each for each in found if self.needle.is_key(each.key)]

    def _files(self, events: Sequence[RemoteEvent], seen: _Seen) -> Iterator[RemoteFile]:
        try:
            yield from self.rows.files.listed({each.endpoint for each in events})
        except MlopsError as error:
            seen.pending.append(f"{self.environment}: {_why(error)}")

    def _cleared(self, file: RemoteFile, events: Sequence[RemoteEvent], seen: _Seen) -> int:
        """Replace a file by itself without the key's rows; return how many these were."""
        sent, rows = None, 0
        try:
            for _ in range(_ATTEMPTS):
                try:
                    if (found := self._left(file, _ids(events))) is None:
                        return 0
                    left, tag, content = found
                    if not left.found.rows:
                        if not left.found.besides:
                            seen.clean[file.name] = tag
                        # an answer that was lost is asked for again, and meets what it wrote
                        return rows if content == sent else 0
                    sent, rows = left.content, left.found.rows
                    self.rows.files.replace(file.name, tag, left.content)
                except FileChanged:
                    continue
                return rows
        except MlopsError as error:
            self._name(seen, file, f"stays ({_why(error)})")
            return 0
        self._name(seen, file, "is written to all the time: call again later")
        return 0

    def _look_again(self, file: RemoteFile, events: Sequence[RemoteEvent], seen: _Seen) -> None:
        try:
            found = self._left(file, _ids(events))
        except (MlopsError, FileChanged) as error:
            self._name(seen, file, f"cannot be read ({_why(error)})")
            return
        if found and found[0].found.rows:
            self._name(seen, file, "has it still")
        elif found and found[0].found.besides:
            self._name(seen, file, "has it")

    def _left(self, file: RemoteFile, ids: frozenset[str]) -> tuple[_Left, str, bytes] | None:
        """Return what a file has of the key with its tag and content; None: it is gone.

        Raises:
            FileChanged: it was written to while it was read.
            MlopsError: it cannot be read.
        """
        read = self.rows.files.read(file.name)
        if read is None:
            return None
        content, tag = read
        if file.store is Store.SCORED:
            return self._of_table(file, content), tag, content
        rows, rest = without_rows(content, self.needle, ids)
        return _Left(Found(rows, self.needle.stands_in(rest)), rest), tag, content

    def _of_table(self, file: RemoteFile, content: bytes) -> _Left:
        """Return what a table of events has of the key, by the same rules as one on this machine.

        Raises:
            MlopsError: it is no table.
        """
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "part.parquet")
            path.write_bytes(content)
            place = Place(path, EVENTS, file.name, rewritten=True)
            try:
                if not self._is_ours(path):
                    return _Left(Found(), content)
                found = find(place, self.needle)
                if found.rows:
                    remove(place, self.needle, lambda _old, _new: None)
            except (Unread, OSError, pl.exceptions.PolarsError) as error:
                said = str(error) if isinstance(error, Unread) else type(error).__name__
                raise PlatformError(f"it is damaged ({said})") from None
            return _Left(found, path.read_bytes())

    def _is_ours(self, path: Path) -> bool:
        """Tell whether a table's events are of this model and environment; all of one are alike."""
        names = ("model_name", "environment")
        first = pl.scan_parquet(path, glob=False).select(names).head(1).collect()
        return first.is_empty() or first.row(0) == (self.model, self.environment)

    def _purge(
        self,
        log: RemoteLog,
        request: Forgetting,
        events: Sequence[RemoteEvent],
        seen: _Seen,
        keep: Keep,
        now: datetime,
    ) -> Forgetting:
        """Ask how far earlier purges are, and for one of the rows that are there."""
        request = self._asked_after(log, request, seen)
        keep(request)
        if not events or request.purges.get(self.environment):
            return request
        if seen.pending:
            seen.pending.append(self._of_log("is asked for once the places above are done"))
            return request
        until = max(each.time for each in events) + self.rows.settles
        if now < until:
            at = f"{until.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
            said = f"is asked for after {at}, as lines of its newest event may still come"
            seen.pending.append(self._of_log(f"{said}: call again then"))
            return request
        ids, size = sorted(_ids(events)), self.rows.at_once
        for start in range(0, min(len(ids), size * self.rows.most), size):
            part = ids[start : start + size]
            try:
                operation = log.ask_for_purge(part)
            except MlopsError as error:
                seen.pending.append(self._of_log(f"was not taken: {_why(error)}"))
                break
            request = request.with_purge(self.environment, operation, len(part))
            keep(request)
            seen.pending.append(self._has_not_ended(operation, len(part)))
        return request

    def _asked_after(self, log: RemoteLog, request: Forgetting, seen: _Seen) -> Forgetting:
        """Count the rows of purges that have ended."""
        for operation, rows in request.purges.get(self.environment, {}).items():
            try:
                ended = log.is_purged(operation)
            except MlopsError as error:
                seen.pending.append(self._of_log(f"{operation} was asked for: {_why(error)}"))
                continue
            if ended:
                request = request.without_purge(self.environment, operation)
                request = request.with_removed(Store.LOGGED, rows)
            else:
                seen.pending.append(self._has_not_ended(operation, rows))
        return request

    def _has_not_ended(self, operation: str, rows: int) -> str:
        return self._of_log(
            f"{operation} of {rows:,} rows was asked for and has not ended, which may take 30 "
            "days: call again to see whether it has"
        )

    def _of_log(self, what: str) -> str:
        return f"{self.environment}, {Store.LOGGED}: the purge {what}"

    def _name(self, seen: _Seen, file: RemoteFile, what: str) -> None:
        """Say what is left of a file, once."""
        seen.named.add(file.name)
        name = self.needle.hidden_in(file.name)
        seen.pending.append(f"{self.environment}, {file.store}: {name} {what}")


def _ids(events: Sequence[RemoteEvent]) -> frozenset[str]:
    return frozenset(each.id for each in events)


def _why(error: Exception) -> str:
    if isinstance(error, MlopsError):
        return f"{error.message}: {error.remedy}" if error.remedy else error.message
    return "it is written to all the time"
