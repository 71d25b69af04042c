"""Every comparison can say each of its words, and what cannot be compared is never the same."""

import math
from collections.abc import Mapping
from typing import Any

import pytest

from mlops.reproduction.agreement import (
    Agreement,
    FoundData,
    RecordedData,
    Word,
    causes,
    code_agreement,
    data_agreement,
    metrics_agreement,
    predictions_agreement,
    surroundings_agreement,
    verdict,
)

SAME, DIFFERS, NOT = Word.SAME, Word.DIFFERS, Word.NOT_COMPARABLE
RECORDED = RecordedData("a" * 64, 300, {"one.csv": "1", "two.csv": "2", "old.csv": "3"})
METRICS = {"f1": 0.8, "brier": 0.1, "roc_auc": None}


def found(rows: int = 300, **changed: Any) -> FoundData:
    files = {"one.csv": "1", "two.csv": "changed", "new.csv": "4"}
    return FoundData(
        **{"hash": "b" * 64, "is_recorded": False, "rows": rows, "files": files, **changed}
    )


def of(word: Word, what: str = "x") -> Agreement:
    return Agreement(what, word, "then", "now")


def test_the_recorded_data_are_the_same_whatever_the_files_are() -> None:
    agreed = data_agreement(RECORDED, found(is_recorded=True))
    assert (agreed.word, agreed.remark) == (SAME, "300 rows")
    assert agreed.found == agreed.recorded


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (300, "300 rows as recorded, so values were changed"),
        (299, "299 rows, 1 fewer than the recorded 300"),
        (1500, "1,500 rows, 1,200 more than the recorded 300"),
    ],
)
def test_other_data_are_told_with_rows_and_files(rows: int, said: str) -> None:
    agreed = data_agreement(RECORDED, found(rows))
    assert agreed.word is DIFFERS
    assert agreed.remark == f"{said}, changed: two.csv, missing: old.csv, new: new.csv"
    assert agreed.recorded == f"{'a' * 16}…"
    assert agreed.found == f"{'b' * 16}…"


def test_what_is_not_recorded_of_other_data_is_said() -> None:
    agreed = data_agreement(RecordedData("a" * 64, None, {}), found())
    assert agreed.remark == "300 rows, and how many there were is not recorded"


def test_data_that_are_refused_are_not_comparable() -> None:
    agreed = data_agreement(RECORDED, found(refused="key: not_nullable (1)"))
    assert agreed.word is NOT
    assert "refused: key: not_nullable (1)" in agreed.remark


def test_data_that_a_request_changed_say_so() -> None:
    agreed = data_agreement(RECORDED, found(), changed_by="R7")
    assert (agreed.word, agreed.changed_by) == (DIFFERS, "R7")
    assert agreed.remark.startswith("source changed by request R7, 300 rows")
    assert any("by request R7" in each for each in causes([agreed], []))


@pytest.mark.parametrize(
    ("now", "word"),
    [
        (METRICS, SAME),
        ({**METRICS, "f1": 0.8 + 1e-8}, SAME),
        ({**METRICS, "f1": 0.8001}, DIFFERS),
        ({**METRICS, "roc_auc": 0.5}, DIFFERS),
        ({**METRICS, "f1": math.nan}, DIFFERS),
        ({"f1": 0.8}, NOT),
        ({**METRICS, "mae": 1.0}, NOT),
        (None, NOT),
    ],
)
def test_metrics_agree_by_name(now: Mapping[str, float | None] | None, word: Word) -> None:
    assert metrics_agreement(METRICS, now).word is word
    assert metrics_agreement(now, METRICS).word is word


def test_a_metric_that_differs_is_named_with_both_values() -> None:
    remark = metrics_agreement(METRICS, {**METRICS, "f1": 0.5}).remark
    assert remark == "f1 0.8000, now 0.5000"


def test_nothing_measured_is_not_the_same() -> None:
    assert metrics_agreement({}, {}).word is NOT


@pytest.mark.parametrize(
    ("rows", "gap", "word"),
    [(9, 0.0, SAME), (9, 1e-6, SAME), (9, 2e-6, DIFFERS), (9, None, NOT), (0, 0.0, NOT)],
)
def test_predictions_agree_within_the_tolerance(rows: int, gap: float | None, word: Word) -> None:
    assert predictions_agreement(rows, gap).word is word


@pytest.mark.parametrize(
    ("words", "word"),
    [
        ([SAME, SAME], SAME),
        ([SAME, DIFFERS, NOT], DIFFERS),
        ([SAME, NOT], NOT),
        ([], NOT),
    ],
)
def test_one_word_for_all(words: list[Word], word: Word) -> None:
    assert verdict([of(each) for each in words]) is word


def test_other_packages_are_a_possible_cause() -> None:
    then, now = {"python": "3.11.9", "packages_sha256": "a" * 64}, {"python": "3.11.9"}
    around = surroundings_agreement(then, {**now, "packages_sha256": "b" * 64})
    assert [each.word for each in around] == [SAME, NOT, DIFFERS, NOT]
    said = causes([of(DIFFERS, "metrics")], around)
    assert f"packages: recorded {'a' * 16}…, now {'b' * 16}…" in said
    assert not any("Python" in each for each in said)
    assert causes([of(SAME)], around) == ()


def test_where_nothing_recorded_differs_the_training_is_the_cause() -> None:
    (said,) = causes([of(DIFFERS, "metrics")], [of(SAME, "packages")])
    assert "the training itself" in said


@pytest.mark.parametrize(
    ("now", "then_dirty", "dirty", "word"),
    [
        ("c1", False, False, SAME),
        ("c2", False, False, DIFFERS),
        ("c1", True, False, NOT),
        ("c1", False, True, NOT),
        ("c2", False, True, DIFFERS),
        ("", False, False, NOT),
    ],
)
def test_code_with_uncommitted_changes_is_not_comparable(
    now: str, then_dirty: bool, dirty: bool, word: Word
) -> None:
    agreed = code_agreement("c1", now, recorded_dirty=then_dirty, dirty=dirty)
    assert agreed.word is word
    assert ("uncommitted" in agreed.remark) == (then_dirty or dirty)
