"""What evidence and the audit log both tell is told once, and what only one tells is told too."""

from dataclasses import replace

import pytest

from mlops.governance.later import Happening
from mlops.governance.told_twice import joined

BEGUN, WITHIN, ENDED = (f"2026-11-03T10:0{minute}:00+00:00" for minute in (0, 5, 9))
AFTER = "2026-11-03T10:10:00+00:00"
PAGE = "https://github.example/runs/12"
RELEASED = Happening(3, WITHIN, "release", "promoted", "prod", "as good", place="evidence prod-1")
LINE = Happening(
    3,
    ENDED,
    "release",
    "done",
    "prod",
    "by ann: as good",
    place="line 2 of the audit log",
    who=("ann",),
    begun=BEGUN,
)
APPROVED = Happening(
    3, WITHIN, "approval", "approved", "prod", "by ann, bob, 2 asked", PAGE, "e", ("ann", "bob")
)
BY_ANN = replace(LINE, what="approval", outcome="approved", page=PAGE, begun="", place="line 3")
GAVE_WAY = replace(RELEASED, what="traffic", outcome="no callers any more", detail="version 4 came")


def test_a_release_is_one_with_both_places_and_who_did_it() -> None:
    (found,) = joined(3, [RELEASED], [LINE])
    assert found == replace(
        RELEASED,
        detail="as good, by ann",
        place="evidence prod-1 and line 2 of the audit log",
        who=("ann",),
        begun=BEGUN,
    )


@pytest.mark.parametrize(
    ("outcome", "said"),
    [("rejected", "refused"), ("hold", "hold"), ("failed", "failed"), ("failed", "interrupted")],
)
def test_each_end_of_a_release_has_its_word_in_the_log(outcome: str, said: str) -> None:
    told = [replace(RELEASED, outcome=outcome)]
    assert len(joined(3, told, [replace(LINE, outcome=said)])) == 1
    assert len(joined(3, told, [LINE])) == 2


@pytest.mark.parametrize(
    "line",
    [
        replace(LINE, environment="test"),
        replace(LINE, outcome="refused"),
        replace(LINE, what="rehearsal"),
        replace(LINE, what="retraining"),
        replace(LINE, begun=""),
        replace(LINE, begun=AFTER, time=AFTER),
        replace(LINE, begun=BEGUN, time=BEGUN),
    ],
)
def test_what_does_not_agree_is_told_by_both(line: Happening) -> None:
    assert joined(3, [RELEASED], [line]) == tuple(
        sorted([RELEASED, line], key=lambda each: each.moment)
    )


def test_a_line_of_another_version_is_not_told() -> None:
    assert joined(3, [RELEASED], [replace(LINE, version=4)]) == (RELEASED,)


def test_those_who_approved_are_named_once() -> None:
    by_bob = replace(BY_ANN, who=("bob",), place="line 4")
    (found,) = joined(3, [APPROVED], [BY_ANN, by_bob])
    assert found == replace(APPROVED, place="e and line 3 and line 4")


@pytest.mark.parametrize(
    "line",
    [
        replace(BY_ANN, who=("eve",)),
        replace(BY_ANN, outcome="not counted"),
        replace(BY_ANN, page="https://github.example/runs/13"),
    ],
)
def test_an_approval_that_the_evidence_does_not_name_stays(line: Happening) -> None:
    assert set(joined(3, [APPROVED], [line])) == {APPROVED, line}


def test_approvals_of_no_known_run_are_never_taken_for_the_same() -> None:
    told, line = replace(APPROVED, page=""), replace(BY_ANN, page="")
    assert set(joined(3, [told], [line])) == {told, line}


@pytest.mark.parametrize(
    ("outcome", "what", "said", "count"),
    [
        ("no callers any more", "traffic", "no callers any more", 1),
        ("no callers any more", "traffic", "3 % of the callers", 2),
        ("rolled back", "traffic", "100 % of the callers", 1),
        ("rolled back", "rollback", "done", 1),
        ("rolled back", "rollback", "failed", 2),
        ("switched", "switch", "done", 1),
        ("switched", "release", "done", 2),
    ],
)
def test_a_change_of_traffic_is_told_once_where_both_agree(
    outcome: str, what: str, said: str, count: int
) -> None:
    line = replace(LINE, what=what, outcome=said)
    assert len(joined(3, [replace(GAVE_WAY, outcome=outcome)], [line])) == count
