"""What remains of a release, field by field: each value stands where its name says."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fakes.endpoint import FakeEndpoint
from fakes.records import MIRROR_LOOK, RECORD, RESULT, SHARE_LOOK
from mlops.release.ab_test.decision import Limits
from mlops.release.ab_test.looks import LARGEST, Arm
from mlops.release.ab_test.sequential import Evidence
from mlops.release.evidence import (
    Record,
    ab_columns,
    ab_rows,
    copies_sentence,
    record_of,
    to_markdown,
    write_evidence,
)

MOMENT = datetime(2026, 6, 30, 12, 34, 56, 789, tzinfo=UTC)
WARNING = (
    "blue and yellow could not be removed: without traffic, but still running and, on Azure, "
    "billed; remove by hand what the next release does not replace"
)
RUN = {
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "acme/model",
    "GITHUB_RUN_ID": "12",
    "GITHUB_RUN_ATTEMPT": "2",
}
CONTENT: dict[str, Any] = {
    "schema": 1,
    "endpoint": "tiny-prod",
    "outcome": "promoted",
    "reason": "it is as good",
    "candidate": "green",
    "model_version": 10,
    "versions": {"blue": 9, "green": 10},
    "rehearsal": "generated requests",
    "changes_of_requests": ["d must be sent"],
    "breaking": "they are told",
    "replaced": "blue serves version 9 of made-up data",
    "data": {
        "blue": {"kind": "sample", "name": "size 9", "made_up": True, "fraction": 1.0},
        "green": {"kind": "asset", "name": "orders:3", "made_up": False, "fraction": 1.0},
    },
    "traffic_before": {"blue": 97, "red": 3},
    "traffic_after": {"green": 98, "red": 2},
    "not_removed": ["blue", "yellow"],
    "human_part_sha256": "",
    "would_be_refused": [],
    "smoke_test": {
        "schema": 1,
        "endpoint": "tiny-prod (smoke)",
        "passed": False,
        "checks": [
            {"name": "a | b", "found": "1 ms", "asked": "2 ms", "passed": True},
            {"name": "health", "found": "not running", "asked": "healthy", "passed": False},
        ],
    },
    "ab_test": {
        "decision": "promote",
        "reason": "green is not worse",
        "baseline": "blue",
        "candidate": "green",
        "limits": {"promote": 25.0, "reject": 51.0},
        "settings": {
            "enabled": True,
            "mirror_percent": 21,
            "mirror_requests": 101,
            "mirror_seconds": 901.0,
            "share_percent": 11,
            "duration_seconds": 3601.0,
            "alpha": 0.04,
            "min_requests": 201,
            "objective_ms": 199.0,
            "patience_ms": 1999.0,
            "batch_seconds": 1.5,
            "margins": {"errors": 0.013, "slow": 0.057},
        },
        "looks": [
            {
                "seconds": 1.235,
                "phase": "mirror",
                "baseline": {"requests": 90, "errors": 1, "slow": 2},
                "candidate": {"requests": 0, "errors": 0, "slow": 0},
                "copies": {"requests": 50, "errors": 3, "slow": 4},
                "evidence": {
                    "errors": {"blocks": 5, "for_promotion": 1.5, "for_rejection": 2.5},
                    "slow": {"blocks": 6, "for_promotion": 3.5, "for_rejection": 4.5},
                },
            },
            {
                "seconds": 2.5,
                "phase": "share",
                "baseline": {"requests": 1000, "errors": 10, "slow": 60},
                "candidate": {"requests": 200, "errors": 5, "slow": 7},
                "copies": {"requests": 50, "errors": 3, "slow": 4},
                "evidence": {
                    "errors": {"blocks": 40, "for_promotion": LARGEST, "for_rejection": 0.25},
                    "slow": {"blocks": 41, "for_promotion": 31.0, "for_rejection": 0.125},
                },
            },
        ],
    },
}
PAGE = f"""\
# tiny-prod: promoted

2026-06-30 12:34 UTC. it is as good.

- blue: version 9, of made-up data (sample size 9)
- green: version 10, of real data (asset orders:3)
- traffic before: blue 97 %, red 3 %
- traffic after: green 98 %, red 2 %

**Warning:** {WARNING}.

What callers must send has changed, so nothing was compared:

- d must be sent

blue serves version 9 of made-up data: made-up data give way without a comparison.

Released all the same: they are told.

A rehearsal: generated requests.

## A/B test

|  | blue | green | promote ≥ 25 | reject ≥ 51 |
| --- | --- | --- | --- | --- |
| requests | 1,000 | 200 |  |  |
| errors | 1.00 % | 2.50 % | over a million | 0.25 |
| slow | 6.00 % | 3.50 % | 31 | 0.12 |

green first got 50 copies of requests: errors 6.00 %, slow 8.00 %.

Margins: errors (no answer within 1999 ms, or another than 200) 0.013, slower than 199 ms 0.057. \
Probability of a wrong decision: at most 0.04 each way, however often one looks.

![E-values and rates over time](evidence.png)

## Smoke test

| check | found | asked |  |
| --- | --- | --- | --- |
| a \\| b | 1 ms | 2 ms | passed |
| health | not running | healthy | FAILED |

What the candidate printed last is in candidate.log.
"""


def test_the_json_holds_each_value_under_its_name() -> None:
    content = RECORD.to_dict()
    for name, value in CONTENT.items():
        assert content[name] == value, name
    assert content.keys() == CONTENT.keys()


def test_evidence_is_json_a_page_a_picture_and_a_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in RUN.items():
        monkeypatch.setenv(name, value)
    folder = write_evidence(tmp_path, RECORD, MOMENT)
    assert folder == tmp_path / "releases" / "tiny-prod" / "20260630T123456.000789Z"

    def refuse(constant: str) -> Any:
        raise AssertionError(constant)

    written = json.loads((folder / "evidence.json").read_text("utf-8"), parse_constant=refuse)
    run = "https://github.com/acme/model/actions/runs/12/attempts/2"
    assert written == {**CONTENT, "ended_at": "2026-06-30T12:34:56.000789+00:00", "run": run}
    assert (folder / "evidence.md").read_text("utf-8") == to_markdown(RECORD, MOMENT)
    assert (folder / "candidate.log").read_text("utf-8") == "the last words"
    assert (folder / "evidence.png").read_bytes().startswith(b"\x89PNG")


def test_a_version_that_was_never_deployed_is_named() -> None:
    failed = Record("e", "green", {"blue": 1}, "failed", "it broke", {}, {})
    assert failed.to_dict()["model_version"] is None
    assert replace(failed, model_version=2).to_dict()["model_version"] == 2


def test_the_page_says_each_value_of_what_it_is() -> None:
    assert to_markdown(RECORD, MOMENT).splitlines() == PAGE.splitlines()


def test_what_there_is_not_is_not_told(tmp_path: Path) -> None:
    record = Record("e", "blue", {"blue": 1}, "failed", "it broke", {}, {})
    folder = write_evidence(tmp_path, record, MOMENT)
    assert {path.name for path in folder.iterdir()} == {"evidence.json", "evidence.md"}
    content = record.to_dict()
    assert (content["smoke_test"], content["ab_test"]) == (None, None)
    assert (content["not_removed"], content["rehearsal"]) == ([], "")
    assert to_markdown(record, MOMENT).splitlines() == [
        "# e: failed",
        "",
        "2026-06-30 12:34 UTC. it broke.",
        "",
        "- blue: version 1",
        "- traffic before: none",
        "- traffic after: none",
    ]


def test_an_ab_test_without_a_look_has_no_numbers(tmp_path: Path) -> None:
    record = replace(RECORD, ab_test=replace(RESULT, looks=()), candidate_log="")
    folder = write_evidence(tmp_path, record, MOMENT)
    assert {path.name for path in folder.iterdir()} == {"evidence.json", "evidence.md"}
    assert "A/B test" not in (folder / "evidence.md").read_text("utf-8")


def test_a_record_begins_with_what_the_endpoint_says(both: FakeEndpoint) -> None:
    both.set_traffic({"blue": 60, "green": 40})
    before = {"blue": 100, "green": 0}
    record = record_of(both, "green", before, "hold", "too few requests")
    assert record == Record(
        endpoint="tiny-dev",
        candidate="green",
        versions={"blue": 1, "green": 2},
        outcome="hold",
        reason="too few requests",
        traffic_before={"blue": 100, "green": 0},
        traffic_after={"blue": 60, "green": 40},
    )


def test_a_record_ends_with_outcome_reason_and_traffic() -> None:
    ended = RECORD.ended("rejected", "it is worse", {"blue": 100})
    expected = replace(
        RECORD, outcome="rejected", reason="it is worse", traffic_after={"blue": 100}
    )
    assert ended == expected


def test_a_table_says_whether_it_shows_copies_or_callers() -> None:
    limits = Limits(promote=25, reject=51)
    promote, reject = "promote ≥ 25", "reject ≥ 51"
    during, after = MIRROR_LOOK, SHARE_LOOK
    assert ab_columns("b", "c", limits, during) == ("", "b", "copies to c", promote, reject)
    assert ab_columns("b", "c", limits, after) == ("", "b", "c", promote, reject)
    assert ab_rows(during) == [
        ("requests", "90", "50", "", ""),
        ("errors", "1.11 %", "6.00 %", "1.5", "2.5"),
        ("slow", "2.22 %", "8.00 %", "3.5", "4.5"),
    ]
    assert ab_rows(after)[0] == ("requests", "1,000", "200", "", "")
    assert ab_rows(replace(after, candidate=Arm()))[1][2] == "none"


def test_copies_are_told_once_callers_are_answered() -> None:
    assert copies_sentence("c", SHARE_LOOK) == (
        "c first got 50 copies of requests: errors 6.00 %, slow 8.00 %"
    )
    assert copies_sentence("c", MIRROR_LOOK) == ""
    assert copies_sentence("c", replace(SHARE_LOOK, copies=Arm())) == ""
    assert copies_sentence("c", replace(SHARE_LOOK, copies=Arm(1))).startswith("c first got 1 ")


@pytest.mark.parametrize(
    ("value", "written"), [(LARGEST, LARGEST), (2 * LARGEST, LARGEST), (0.5 * LARGEST, 5e299)]
)
def test_an_e_value_is_a_number_in_json(value: float, written: float) -> None:
    look = replace(SHARE_LOOK, evidence={"errors": Evidence(1, value, value)})
    assert look.to_dict()["evidence"]["errors"] == {
        "blocks": 1,
        "for_promotion": written,
        "for_rejection": written,
    }
