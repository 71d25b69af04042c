from pathlib import Path
from typing import Any

import pytest

from mlops.artifacts.documents import EVALUATION
from mlops.governance.card_remarks import calibration_words, remarks, slices_words
from mlops.governance.holdout_looks import count_looks
from mlops.platforms.base import Run

INTERVALS = {
    "metric": "f1",
    "level": 0.95,
    "resamples": 1000,
    "redrawn": 12,
    "of": "entities",
    "units": 5004,
    "model": [0.78, 0.84],
    "model_minus_baseline": [-0.01, 0.12],
}


def card(evaluation: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"metric": "f1", "evaluation": evaluation, "verdict": {}, **more}


def test_a_card_of_before_has_no_remarks() -> None:
    assert remarks(card({})) == []
    assert remarks(card({"class_weights": []}, holdout_looks=0)) == []


@pytest.mark.parametrize(
    ("evaluation", "more", "said"),
    [
        (
            {"threshold": {"value": 0.37123456, "rule": "best-f1", "folds": 5, "rows": 9}},
            {},
            "The probability of 0.3712 was chosen by cross-validation on the training part "
            "(best-f1, 5 folds); the holdout had no part in it.",
        ),
        (
            {"class_weights": ["Tree(class_weight='balanced')"]},
            {},
            "Scores, not probabilities: Tree(class_weight='balanced') weighs classes. What asks "
            "for probabilities, such as brier and log_loss, is shown as it is.",
        ),
        (
            {"intervals": INTERVALS},
            {},
            "95 % interval of f1 (F1): 0.7800 to 0.8400; of its difference to the baseline, on the "
            "same resamples: -0.0100 to 0.1200. It is the percentile bootstrap of 1,000 resamples "
            "of 5,004 entities, 12 drawn again. Intervals decide nothing.",
        ),
        (
            {"intervals": None},
            {},
            "f1 has no interval: there are too few rows, or too few of a class.",
        ),
        (
            {},
            {"verdict": {"champion_version": 3, "champion_difference": [-0.02, 0.01]}},
            "95 % interval of the difference of f1 to champion 3, on the same resamples: -0.0200 "
            "to 0.0100.",
        ),
    ],
)
def test_each_remark_says_what_is_known(
    evaluation: dict[str, Any], more: dict[str, Any], said: str
) -> None:
    assert remarks(card(evaluation, **more)) == [said]


def test_how_the_groups_are_to_be_read_is_said_with_the_numbers_of_the_test() -> None:
    test = {
        "metric": "f1",
        "of_all_rows": 0.8125,
        "groups": 4,
        "permutations": 999,
        "min_rows": 50,
        "dealt": "rows",
    }
    said = slices_words({"slice_test": test, "slices_not_crossed": [["a", "b"]]})
    assert "by how much f1 is worse than 0.8125, that of all rows" in said
    assert "999 deals of the rows to the 4 assessed groups" in said
    assert "Groups of fewer than 50 rows are not assessed." in said
    assert "Not crossed, as there are too many groups: a and b." in said
    assert "Not crossed" not in slices_words({"slice_test": test, "slices_not_crossed": []})
    assert slices_words({}) == ""


def test_how_the_calibration_is_to_be_read_is_said_with_both_errors() -> None:
    found = {
        "of": "label 1",
        "expected_error": 0.0312,
        "expected_error_by_chance": 0.0401,
        "simulations": 200,
    }
    said = calibration_words({"calibration": found})
    assert "with a probability happened, of label 1," in said
    assert "Expected calibration error 0.0312;" in said
    assert "at most 0.0401 in 95 % of 200 simulations" in said
    assert calibration_words({"calibration": None}) == ""


@pytest.mark.parametrize(("looks", "words"), [(1, "1 run,"), (12, "12 runs,")])
def test_the_card_says_how_often_the_holdout_was_looked_at(looks: int, words: str) -> None:
    (said,) = remarks(card({}, holdout_looks=looks))
    assert said.startswith(f"This holdout was looked at by {words} as far as is known where")


def test_a_look_is_a_run_that_was_measured_on_just_this_holdout(tmp_path: Path) -> None:
    runs = []
    for name, holdout in (("a", "same"), ("b", "same"), ("c", "other"), ("d", None)):
        folder = tmp_path / name / "evaluation"
        folder.mkdir(parents=True)
        if holdout:
            EVALUATION.write(folder, {"holdout_sha256": holdout})
        runs.append(Run(name, tmp_path / name))
    (tmp_path / "c" / "evaluation" / "evaluation.json").write_text("{")
    assert count_looks(runs, "same") == 2
    assert count_looks([], "same") == 0
