"""The log alone tells what serves now, and can be read as a table."""

import csv
import io
from dataclasses import replace
from typing import Any

import pytest

from fakes.audit import FakeAudit
from fakes.audit_lines import WHEN, note
from mlops.governance.audit.entry import Act, Entry, Phase, traffic_text
from mlops.governance.audit.log import append, read_entries
from mlops.governance.audit.replay import serves_now
from mlops.governance.audit.table import about, chosen, to_csv


def entries(*acts: tuple[Act, str, dict[int, int]], endpoint: str = "tiny-prod") -> list[Entry]:
    store = FakeAudit()
    for act, outcome, traffic in acts:
        subject = {"endpoint": endpoint, "version": 1}
        for phase in (Phase.INTENT, Phase.OUTCOME):
            said = outcome if phase is Phase.OUTCOME else ""
            details = {"traffic": traffic_text(traffic)} if said else {}
            told = note(act=act, phase=phase, outcome=said, details=details)
            append(store, type(told)(**{**vars(told), "subject": subject}), WHEN)
    return list(read_entries(store))


def test_what_serves_follows_from_the_acts() -> None:
    found = serves_now(
        entries(
            (Act.RELEASE, "done", {1: 100}),
            (Act.RELEASE, "done", {2: 100}),
            (Act.SWITCH, "done", {2: 90, 1: 10}),
            (Act.ROLLBACK, "done", {1: 100}),
            (Act.RELEASE, "refused", {1: 100}),
            (Act.GATE, "passed", {9: 100}),
        )
    )
    assert [each.to_dict()["traffic"] for each in found] == [{"1": 100}]
    assert (found[0].number, found[0].act) == (8, Act.ROLLBACK)
    assert found[0].words() == "1 (100 %)"


def test_what_an_act_left_that_failed_serves_all_the_same() -> None:
    found = serves_now(
        entries((Act.RELEASE, "done", {1: 100}), (Act.RELEASE, "failed", {1: 50, 2: 50}))
    )
    assert [(each.traffic, each.number) for each in found] == [({1: 50, 2: 50}, 4)]


def test_environments_have_endpoints_of_their_own() -> None:
    here = entries((Act.RELEASE, "done", {1: 100}))
    there = [replace(each, environment="test") for each in entries((Act.RELEASE, "done", {2: 100}))]
    found = serves_now([*here, *there])
    assert [(each.environment, each.traffic) for each in found] == [
        ("prod", {1: 100}),
        ("test", {2: 100}),
    ]


def test_an_endpoint_without_deployments_serves_nothing() -> None:
    found = serves_now(entries((Act.RELEASE, "done", {1: 100}), (Act.SWITCH, "done", {})))
    assert [(each.traffic, each.words()) for each in found] == [({}, "nothing")]


def test_a_version_is_concerned_by_what_takes_its_callers_and_by_a_deletion() -> None:
    store = FakeAudit()
    acts: tuple[tuple[Act, dict[str, Any], dict[str, Any]], ...] = (
        (Act.GATE, {"run_id": "r3"}, {}),
        (Act.REGISTER, {"run_id": "r3", "version": 3}, {}),
        (Act.GATE, {"run_id": "r4"}, {}),
        (Act.RELEASE, {"endpoint": "e", "version": 3}, {"traffic": "3=100"}),
        (Act.ROLLBACK, {"endpoint": "e"}, {"traffic": "2=100"}),
        (Act.SWITCH, {"endpoint": "e"}, {"traffic": "1=50 2=50"}),
        (Act.DELETION, {"request_id": "q"}, {"versions": "2 3"}),
        (Act.DELETION, {"request_id": "p"}, {"versions": "13"}),
    )
    for number, (act, subject, details) in enumerate(acts):
        told = note(act=act, phase=Phase.OUTCOME, outcome="done", details=details)
        append(store, replace(told, subject=subject, act_id=str(number)), WHEN)
    found = chosen(read_entries(store), version=3)
    assert [each.number for each in found] == [1, 2, 4, 5, 7]
    assert about(found[3]) == "2 now 100 %"


def test_nothing_is_known_before_the_first_act() -> None:
    assert serves_now([]) == []


def test_lines_are_chosen_by_version_and_act() -> None:
    store = FakeAudit()
    for version, act in ((1, Act.GATE), (2, Act.GATE), (2, Act.RELEASE)):
        append(store, note(act=act, version=version), WHEN)
    found = read_entries(store)
    assert [each.number for each in chosen(found, version=2)] == [2, 3]
    assert [each.number for each in chosen(found, act=Act.GATE)] == [1, 2]
    assert [each.number for each in chosen(found, version=2, act=Act.GATE)] == [2]
    assert about(found[0]) == "version 1"


@pytest.mark.parametrize("begin", ["=", "+", "-", "@"])
def test_csv_says_all_and_no_spreadsheet_computes_it(begin: str) -> None:
    store = FakeAudit()
    entry = append(store, note(reason=f"{begin}1+1, said\nanna"), WHEN)
    (row,) = csv.DictReader(io.StringIO(to_csv([entry])))
    assert row["reason"] == f"'{begin}1+1, said\nanna"
    assert (row["number"], row["sha256"], row["who"]) == ("1", entry.sha256, "anna")
