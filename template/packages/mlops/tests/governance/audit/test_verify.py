"""Whatever is done to the log is named: which line, and how."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from fakes.audit import FakeAudit
from fakes.audit_lines import WHEN, a_log, note
from mlops.governance.audit import log
from mlops.governance.audit.entry import Act, Entry, Phase, read_line
from mlops.governance.audit.log import BrokenLog, append, read_entries, read_lines
from mlops.governance.audit.verify import Verified, verify
from mlops.platforms.auditing import Anchor

YEAR = timedelta(days=365)
MONTH = "2026-11.jsonl"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "_WAITS", (0.0, 0.0))


def found_in(lines: list[str], anchor: Anchor | None) -> Verified:
    return verify([("2026-11.jsonl", line) for line in lines], anchor, WHEN, YEAR)


def chained(entries: list[Entry]) -> list[str]:
    """Return the lines of entries with numbers, chain and hashes computed anew."""
    lines: list[str] = []
    previous = "0" * 64
    for number, entry in enumerate(entries, start=1):
        new = replace(entry, number=number, previous=previous).sealed()
        previous = new.sha256
        lines.append(new.line().rstrip("\n"))
    return lines


def changed(line: str) -> str:
    return line.replace('"outcome":"done"', '"outcome":"failed"')


def rehashed(line: str) -> str:
    return replace(read_line(line), outcome="failed").sealed().line().rstrip("\n")


def recomputed(lines: list[str], start: int) -> list[str]:
    entries = [read_line(each) for each in lines]
    entries[start] = replace(entries[start], outcome="failed")
    return chained(entries)


DEEDS: dict[str, tuple[Callable[[list[str]], list[str]], tuple[str, int]]] = {
    "a line changed": (lambda x: [*x[:2], changed(x[2]), *x[3:]], ("changed", 3)),
    "the first line changed": (lambda x: [changed(x[0]), *x[1:]], ("changed", 1)),
    "the last line changed": (lambda x: [*x[:4], changed(x[4])], ("changed", 5)),
    "a line changed, its hash computed anew": (
        lambda x: [*x[:2], rehashed(x[2]), *x[3:]],
        ("replaced", 3),
    ),
    "the last line changed, its hash computed anew": (
        lambda x: [*x[:4], rehashed(x[4])],
        ("recomputed", 5),
    ),
    "the chain computed anew": (lambda x: recomputed(x, 2), ("recomputed", 5)),
    "the first line removed": (lambda x: x[1:], ("removed", 1)),
    "a line removed": (lambda x: [*x[:2], *x[3:]], ("removed", 3)),
    "two lines removed": (lambda x: [x[0], *x[3:]], ("removed", 2)),
    "the last line removed": (lambda x: x[:4], ("removed", 5)),
    "the last lines removed": (lambda x: x[:2], ("removed", 3)),
    "all lines removed": (lambda _x: [], ("removed", 1)),
    "a line removed, the chain computed anew": (
        lambda x: chained([read_line(each) for each in [*x[:2], *x[3:]]]),
        ("removed", 5),
    ),
    "two lines swapped": (lambda x: [x[0], x[2], x[1], *x[3:]], ("reordered", 3)),
    "the last lines swapped": (lambda x: [*x[:3], x[4], x[3]], ("reordered", 5)),
    "a line inserted twice": (lambda x: [*x[:2], x[1], *x[2:]], ("forked", 2)),
    "a line inserted": (
        lambda x: [*x[:3], a_log(3).lines()[2], *x[3:]],
        ("inserted", 3),
    ),
    "a line inserted, the chain computed anew": (
        lambda x: chained([read_line(each) for each in [*x[:2], x[1], *x[2:]]]),
        ("recomputed", 5),
    ),
    "a line added at the end": (
        lambda x: chained([read_line(each) for each in [*x, x[1]]]),
        ("not anchored", 6),
    ),
    "a line spoiled": (lambda x: [*x[:2], "hello", *x[3:]], ("unreadable", 3)),
    "two lines replaced by a spoiled one": (
        lambda x: [*x[:2], "hello", *x[4:]],
        ("removed", 3),
    ),
    "spaces added": (lambda x: [*x[:2], x[2].replace(":", ": "), *x[3:]], ("unreadable", 3)),
    "the last line cut off": (lambda x: [*x[:4], x[4][:40]], ("unreadable", 5)),
}


@pytest.mark.parametrize("deed", DEEDS)
def test_what_was_done_is_named(deed: str) -> None:
    store = a_log(5)
    change, expected = DEEDS[deed]
    found = found_in(change(store.lines()), store.anchor())
    assert not found.whole
    assert expected in [(each.kind.value, each.number) for each in found.findings]
    assert str(expected[1]) in found.findings[0].sentence
    assert found_in(store.lines(), store.anchor()).whole


def test_two_lines_that_follow_one_are_a_fork() -> None:
    store = a_log(3)
    other = FakeAudit()
    other.files = {"2026-11.jsonl": store.read("2026-11.jsonl")}
    other.kept = store.kept
    append(store, note(version=4), WHEN)
    append(other, note(version=5), WHEN)
    found = found_in([*store.lines(), other.lines()[-1]], store.anchor())
    assert [(each.kind.value, each.number) for each in found.findings] == [("forked", 4)]


def test_a_removed_anchor_is_named() -> None:
    found = found_in(a_log(5).lines(), None)
    assert [each.kind.value for each in found.findings] == ["no anchor"]


def test_no_line_and_no_anchor_is_no_log() -> None:
    found = found_in([], None)
    assert (found.whole, found.count) == (True, 0)


def test_what_is_older_than_the_retention_may_be_gone() -> None:
    store = a_log(5)
    lines = [("2026-11.jsonl", line) for line in store.lines()[2:]]
    later = verify(lines, store.anchor(), WHEN + 2 * YEAR, YEAR)
    assert later.whole
    assert "begins with line 3" in later.remarks[0]
    assert not verify(lines, store.anchor(), WHEN, YEAR).whole


def test_an_intent_without_an_outcome_is_named() -> None:
    store = FakeAudit()
    begun = note(act=Act.GATE, phase=Phase.INTENT, outcome="")
    append(store, begun, WHEN)
    append(store, note(act=Act.GATE, act_id=begun.act_id), WHEN)
    append(store, note(act=Act.SWITCH, phase=Phase.INTENT, outcome=""), WHEN)
    found = found_in(store.lines(), store.anchor())
    assert found.whole
    assert [(each.number, each.act) for each in found.open_acts] == [(3, Act.SWITCH)]
    assert [each["number"] for each in found.to_dict()["intents_without_outcome"]] == [3]


def put(store: FakeAudit, lines: list[str]) -> None:
    store.files = {MONTH: "".join(f"{line}\n" for line in lines).encode()}


def acceptance(found: Verified) -> log.Note:
    keys = " ".join(each.key for each in found.findings)
    return note(
        act=Act.ACCEPTANCE, outcome="accepted", reason="looked at", details={"findings": keys}
    )


def accept(store: FakeAudit) -> None:
    append(store, acceptance(found_in(store.lines(), store.anchor())), WHEN, over=True)
    assert found_in(store.lines(), store.anchor()).whole


@pytest.mark.parametrize("deed", DEEDS)
def test_what_a_person_accepts_stays_named_and_the_log_goes_on(deed: str) -> None:
    store = a_log(5)
    lines = DEEDS[deed][0](store.lines())
    put(store, lines)
    accept(store)
    append(store, note(version=7), WHEN)
    after = verify(read_lines(store), store.anchor(), WHEN, YEAR)
    assert after.findings == ()
    assert any("accepted what was found" in each for each in after.remarks)
    assert read_entries(store)[-1].version == 7
    more = found_in([*store.lines()[:-2], store.lines()[-1]], store.anchor())
    assert not more.whole


def less_the_anchor(store: FakeAudit) -> None:
    store.kept = None


def less(*numbers: int) -> Callable[[FakeAudit], None]:
    def remove(store: FakeAudit) -> None:
        put(store, [line for line in store.lines() if read_line(line).number not in numbers])

    return remove


def with_text(old: str, new: str) -> Callable[[FakeAudit], None]:
    def write(store: FakeAudit) -> None:
        lines = store.lines()
        put(store, [lines[0], lines[1], lines[2].replace(old, new), *lines[3:]])

    return write


@pytest.mark.parametrize(
    ("first", "then", "kind"),
    [
        (less(3), less(4), "removed"),
        (less(1), less(2), "removed"),
        (less(5), less(4), "removed"),
        (with_text("done", "failed"), with_text("failed", "refused"), "changed"),
        (with_text(":", ": "), with_text(": ", ":  "), "unreadable"),
        (less_the_anchor, less_the_anchor, "no anchor"),
    ],
    ids=["gap", "begin", "end", "line", "spoiled", "anchor"],
)
def test_what_was_accepted_is_no_leave_for_more(
    first: Callable[[FakeAudit], None], then: Callable[[FakeAudit], None], kind: str
) -> None:
    store = a_log(5)
    first(store)
    accept(store)
    append(store, note(), WHEN)
    then(store)
    assert kind in [each.kind for each in found_in(store.lines(), store.anchor()).findings]


def forged(store: FakeAudit, note_of: log.Note) -> None:
    """Add a line as its writer would, who cannot move the anchor."""
    other = FakeAudit()
    other.files, last = dict(store.files), read_entries(store)[-1]
    other.kept = Anchor(last.number, last.sha256)
    append(other, note_of, WHEN)
    store.files = other.files


@pytest.mark.parametrize("deed", ["a line removed", "the chain computed anew", "a line changed"])
def test_who_cannot_move_the_anchor_accepts_nothing(deed: str) -> None:
    """Nor where a command that knows nothing of it writes the next line, and moves the anchor."""
    store = a_log(5)
    put(store, DEEDS[deed][0](store.lines()))
    wrong = found_in(store.lines(), store.anchor()).findings
    forged(store, acceptance(found_in(store.lines(), store.anchor())))
    assert {*wrong} <= {*found_in(store.lines(), store.anchor()).findings}
    if deed == "the chain computed anew":
        with pytest.raises(BrokenLog):
            append(store, note(), WHEN)
    else:
        append(store, note(), WHEN)
        assert found_in(store.lines(), store.anchor()).findings == wrong


def test_what_a_person_accepts_makes_no_forged_acceptance_count() -> None:
    """The one that was forged names what is done after it."""
    store = a_log(5)
    removed = found_in([*store.lines()[:1], *store.lines()[2:]], store.anchor())
    put(store, recomputed(store.lines(), 4))
    forged(store, acceptance(removed))
    accept(store)
    less(2)(store)
    assert "removed" in [each.kind for each in found_in(store.lines(), store.anchor()).findings]
