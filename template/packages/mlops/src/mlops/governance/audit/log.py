"""Reading the audit log, and appending to it.

A writer reads the newest line, chains its own to it and appends it where the file ends. If another
writer was quicker the platform refuses, and it is done again: so both lines are there, and their
numbers say which was first. The last line of a month's file says that the next month goes on: a
writer whose clock lags behind meets it, and follows.
"""

import contextlib
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from mlops.errors import PlatformError, Refused
from mlops.governance.audit.entry import NOTHING_BEFORE, Act, Actor, Entry, Phase, Scalar, read_line
from mlops.hints import typed
from mlops.platforms.auditing import Anchor, AuditStore, Overtaken

_ATTEMPTS = 50
_WAITS = (0.1, 0.4, 1.6)
"""Seconds in which another writer may still move the anchor to the line that it has written."""
TAIL = 1 << 16
"""Bytes of the end of a file that are looked at to append; a line is much shorter."""
LONGEST_REASON = 2000
GOES_ON_IN = "goes_on_in"
CUT_OFF = "its last line is cut off"
_SEE = f"{typed('audit verify')} says what, docs/audit.md what to do"
UNANCHORED = "unanchored"
"""The detail of a line by which its writer says of how many lines before it no anchor knew."""


class BrokenLog(Refused):
    """The log is not what its anchor says."""


@dataclass(frozen=True)
class Note:
    """What is to be written down: an entry without its place in the chain."""

    act: Act
    phase: Phase
    actor: Actor
    environment: str
    subject: Mapping[str, str | int] = field(default_factory=dict)
    outcome: str = ""
    reason: str = ""
    details: Mapping[str, Scalar] = field(default_factory=dict)
    act_id: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass(frozen=True)
class _End:
    """Where a log ends.

    Attributes:
        month: the file that goes on; empty where there is none.
        length: of that file, in bytes.
        newest: the newest line that can be read.
        problem: what is wrong with the end, if anything is.
        hashes: of the newest lines, by their numbers.
    """

    month: str = ""
    length: int = 0
    newest: Entry | None = None
    problem: str = ""
    hashes: Mapping[int, str] = field(default_factory=dict)

    @property
    def number(self) -> int:
        return self.newest.number if self.newest else 0

    @property
    def closed_for(self) -> str:
        """The file that goes on after this one, if the newest line says so."""
        closes = self.newest is not None and self.newest.act is Act.MONTH
        return str(self.newest.details[GOES_ON_IN]) if closes and self.newest else ""


def read_lines(store: AuditStore) -> list[tuple[str, str]]:
    """Return the lines of a log with the file of each, in their order.

    Raises:
        NoAuditLog: the platform has no place for a log.
        PlatformError: it cannot be read for now.
    """
    found = []
    for month in store.months():
        text = store.read(month).decode("utf-8", errors="replace")
        found += [(month, line) for line in text.split("\n") if line]
    return found


def read_entries(store: AuditStore) -> tuple[Entry, ...]:
    """Return the entries of a log, oldest first; `verify` says whether they are to be believed.

    A line that cannot be read is left out.

    Raises:
        NoAuditLog: the platform has no place for a log.
        PlatformError: it cannot be read for now.
    """
    found = []
    for _, line in read_lines(store):
        with contextlib.suppress(ValueError):
            found.append(read_line(line))
    return tuple(found)


def append(store: AuditStore, note: Note, moment: datetime, *, over: bool = False) -> Entry:
    """Write a note down as the newest line, and move the anchor to it; return the line's entry.

    Args:
        store: where.
        note: what.
        moment: when, with its offset.
        over: go on also where the log ends otherwise than its anchor says.

    Raises:
        BrokenLog: the log ends otherwise than its anchor says; nothing was written.
        NotAnchored: the line is there, but the anchor could not be moved.
        NoAuditLog: the platform has no place for a log.
        PlatformError: it cannot be written, or others write all the time.
    """
    waits = iter(_WAITS)
    for _ in range(_ATTEMPTS):
        anchor, end = store.anchor(), _end_of(store)
        against = _against(store, anchor, end)
        if (problem := end.problem or against) and not over:
            raise BrokenLog(f"the audit log in {store.place()} is broken: {problem}", _SEE)
        last = max(end.number, anchor.count) if anchor else end.number
        behind = last - (anchor.count if anchor and not against else 0)
        if behind and not problem and (wait := next(waits, None)) is not None:
            time.sleep(wait)
            continue
        try:
            if entry := _written(store, end, last, _with_trace(note, behind), moment):
                return entry
        except Overtaken:
            continue
    raise PlatformError(
        f"other commands keep writing to the audit log in {store.place()}", "try again"
    )


def _written(store: AuditStore, end: _End, last: int, note: Note, moment: datetime) -> Entry | None:
    """Append a note; None if instead the line was written that closes the file of a month.

    Args:
        store: where.
        end: where the log ends.
        last: the highest number that was ever given; more than the newest line's if lines are gone.
        note: what.
        moment: when.
    """
    month, closes = end.closed_for, False
    if not month:
        month = max(f"{moment:%Y-%m}.jsonl", end.month)
        closes = bool(end.number) and month != end.month
    length = end.length if month == end.month else 0
    if closes:
        note = replace(
            note,
            act=Act.MONTH,
            phase=Phase.OUTCOME,
            subject={},
            outcome="",
            reason="",
            details={**_trace_of(note), GOES_ON_IN: month},
            act_id=uuid.uuid4().hex,
        )
        month, length = end.month, end.length
    entry = Entry(
        number=last + 1,
        act_id=note.act_id,
        time=moment,
        act=note.act,
        phase=note.phase,
        actor=note.actor,
        environment=note.environment,
        subject=dict(note.subject),
        outcome=note.outcome,
        reason=note.reason[:LONGEST_REASON],
        details=dict(note.details),
        previous=end.newest.sha256 if end.newest else NOTHING_BEFORE,
    ).sealed()
    start = "\n" if end.problem == CUT_OFF else ""
    line = f"{start}{entry.line()}".encode()
    store.append(month, line, length, Anchor(entry.number, entry.sha256))
    return None if closes else entry


def _end_of(store: AuditStore) -> _End:
    """Return where a log ends; the newest file may be made and empty still."""
    empty = ""
    for month in reversed(store.months()):
        length, content = store.tail(month, TAIL)
        if not length:
            empty = month
            continue
        end = _end_in(month, length, content)
        return end if not empty or end.closed_for else replace(end, month=empty, length=0)
    return _End(empty)


def _end_in(month: str, length: int, content: bytes) -> _End:
    texts = content.decode("utf-8", errors="replace").split("\n")
    cut_off = texts.pop()
    if len(content) < length:
        texts = texts[1:]
    read = [(text, _read(text)) for text in texts if text]
    entries = [entry for _, entry in read if entry]
    problem = ""
    if cut_off:
        problem = CUT_OFF
    elif not read or read[-1][1] is None:
        problem = f"the last line of {month} cannot be read"
    hashes = {each.number: each.sha256 for each in entries}
    return _End(month, length, entries[-1] if entries else None, problem, hashes)


def _read(text: str) -> Entry | None:
    try:
        return read_line(text)
    except ValueError:
        return None


def _against(store: AuditStore, anchor: Anchor | None, end: _End) -> str:
    """Return what of the end of a log contradicts its anchor; nothing where they agree.

    The whole log is read only where the anchored line is none of the newest, which is rare.
    """
    if anchor is None:
        return f"it has {end.number} lines and no anchor" if end.number else ""
    if anchor.count > end.number:
        return f"it ends with line {end.number}, and its anchor counts {anchor.count}"
    known = end.hashes
    if anchor.count not in known:
        known = {each.number: each.sha256 for each in read_entries(store)}
    if not anchor.count or known.get(anchor.count) == anchor.head:
        return ""
    return f"line {anchor.count} is not the one that was anchored"


def _with_trace(note: Note, behind: int) -> Note:
    return replace(note, details={**note.details, UNANCHORED: behind}) if behind else note


def _trace_of(note: Note) -> dict[str, Scalar]:
    return {UNANCHORED: note.details[UNANCHORED]} if UNANCHORED in note.details else {}
