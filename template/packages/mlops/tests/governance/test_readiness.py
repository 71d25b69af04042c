"""What each environment refuses: every line of the table of docs/gate.md, one refusal at a time."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from fakes.human_part import FILLED, write
from mlops.governance.human_part import REVIEW, FieldProblem, human_problems
from mlops.governance.readiness import (
    LINEAGE_FIELDS,
    PROD_ALONE,
    Demands,
    Evidence,
    Requirement,
    asked_of,
    card_problems,
    lacks,
    lineage_problems,
)
from mlops.settings.sections import GateSettings

PAGE = Path(__file__).parents[4] / "docs" / "gate.md"
GATE = GateSettings(max_slice_gap=0.1, required_slices=("s",))
APPROVED = {
    "environment": "prod",
    "model_version": 3,
    "outcome": "approved",
    "approved_by": ["one", "two"],
}
GROUPS = [
    {"slice": "s", "value": n, "rows": 99, "metrics": {"f1": 0.8}, "not_assessed": None, "p": 1.0}
    for n in ("a", "b")
]
TEST = {"metric": "f1", "permutations": 999}
EVALUATION = {"model": {"f1": 0.8}, "slices": GROUPS, "slice_test": TEST}
READY = Evidence((), EVALUATION, (), (), dirty=False, approvals=APPROVED, model_version=3)


def group(**changed: Any) -> dict[str, Any]:
    return {**EVALUATION, "slices": [GROUPS[0], {**GROUPS[1], **changed}]}


CASES: dict[Requirement, dict[str, Any]] = {
    Requirement.HUMAN: {"human": (FieldProblem("users", "is empty"),)},
    Requirement.REVIEW: {"human": (FieldProblem(REVIEW, "is overdue since 2026-01-01"),)},
    Requirement.SLICE_GAP: {"evaluation": group(metrics={"f1": 0.5}, p=0.01)},
    Requirement.SLICES: {"evaluation": group(not_assessed="its rows have one class")},
    Requirement.LINEAGE: {"lineage": ("lineage.json has no data.hash",)},
    Requirement.CARD: {"card": ("card.json is that of tiny version 2",)},
    Requirement.DIRTY: {"dirty": True},
    Requirement.APPROVAL: {"approvals": None},
}


def found(evidence: Evidence, environment: str) -> set[Requirement]:
    demands = Demands(environment, GATE, approvals=2)
    return {each.requirement for each in lacks(evidence, demands)}


@pytest.mark.parametrize("environment", ["dev", "test", "prod"])
def test_where_nothing_is_missing_nothing_is_refused(environment: str) -> None:
    assert found(READY, environment) == set()


@pytest.mark.parametrize("requirement", Requirement)
@pytest.mark.parametrize("environment", ["dev", "test", "prod"])
def test_each_environment_refuses_what_the_page_says(
    environment: str, requirement: Requirement
) -> None:
    evidence = replace(READY, **CASES[requirement])
    refused = requirement in found(evidence, environment)
    told = table()[requirement.value]
    assert refused is told["prod" if environment == "prod" else "other environments"]
    assert found(evidence, environment) <= {requirement, Requirement.SLICE_GAP}


def table() -> dict[str, dict[str, bool]]:
    """Return what the page says that each environment refuses."""
    text = PAGE.read_text(encoding="utf-8").partition("## What each environment refuses")[2]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.partition("\n## ")[0].splitlines()
        if line.startswith("|")
    ]
    names = rows[0][1:]
    return {
        row[0]: {name: said == "refused" for name, said in zip(names, row[1:], strict=True)}
        for row in rows[2:]
    }


def test_the_page_has_every_line_and_no_other() -> None:
    assert list(table()) == [each.value for each in Requirement]
    assert {each for each in Requirement if each not in asked_of("test")} == PROD_ALONE


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (None, "no approval is recorded, and 2 are asked"),
        ({"environment": "test"}, "the recorded approval is of test"),
        ({"model_version": 2}, "the recorded approval is of version 2"),
        ({"model_version": None}, "the recorded approval is of version None"),
        ({"outcome": "unknown"}, "the recorded outcome is unknown"),
        ({"approved_by": ["one"]}, "1 approved, and 2 are asked"),
        ({"approved_by": ["one", "one"]}, "1 approved, and 2 are asked"),
    ],
)
def test_an_approval_that_is_not_this_ones_is_missing(
    changed: dict[str, Any] | None, said: str
) -> None:
    approvals = None if changed is None else {**APPROVED, **changed}
    demands = Demands("prod", GATE, approvals=2)
    (lack,) = lacks(replace(READY, approvals=approvals), demands)
    assert (lack.requirement, lack.said) == (Requirement.APPROVAL, said)
    assert lacks(replace(READY, approvals=approvals), replace(demands, approvals=0)) == ()


def test_what_nobody_knows_is_not_clean() -> None:
    assert found(replace(READY, dirty=None), "prod") == {Requirement.DIRTY}


def test_without_an_evaluation_groups_are_not_assessed() -> None:
    assert found(replace(READY, evaluation=None), "dev") == {Requirement.SLICES}
    assert lacks(replace(READY, evaluation=None), Demands("dev")) == ()


def edit(path: Path, change: Callable[[Any], None]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_a_registered_version_has_its_own_card_and_lineage(registered_once: Path) -> None:
    assert card_problems(registered_once, "tiny", 1) == ()
    # the project of the tests is in no repository
    assert set(lineage_problems(registered_once)) <= {"lineage.json has no git.commit"}


def test_each_field_of_the_lineage_is_missed(version: Path) -> None:
    path = version / "lineage.json"
    whole = path.read_text()
    for field in LINEAGE_FIELDS:
        content = json.loads(whole)
        part = content
        for each in field[:-1]:
            part = part[each]
        del part[field[-1]]
        path.write_text(json.dumps(content))
        assert f"lineage.json has no {'.'.join(field)}" in lineage_problems(version)


def test_a_card_of_another_version_changed_or_missing_is_not_this_ones(version: Path) -> None:
    assert card_problems(version, "tiny", 2) == ("card.json is that of tiny version 1",)
    page = version / "MODEL_CARD.html"
    page.write_text(page.read_text(encoding="utf-8") + " ", encoding="utf-8")
    assert card_problems(version, "tiny", 1) == (
        "MODEL_CARD.html is not the file that was registered",
    )
    page.unlink()
    assert card_problems(version, "tiny", 1) == ("MODEL_CARD.html is missing",)
    edit(version / "card.json", lambda content: content["lineage"].update(run_id="other"))
    assert card_problems(version, "tiny", 1)[:2] == (
        "card.json is of another run than lineage.json",
        "card.json is not the file that was registered",
    )
    (version / "card.json").unlink()
    assert "card.json" in card_problems(version, "tiny", 1)[0]


def test_a_version_without_files_has_neither(tmp_path: Path) -> None:
    assert lineage_problems(tmp_path)
    assert card_problems(tmp_path, "tiny", 1)


def test_human_problems_follow_the_clock(tmp_path: Path) -> None:
    write(tmp_path)
    day: date = FILLED["review_date"]
    assert human_problems(tmp_path, day) == ()
    assert human_problems(tmp_path, date(2027, 1, 1))[0].field == REVIEW
