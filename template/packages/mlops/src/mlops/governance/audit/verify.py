"""Whether the audit log is whole; if not, which line is wrong, and how.

What a hash chain alone cannot show (the last lines removed, everything after some line computed
anew) shows by the anchor, which is kept in another place.

What a person accepted counts by the anchor too: who can write to the files alone accepts nothing.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from mlops.governance.audit.entry import NOTHING_BEFORE, Act, Entry, Phase, read_line
from mlops.governance.audit.log import UNANCHORED
from mlops.platforms.auditing import Anchor

_SHORT = 16
"""Characters of a hash by which an acceptance names what it saw."""


class Wrong(StrEnum):
    """What is wrong with a line."""

    UNREADABLE = "unreadable"
    CHANGED = "changed"
    """Its content is not that of its hash."""
    REMOVED = "removed"
    INSERTED = "inserted"
    REORDERED = "reordered"
    FORKED = "forked"
    """It follows a line that another one follows as well."""
    REPLACED = "replaced"
    """It does not follow the line before it, although its number does."""
    RECOMPUTED = "recomputed"
    """The chain is sound, but it is not the one that was anchored."""
    NO_ANCHOR = "no anchor"
    NOT_ANCHORED = "not anchored"
    """It stands after the line that the anchor knows."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        kind: what.
        number: the line's number; of several lines, the first one's.
        where: the file and the line in it, as people find it.
        sentence: what is wrong, in words.
        seen: what stands there: a hash of the content, of missing lines the last one's number.
    """

    kind: Wrong
    number: int
    where: str
    sentence: str
    seen: str

    @property
    def key(self) -> str:
        """How an acceptance names it: just what was found then, and nothing that is done later."""
        return f"{self.kind.name.lower()}@{self.number}:{self.seen[:_SHORT]}"

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON says it."""
        return {
            "kind": self.kind.value,
            "number": self.number,
            "where": self.where,
            "sentence": self.sentence,
        }


@dataclass(frozen=True)
class Verified:
    """What was found.

    Attributes:
        count: the lines that are there.
        findings: what is wrong.
        accepted: what is wrong and was accepted by a later line.
        remarks: what an auditor should know, though nothing is wrong.
        open_acts: intents without an outcome.
        newest: the newest line that can be read.
    """

    count: int
    findings: tuple[Finding, ...]
    accepted: tuple[Finding, ...]
    remarks: tuple[str, ...]
    open_acts: tuple[Entry, ...]
    newest: Entry | None

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong that nobody has accepted."""
        return not self.findings

    @property
    def sentence(self) -> str:
        """What is wrong, in words: the first finding, and how many more there are."""
        more = f", and {len(self.findings) - 1} more" if len(self.findings) > 1 else ""
        return f"{self.findings[0].sentence}{more}" if self.findings else ""

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON says it."""
        return {
            "schema": 1,
            "whole": self.whole,
            "lines": self.count,
            "head": self.newest.sha256 if self.newest else None,
            "findings": [each.to_dict() for each in self.findings],
            "accepted": [each.to_dict() for each in self.accepted],
            "remarks": list(self.remarks),
            "intents_without_outcome": [each.to_dict() for each in self.open_acts],
        }


@dataclass(frozen=True)
class _Line:
    """A line as it is read: where it stands, its text, and what it says if that can be read."""

    where: str
    text: str
    entry: Entry | None


def verify(
    lines: Sequence[tuple[str, str]],
    anchor: Anchor | None,
    now: datetime,
    retention: timedelta,
    earlier: Sequence[Anchor] = (),
) -> Verified:
    """Check every line, the chain and its end.

    Args:
        lines: the file and the text of each, in their order.
        anchor: what is known of the newest line from elsewhere.
        now: the present time.
        retention: how long lines are kept: older ones may be missing from the beginning.
        earlier: what the anchor was before, where that is known.
    """
    read = list(_read(lines))
    entries = [each.entry for each in read if each.entry]
    findings = [*_in_order(read, now - retention), *_by_anchor(entries, anchor)]
    findings += _by_earlier(entries, anchor, earlier)
    allowed = {
        key
        for entry in _acceptances(entries, anchor)
        for key in str(entry.details.get("findings", "")).split(" ")
    }
    accepted = [each for each in findings if each.key in allowed]
    return Verified(
        count=len(lines),
        findings=tuple(each for each in findings if each not in accepted),
        accepted=tuple(accepted),
        remarks=tuple(_remarks(entries)),
        open_acts=tuple(open_acts(entries)),
        newest=entries[-1] if entries else None,
    )


def open_acts(entries: Sequence[Entry]) -> list[Entry]:
    """Return the intents of which no outcome is known, oldest first."""
    ended = {each.act_id for each in entries if each.phase is Phase.OUTCOME}
    return [each for each in entries if each.phase is Phase.INTENT and each.act_id not in ended]


def _acceptances(entries: Sequence[Entry], anchor: Anchor | None) -> list[Entry]:
    """Return the acceptances that count: hashes lead to each from the line that is anchored.

    One that its own writer did not anchor does not count, since a later line says so.
    """
    if anchor is None or all(each.act is not Act.ACCEPTANCE for each in entries):
        return []
    sound = {each.sha256: each for each in entries if each.sha256 == each.computed_hash()}
    found: list[Entry] = []
    unanchored: set[int] = set()
    line = sound.get(anchor.head)
    while line is not None:
        found.append(line)
        behind = line.details.get(UNANCHORED)
        if isinstance(behind, int):
            unanchored |= set(range(line.number - behind, line.number))
        line = sound.get(line.previous)
    return [each for each in found if each.act is Act.ACCEPTANCE and each.number not in unanchored]


def _read(lines: Sequence[tuple[str, str]]) -> Iterator[_Line]:
    counts: dict[str, int] = {}
    for month, text in lines:
        counts[month] = counts.get(month, 0) + 1
        where = f"{month}, line {counts[month]}"
        try:
            yield _Line(where, text, read_line(text))
        except ValueError:
            yield _Line(where, text, None)


def _in_order(lines: Sequence[_Line], oldest: datetime) -> Iterator[Finding]:
    """Yield what is wrong with lines and with the order in which they stand."""
    numbers = {each.entry.number for each in lines if each.entry}
    hashes: set[str] = set()
    before: Entry | None = None
    lost = 0
    for line in lines:
        entry = line.entry
        if entry is None:
            lost += 1
            number = before.number + 1 if before else 1
            said = f"{line.where} is not a line of an audit log: it was changed, or cut off"
            seen = hashlib.sha256(line.text.encode()).hexdigest()
            yield Finding(Wrong.UNREADABLE, number, line.where, said, seen)
            continue
        computed = entry.computed_hash()
        if entry.sha256 != computed:
            said = (
                f"line {entry.number} ({line.where}) was changed: it has another hash than it says"
            )
            yield Finding(Wrong.CHANGED, entry.number, line.where, said, computed)
        found = _begins(entry, line.where, oldest) if before is None else None
        if before is not None:
            found = _follows(before, entry, line.where, numbers, hashes)
        explained = found and _is_explained(found, lost)
        if found and not explained and not _goes_on_all_the_same(entry, before, found):
            yield found
        lost = 0
        hashes.add(entry.sha256)
        before = entry


def _is_explained(found: Finding, lost: int) -> bool:
    """Tell whether as many lines stand there as are missing, and just cannot be read."""
    return found.kind is Wrong.REMOVED and int(found.seen) - found.number < lost


def _goes_on_all_the_same(entry: Entry, before: Entry | None, found: Finding) -> bool:
    """Tell whether a line accepts the order in which it was found, and follows the last line."""
    accepts = entry.act is Act.ACCEPTANCE and found.kind is Wrong.REORDERED
    return accepts and before is not None and entry.previous == before.sha256


def _begins(entry: Entry, where: str, oldest: datetime) -> Finding | None:
    """Return what is wrong with the first line that is there."""
    if entry.number == 1 and entry.previous == NOTHING_BEFORE:
        return None
    if entry.number > 1 and entry.time < oldest:
        return None
    before = f"lines 1 to {entry.number - 1} were" if entry.number > 2 else "line 1 was"
    said = f"{before} removed: the log begins with line {entry.number} ({where})"
    return Finding(Wrong.REMOVED, 1, where, said, str(entry.number - 1))


def _follows(
    before: Entry, entry: Entry, where: str, numbers: set[int], hashes: set[str]
) -> Finding | None:
    """Return what is wrong with a line after the one before it."""
    if entry.number == before.number + 1 and entry.previous == before.sha256:
        return None
    name = f"line {entry.number} ({where})"
    if entry.number > before.number + 1:
        missing = range(before.number + 1, entry.number)
        if all(number in numbers for number in missing):
            said = f"{name} stands before line {missing[0]}: lines were reordered"
            return Finding(Wrong.REORDERED, entry.number, where, said, entry.sha256)
        lines = (
            f"lines {missing[0]} to {missing[-1]} were"
            if len(missing) > 1
            else (f"line {missing[0]} was")
        )
        said = f"{lines} removed: {name} comes after line {before.number}"
        return Finding(Wrong.REMOVED, missing[0], where, said, str(missing[-1]))
    if entry.number == before.number + 1:
        said = (
            f"{name} does not follow the line before it: line {before.number} was replaced, and "
            "its hash computed anew"
        )
        return Finding(Wrong.REPLACED, before.number, where, said, before.sha256)
    if entry.previous in hashes and entry.number == before.number:
        said = f"{name} follows the same line as the one before it: two writers forked the log"
        return Finding(Wrong.FORKED, entry.number, where, said, entry.sha256)
    if entry.number == before.number:
        said = f"{name} has a number that is taken: a line was inserted"
        return Finding(Wrong.INSERTED, entry.number, where, said, entry.sha256)
    said = f"{name} stands after line {before.number}: lines were reordered"
    return Finding(Wrong.REORDERED, entry.number, where, said, entry.sha256)


def _by_anchor(entries: Sequence[Entry], anchor: Anchor | None) -> Iterator[Finding]:
    """Yield what contradicts the anchor."""
    last = max((each.number for each in entries), default=0)
    if anchor is None:
        if entries:
            said = f"there is no anchor for the {len(entries)} lines: it was removed"
            yield Finding(Wrong.NO_ANCHOR, last, "the anchor", said, entries[-1].sha256)
        return
    if anchor.count > last:
        lines = (
            f"lines {last + 1} to {anchor.count} were"
            if anchor.count > last + 1
            else (f"line {anchor.count} was")
        )
        said = f"{lines} removed: the anchor counts {anchor.count} lines, and the log ends before"
        yield Finding(Wrong.REMOVED, last + 1, "the end", said, str(anchor.count))
        return
    known = [each.sha256 for each in entries if each.number == anchor.count]
    if anchor.count and anchor.head not in known:
        said = (
            f"line {anchor.count} is not the one that was anchored: the chain was computed anew, "
            "up to there or from an earlier line on"
        )
        yield Finding(Wrong.RECOMPUTED, anchor.count, "the anchor", said, " ".join(known))
        return
    for each in entries:
        if each.number > anchor.count:
            said = (
                f"line {each.number} is not anchored: its writer was cut off, or it was added by "
                "something else than these commands"
            )
            yield Finding(Wrong.NOT_ANCHORED, each.number, "the end", said, each.sha256)


def _by_earlier(
    entries: Sequence[Entry], anchor: Anchor | None, earlier: Sequence[Anchor]
) -> Iterator[Finding]:
    """Yield which lines are no longer those that were anchored once; a gap shows by itself."""
    hashes: dict[int, set[str]] = {}
    for each in entries:
        hashes.setdefault(each.number, set()).add(each.sha256)
    for count, head in sorted({(each.count, each.head) for each in earlier if each != anchor}):
        if head not in hashes.get(count, {head}):
            said = (
                f"line {count} is another one than was anchored once: the chain was computed anew, "
                "up to there or from an earlier line on"
            )
            seen = " ".join(sorted(hashes[count]))
            yield Finding(Wrong.RECOMPUTED, count, "an earlier anchor", said, seen)


def _remarks(entries: Sequence[Entry]) -> Iterator[str]:
    if entries and entries[0].number > 1:
        yield (
            f"the log begins with line {entries[0].number}, of "
            f"{entries[0].time:%Y-%m-%d}: what is older than the retention was removed"
        )
    for entry in entries:
        if entry.act is Act.ACCEPTANCE:
            yield (
                f"{entry.actor.name} accepted what was found ({entry.details.get('findings')}) in "
                f"line {entry.number}: {entry.reason}"
            )
        elif count := entry.details.get(UNANCHORED):
            yield (
                f"the anchor lagged {count} lines behind when line {entry.number} was written: "
                "the writer before it was cut off, or they were added by something else"
            )
