"""What became of a version: told by several sources, shown as one."""

import random
from dataclasses import replace
from typing import Any

import pytest

from fakes.records import RECORD
from mlops.artifacts.documents import EVIDENCE
from mlops.governance.later import (
    Happening,
    later,
    of_approvals,
    of_audit,
    of_changes,
    of_checks,
    of_release,
)

MORNING, NOON = "2026-11-03T10:00:00+00:00", "2026-11-03T12:00:00+00:00"
APPROVALS: dict[str, Any] = {
    "environment": "prod",
    "model_version": None,
    "required": 2,
    "outcome": "approved",
    "reason": "",
    "run": {"url": "https://github.example/runs/12"},
    "approved_by": ["ann", "bob"],
    "asked_at": NOON,
}


def line(number: int, act_id: str, phase: str, **changed: Any) -> dict[str, Any]:
    """A line of the audit log as JSON content."""
    return {
        "number": number,
        "act_id": act_id,
        "time": NOON,
        "act": "release",
        "phase": phase,
        "who": {"name": "ann", "kind": "person", "run_url": ""},
        "environment": "prod",
        "subject": {"version": 3},
        "outcome": "" if phase == "intent" else "done",
        "reason": "",
        **changed,
    }


def test_an_approval_names_who_gave_it_and_how_many_were_asked() -> None:
    (found,) = of_approvals(3, APPROVALS, "evidence prod-1")
    assert found == Happening(
        version=3,
        time=NOON,
        what="approval",
        outcome="approved",
        environment="prod",
        detail="by ann, bob, 2 asked",
        page="https://github.example/runs/12",
        place="evidence prod-1",
        who=("ann", "bob"),
    )


def test_what_nobody_approved_is_said() -> None:
    refused = {**APPROVALS, "approved_by": [], "outcome": "refused", "reason": "too few"}
    (found,) = of_approvals(3, refused, "")
    assert found.outcome == "refused"
    assert found.detail == "by nobody whose approval counts, 2 asked: too few"
    (damaged,) = of_approvals(3, {}, "")
    assert (damaged.outcome, damaged.time) == ("unknown", "")


def test_a_release_is_told_of_the_new_version_and_of_the_one_that_gave_way() -> None:
    content = {**EVIDENCE.with_schema(RECORD.to_dict()), "ended_at": MORNING, "run": "page"}
    released, replaced = of_release("prod", content, "here")
    assert (released.version, released.what, released.outcome) == (10, "rehearsal", "promoted")
    assert released.detail == "it is as good"
    assert (released.time, released.page, released.place) == (MORNING, "page", "here")
    assert (replaced.version, replaced.outcome) == (9, "no callers any more")
    assert replaced.detail == "version 10 took its place"


def test_a_release_to_callers_is_no_rehearsal() -> None:
    (found, *_) = of_release("prod", replace(RECORD, rehearsal="").to_dict(), "here")
    assert found.what == "release"


def test_a_release_that_failed_takes_nobodys_place() -> None:
    record = replace(RECORD, outcome="rejected", traffic_after=RECORD.traffic_before)
    (found,) = of_release("prod", record.to_dict(), "here")
    assert (found.version, found.outcome) == (10, "rejected")


def test_an_ab_test_by_itself_is_no_release() -> None:
    alone = replace(RECORD, smoke=None, traffic_after=RECORD.traffic_before)
    assert [each.what for each in of_release("prod", alone.to_dict(), "")] == ["A/B test"]


def test_changes_by_hand_are_told_of_both_versions() -> None:
    def change(kind: str, version: int | None) -> dict[str, Any]:
        told = {"time": NOON, "environment": "prod", "outcome": "rolled back"}
        return {**told, "kind": kind, "model_version": version, "traffic": "blue 100 %"}

    rows = [change("release", 3), change("rollback", 2), change("switch-traffic", 2)]
    found = of_changes(rows, ("rollback", "switch-traffic"), "the log")
    assert [(each.version, each.outcome) for each in found] == [
        (2, "rolled back"),
        (3, "most callers reach another version"),
        (2, "rolled back"),
    ]
    assert found[0].detail == "rollback, then: blue 100 %"
    assert of_changes([change("rollback", None)], ("rollback",), "") == []


def test_the_audit_log_is_one_more_source() -> None:
    lines = [
        line(1, "x", "intent"),
        line(2, "x", "outcome", reason="as good"),
        line(3, "y", "intent", act="switch"),
        line(4, "z", "outcome", subject={"run_id": "r"}),
        line(5, "w", "outcome", subject={"version": 4}),
        line(6, "v", "outcome", details={"rehearsal": True}),
        line(7, "u", "outcome", act="retraining", details={"rehearsal": True}),
    ]
    found = later(3, of_audit(lines))
    assert [(each.what, each.outcome) for each in found] == [
        ("release", "done"),
        ("switch", "begun, and no end is recorded"),
        ("rehearsal", "done"),
        ("retraining", "done"),
    ]
    assert found[0].detail == "by ann: as good"
    assert found[0].place == "line 2 of the audit log"
    assert (found[0].begun, found[0].who) == (NOON, ("ann",))
    assert (found[2].begun, found[2].who) == ("", ("ann",))


def test_the_audit_log_tells_of_each_version_whose_share_changed() -> None:
    def change(number: int, act: str, traffic: str, **changed: Any) -> dict[str, Any]:
        said = {"act": act, "details": {"traffic": traffic}, "subject": {"endpoint": "tiny"}}
        return line(number, f"act {number}", "outcome", **{**said, **changed})

    about = {"endpoint": "tiny", "version": 4}
    lines = [
        change(1, "release", "3=100", subject={"endpoint": "tiny", "version": 3}),
        change(2, "switch", "3=90 4=10"),
        change(3, "release", "4=100", subject=about),
        change(4, "release", "5=100", subject={"endpoint": "another", "version": 5}),
        change(5, "gate", "3=100"),
        line(6, "x", "intent", act="switch", details={"traffic": "3=100"}, subject={}),
        change(7, "switch", ""),
    ]
    told = [(each.version, each.what, each.outcome, each.detail) for each in of_audit(lines)]
    assert told == [
        (3, "release", "done", "by ann"),
        (3, "traffic", "90 % of the callers", "switch by ann"),
        (4, "traffic", "10 % of the callers", "switch by ann"),
        (4, "release", "done", "by ann"),
        (3, "traffic", "no callers any more", "release of version 4 by ann"),
        (5, "release", "done", "by ann"),
        (4, "traffic", "no callers any more", "switch by ann"),
    ]


def test_a_deletion_is_told_of_each_version_that_was_trained_on_the_key() -> None:
    about = {"act": "deletion", "subject": {"request_id": "q1"}, "details": {"versions": "3 12"}}
    lines = [line(1, "a", "intent", **about), line(2, "a", "outcome", **about)]
    told = [(each.version, each.what, each.outcome) for each in of_audit(lines)]
    assert told == [(n, "deletion", "trained on a key that was deleted") for n in (3, 12)]


def test_checks_are_told_on_the_whole_and_of_their_version() -> None:
    row = {"time": NOON, "environment": "prod", "model_version": 3, "outcome": "warning"}
    columns = {"column": None, "drifted_columns": 2, "columns": 7, "rows": 500}
    drift = [{**row, **columns}, {**row, "column": "amount"}, {**row, "model_version": None}]
    (found,) = of_checks("drift", drift, "the log of prod")
    assert found == Happening(
        version=3,
        time=NOON,
        what="drift",
        outcome="warning",
        environment="prod",
        detail="2 of 7 columns drifted, 500 predictions",
        place="the log of prod",
    )
    measured = {**row, "slice": None, "metric": "average_precision", "rows": 40}
    performance = [
        {**measured, "kind": "realised", "value": 0.81239},
        {**measured, "kind": "realised", "value": 0.5, "slice": "north"},
        {**measured, "kind": "estimated", "value": None},
    ]
    told = of_checks("performance", performance, "the log of prod")
    assert [(each.what, each.outcome, each.detail) for each in told] == [
        ("performance", "warning", "average_precision 0.8124, 40 rows"),
        ("estimated performance", "warning", "average_precision not computed, 40 rows"),
    ]
    assert later(3, told) == tuple(told)


def test_all_sources_are_one_in_order_of_time_and_each_happening_once() -> None:
    first = Happening(3, MORNING, "release", "promoted", "prod", place="evidence prod-1")
    again = replace(first, place="this machine alone")
    second = Happening(3, "2026-11-03T12:30:00+01:00", "traffic", "rolled back", "prod")
    third = Happening(3, NOON, "approval", "approved", "test")
    undated = Happening(3, "", "approval", "unknown", "prod")
    other = replace(third, version=4)
    by_ann, by_bob = (replace(third, who=(name,)) for name in ("ann", "bob"))
    assert later(3, [by_ann, by_bob, by_ann]) == (by_ann, by_bob)
    given = [first, again, second, third, undated, other]
    assert later(3, given) == (undated, first, second, third)
    shuffled = random.Random(1).sample(given[1:], 5)
    assert later(3, [first, *shuffled]) == (undated, first, second, third)
    assert later(3, given, "test") == (third,)
    assert later(5, given) == ()


@pytest.mark.parametrize("versions", [{}, {"blue": 9}])
def test_evidence_that_names_no_version_is_of_none(versions: dict[str, int]) -> None:
    content = {"candidate": "green", "versions": versions, "traffic_before": {}}
    assert of_release("prod", content, "") == []
