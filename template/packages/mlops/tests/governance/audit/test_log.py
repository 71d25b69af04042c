"""Appending: cheap, in one chain, whoever else writes."""

from datetime import timedelta

import pytest

from fakes.audit import FakeAudit
from fakes.audit_lines import WHEN, a_log, note, written
from mlops.errors import PlatformError
from mlops.governance.audit import log
from mlops.governance.audit.entry import Act
from mlops.governance.audit.log import BrokenLog, append, read_entries, read_lines
from mlops.governance.audit.verify import verify
from mlops.platforms.auditing import Anchor, NotAnchored

YEAR = timedelta(days=365)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "_WAITS", (0.0, 0.0))


def is_whole(store: FakeAudit) -> bool:
    return verify(read_lines(store), store.anchor(), WHEN, YEAR).whole


def test_lines_are_chained_and_anchored() -> None:
    store = FakeAudit()
    entries = written(store, 3)
    assert [each.number for each in read_entries(store)] == [1, 2, 3]
    assert [each.previous for each in entries[1:]] == [each.sha256 for each in entries[:2]]
    assert store.anchor() is not None
    assert store.anchor().head == entries[-1].sha256  # type: ignore[union-attr]
    assert is_whole(store)


def test_an_append_reads_no_more_of_a_long_log_than_of_a_short_one() -> None:
    reads = []
    for count in (2, 200):
        store = a_log(count)
        before = store.reads
        append(store, note(), WHEN)
        reads.append(store.reads - before)
    assert reads[0] == reads[1]


def test_a_second_writer_reads_again_and_both_lines_are_there() -> None:
    store = a_log(2)

    def other() -> None:
        store.before_append = lambda: None
        append(store, note(version=8), WHEN)

    store.before_append = other
    append(store, note(version=9), WHEN)
    assert [each.version for each in read_entries(store)] == [1, 2, 8, 9]
    assert [each.number for each in read_entries(store)] == [1, 2, 3, 4]
    assert is_whole(store)


def test_who_is_overtaken_again_and_again_gives_up() -> None:
    store = a_log(1)

    def grow() -> None:
        store.files["2026-11.jsonl"] += b"\n"

    store.before_append = grow
    with pytest.raises(PlatformError, match="keep writing"):
        append(store, note(), WHEN)


def test_a_month_says_that_the_next_one_goes_on() -> None:
    store = a_log(1)
    append(store, note(version=2), WHEN + timedelta(days=30))
    assert store.months() == ["2026-11.jsonl", "2026-12.jsonl"]
    acts = [each.act for each in read_entries(store)]
    assert acts == [Act.RELEASE, Act.MONTH, Act.RELEASE]
    assert is_whole(store)


def test_a_writer_whose_clock_lags_behind_follows_into_the_new_month() -> None:
    store = a_log(1)
    lagging = store.tail

    def turn() -> None:
        store.before_append = lambda: None
        append(store, note(version=2), WHEN + timedelta(days=30))

    store.before_append = turn
    append(store, note(version=3), WHEN)
    assert [each.version for each in read_entries(store)] == [1, None, 2, 3]
    assert store.months() == ["2026-11.jsonl", "2026-12.jsonl"]
    assert is_whole(store)
    assert lagging("2026-11.jsonl", 10)[0] > 0


def test_a_file_that_was_made_and_is_empty_still_goes_on() -> None:
    store = a_log(1)
    append(store, note(version=2), WHEN + timedelta(days=30))
    store.files["2026-12.jsonl"] = b""
    store.kept = None
    newest = read_entries(store)[-1]
    store.kept = Anchor(newest.number, newest.sha256)
    append(store, note(version=3), WHEN + timedelta(days=30))
    assert [each.number for each in read_entries(store)] == [1, 2, 3]


def test_a_writer_that_was_cut_off_before_the_anchor_leaves_a_trace() -> None:
    store = a_log(2)
    store.anchored = False
    with pytest.raises(NotAnchored):
        append(store, note(version=3), WHEN)
    store.anchored = True
    found = verify(read_lines(store), store.anchor(), WHEN, YEAR)
    assert [(each.kind, each.number) for each in found.findings] == [("not anchored", 3)]
    append(store, note(version=4), WHEN)
    found = verify(read_lines(store), store.anchor(), WHEN, YEAR)
    assert found.whole
    assert "lagged 1 lines behind when line 4" in found.remarks[0]


@pytest.mark.parametrize("how", ["shorter", "replaced", "no anchor", "cut off", "unreadable"])
def test_nothing_is_appended_to_a_broken_end(how: str) -> None:
    store = a_log(3)
    lines = store.files["2026-11.jsonl"].splitlines(keepends=True)
    if how == "shorter":
        store.files["2026-11.jsonl"] = b"".join(lines[:2])
    elif how == "replaced":
        store.files["2026-11.jsonl"] = b"".join(each.encode() + b"\n" for each in a_log(3).lines())
    elif how == "no anchor":
        store.kept = None
    elif how == "cut off":
        store.files["2026-11.jsonl"] = b"".join(lines)[:-5]
    else:
        store.files["2026-11.jsonl"] = b"".join(lines) + b"hello\n"
    before, anchor = dict(store.files), store.kept
    with pytest.raises(BrokenLog, match="audit verify"):
        append(store, note(), WHEN)
    assert (store.files, store.kept) == (before, anchor)
    append(store, note(), WHEN, over=True)
    assert store.kept is not None
    assert len(store.files["2026-11.jsonl"]) > len(before["2026-11.jsonl"])


def test_a_chain_that_was_computed_anew_is_not_hidden_by_many_lines_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store, other = a_log(3), FakeAudit()
    written(other, 9, WHEN + timedelta(minutes=1))
    store.files = other.files
    monkeypatch.setattr(log, "TAIL", 1500)
    with pytest.raises(BrokenLog, match="line 3 is not the one that was anchored"):
        append(store, note(), WHEN)


def test_a_reason_that_is_too_long_is_cut() -> None:
    store = FakeAudit()
    append(store, note(reason="x" * 10_000), WHEN)
    assert len(read_entries(store)[0].reason) == log.LONGEST_REASON
