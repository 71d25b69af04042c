"""The human part: each field that is empty, to do or overdue is named with its file."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from fakes.human_part import write
from mlops.errors import ConfigError
from mlops.files import file_sha256
from mlops.governance.human_part import TEXTS, human_problems, read_human_part

TODAY = date(2026, 12, 1)


def sentences(root: Path) -> list[str]:
    return [each.sentence for each in human_problems(root, TODAY)]


def test_a_filled_file_is_read_and_has_no_problem(tmp_path: Path) -> None:
    path = write(tmp_path, limitations="Two\nlines.")
    found = read_human_part(tmp_path)
    assert found is not None
    assert found.problems(TODAY) == ()
    assert found.to_dict() == {
        "texts": {
            **{field: ["Said."] for field in TEXTS},
            "owners": ["One", "Two"],
            "limitations": ["Two lines."],
        },
        "review_date": "2026-12-01",
        "sha256": file_sha256(path),
    }


@pytest.mark.parametrize("field", TEXTS)
@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        (None, "is empty"),
        ([], "is empty"),
        ("TODO", "still says TODO"),
        (["Fine.", "TODO: the rest"], "still says TODO"),
    ],
)
def test_a_field_that_is_empty_or_to_do_is_named(
    tmp_path: Path, field: str, value: Any, problem: str
) -> None:
    write(tmp_path, **{field: value})
    assert sentences(tmp_path) == [f"compliance/model_card.yaml: {field} {problem}"]


def test_what_only_contains_the_letters_is_no_todo(tmp_path: Path) -> None:
    write(tmp_path, users="People in Todorovo, who use TODOist.")
    assert sentences(tmp_path) == []


@pytest.mark.parametrize(
    ("day", "problem"),
    [
        (date(2026, 11, 30), "is overdue since 2026-11-30"),
        (None, "is empty"),
        ("TODO", "still says TODO"),
        ("next year", "is no day as 2027-06-30 is"),
    ],
)
def test_a_review_that_is_overdue_or_no_day_is_named(
    tmp_path: Path, day: Any, problem: str
) -> None:
    write(tmp_path, review_date=day)
    assert sentences(tmp_path) == [f"compliance/model_card.yaml: review_date {problem}"]


def test_a_missing_or_unreadable_file_is_a_problem_of_its_own(tmp_path: Path) -> None:
    assert read_human_part(tmp_path) is None
    assert sentences(tmp_path) == ["compliance/model_card.yaml: is missing"]
    path = write(tmp_path)
    path.write_text("users: [")
    assert "is not valid YAML" in sentences(tmp_path)[0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("- a\n", "compliance/model_card.yaml holds no fields"),
        ("user: me\n", "compliance/model_card.yaml: user is no field of the model card"),
        ("users: 3\n", "compliance/model_card.yaml: users is neither a text nor a list of texts"),
        ("users: a\nusers: b\n", "stands twice"),
    ],
)
def test_what_is_no_card_is_an_error_that_names_the_field(
    tmp_path: Path, content: str, said: str
) -> None:
    write(tmp_path).write_text(content)
    with pytest.raises(ConfigError, match=said):
        read_human_part(tmp_path)


def test_an_empty_file_lacks_every_field(tmp_path: Path) -> None:
    write(tmp_path).write_text("# nothing yet\n")
    found = read_human_part(tmp_path)
    assert found is not None
    assert [each.field for each in found.problems(TODAY)] == [*TEXTS, "review_date"]
