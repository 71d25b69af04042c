"""Groups of slices.py: who is assessed, with which interval, and that chance alone is no gap."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from mlops.errors import ConfigError
from mlops.metrics import METRICS, measured
from mlops.steps.bootstrap import Answers, resampled
from mlops.steps.proportions import wilson
from mlops.steps.slices import Question, assess, chance_of_gaps, find_groups, slice_results
from mlops.tasks import BINARY_TARGET, Target, Task

LABELS = np.array([1, 0, 1, 1, 0, 1])
ANSWERS = Answers(np.array([0.9, 0.1, 0.1, 0.9, 0.2, 0.8]), 0.5)
ASKED = Question("accuracy", BINARY_TARGET, LABELS, ANSWERS, None, 2)


def told(features: dict[str, Any], train: dict[str, Any] | None = None, **more: Any) -> Any:
    asked = Question(**{**ASKED.__dict__, **more})
    slices = {name: pl.col(name) for name in features}
    return slice_results(pl.DataFrame(features), pl.DataFrame(train or features), slices, asked)


def test_each_value_of_a_slice_is_measured_on_its_own() -> None:
    found = told({"group": ["a", "a", "b", "b", None, None]})["slices"]
    assert {part["value"]: part["metrics"]["accuracy"] for part in found} == {
        "a": 1.0,
        "b": 0.5,
        "null": 1.0,
    }
    assert [part["rows"] for part in found] == [2, 2, 2]


def test_groups_that_are_missing_small_or_of_one_class_are_not_assessed() -> None:
    train = {"group": ["a", "gone"]}
    found = told({"group": ["a", "a", "b", "b", "c", "a"]}, train)["slices"]
    assert {part["value"]: part["not_assessed"] for part in found} == {
        "a": None,
        "b": "its rows have one class",
        "c": "1 rows, and 2 are asked",
        "gone": "no row in the holdout",
    }
    assert [part["value"] for part in found if "p" in part or "interval" in part] == ["a"]


def test_what_the_metric_cannot_tell_of_a_group_is_not_assessed() -> None:
    answers = Answers(np.array([0.1, 0.1, 0.9, 0.9, 0.9, 0.9]), 0.5)
    found = told({"g": list("aabbcc")}, answers=answers, metric="precision")["slices"]
    assert found[0]["not_assessed"] == "precision cannot be computed of its rows"


def test_without_a_group_that_can_be_assessed_nothing_is_tested() -> None:
    assert told({"g": list("abcdef")})["slice_test"] is None
    assert told({})["slice_test"] is None


def test_values_of_two_slices_are_crossed_and_an_empty_cell_says_so() -> None:
    found = told({"g": list("aabbaa"), "h": list("xxxxyy")})["slices"]
    crossed = {tuple(part["values"]): part for part in found if len(part["of"]) == 2}
    assert {key: part["rows"] for key, part in crossed.items()} == {
        ("a", "x"): 2,
        ("a", "y"): 2,
        ("b", "x"): 2,
        ("b", "y"): 0,
    }
    assert crossed["b", "y"]["not_assessed"] == "no row in the holdout"
    assert crossed["a", "x"]["slice"] == "g and h"
    assert crossed["a", "x"]["metrics"] == {"accuracy": 1.0}


def test_slices_of_too_many_values_are_not_crossed_and_named() -> None:
    features = {"g": list("abcdef"), "h": list("abcdef"), "i": list("aaabbb")}
    frame = pl.DataFrame({**features, "seen": list("uvwxyz")})
    train = pl.concat([frame, frame.with_columns(pl.col("g", "h") + "2")])
    groups, left = find_groups(frame, train, {name: pl.col(name) for name in features})
    assert left == [("g", "h")]
    assert {group.of for group in groups} == {("g",), ("h",), ("i",), ("g", "i"), ("h", "i")}


def test_proportions_have_wilsons_interval_and_the_others_the_bootstraps() -> None:
    random = np.random.default_rng(0)
    labels, said = random.integers(0, 2, 200), random.random(200)
    features = {"g": ["a"] * 120 + ["b"] * 80}
    few: Any = {"labels": labels, "answers": Answers(said, 0.5)}
    right = int(((said[:120] >= 0.5) == labels[:120]).sum())
    part = told(features, **few)["slices"][0]
    assert (part["interval_by"], part["interval"]) == ("wilson", list(wilson(right, 120)))
    hits, positives = int((said[:120] >= 0.5)[labels[:120] == 1].sum()), int(labels[:120].sum())
    part = told(features, **few, metric="recall")["slices"][0]
    assert part["interval"] == list(wilson(hits, positives))
    part = told(features, **few, metric="f1")["slices"][0]
    drawn = resampled("f1", BINARY_TARGET, labels[:120], [Answers(said[:120], 0.5)])
    assert drawn is not None
    assert (part["interval_by"], part["interval"]) == ("bootstrap", list(drawn.interval()))
    together = np.repeat(np.arange(100), 2)
    part = told(features, **few, groups=together)["slices"][0]
    assert part["interval_by"] == "bootstrap"


@pytest.mark.parametrize(
    ("hits", "rows", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (8, 10, 0.4902, 0.9433)],
)
def test_wilsons_interval(hits: int, rows: int, low: float, high: float) -> None:
    """As in Newcombe, Statistics in Medicine 17 (1998), method 3."""
    assert wilson(hits, rows) == pytest.approx((low, high), abs=5e-5)


def test_what_is_no_proportion_has_no_interval() -> None:
    for hits, rows in ((0, 0), (3, 2), (-1, 2)):
        with pytest.raises(ValueError, match="is no proportion"):
            wilson(hits, rows)


def simulated(seed: int, rates: list[float], rows: int = 100) -> tuple[Any, Question]:
    """Groups of `rows` each, in which answers are right at the rates."""
    random = np.random.default_rng(seed)
    groups = np.repeat(np.arange(len(rates)), rows)
    labels = random.integers(0, 2, len(groups))
    right = random.random(len(groups)) < np.array(rates)[groups]
    answers = Answers(np.where(right, labels, 1 - labels) * 0.8 + 0.1, 0.5)
    masks = np.stack([groups == n for n in range(len(rates))])
    return masks, Question("accuracy", BINARY_TARGET, labels, answers, None, 50)


@pytest.mark.slow
def test_without_a_true_gap_at_most_five_percent_are_refused() -> None:
    refused = [min(chance_of_gaps(*simulated(seed, [0.8] * 5))[0]) <= 0.05 for seed in range(200)]
    assert sum(refused) <= 10
    assert sum(refused) > 0  # a test that never refuses would show nothing


@pytest.mark.slow
def test_a_true_gap_is_mostly_found() -> None:
    rates = [0.8, 0.8, 0.8, 0.8, 0.65]
    found = [chance_of_gaps(*simulated(seed, rates))[0] for seed in range(60)]
    assert sum(min(each) <= 0.05 and np.argmin(each) == 4 for each in found) > 30


def test_a_gap_beyond_chance_is_told_from_noise() -> None:
    assert min(chance_of_gaps(*simulated(0, [0.9, 0.9, 0.5]))[0]) < 0.01
    assert min(chance_of_gaps(*simulated(1, [0.8] * 5))[0]) > 0.05


def test_the_more_groups_there_are_the_larger_are_the_gaps_that_chance_makes() -> None:
    masks, asked = simulated(3, [0.65, *[0.8] * 9], rows=60)
    alone, among = (chance_of_gaps(each, asked)[0][0] for each in (masks[:1], masks))
    assert alone < 0.05 < among


def test_the_direction_of_the_metric_counts() -> None:
    random = np.random.default_rng(0)
    labels = random.normal(size=300)
    outputs = labels + random.normal(size=300) * np.repeat([0.5, 0.5, 2.0], 100)
    asked = Question("mae", Target(Task.REGRESSION), labels, Answers(outputs, 0.5), None, 50)
    masks = np.stack([np.repeat(np.arange(3), 100) == n for n in range(3)])
    chances, _ = chance_of_gaps(masks, asked)
    assert chances[2] < 0.01 < 0.5 < min(chances[:2])


def test_rows_that_belong_together_are_dealt_together() -> None:
    """Thirty customers of ten equal rows each: a gap of a few unlucky ones is no gap."""
    customers = np.repeat(np.arange(30), 10)
    right = np.repeat(([True] * 8 + [False] * 2) * 2 + [True] * 6 + [False] * 4, 10)
    labels = np.arange(300) % 2
    answers = Answers(np.where(right, labels, 1 - labels) * 0.8 + 0.1, 0.5)
    group = np.repeat(np.arange(3), 100)
    masks = np.stack([group == n for n in range(3)])
    alone = Question("accuracy", BINARY_TARGET, labels, answers, None, 50)
    together = Question("accuracy", BINARY_TARGET, labels, answers, customers, 50)
    assert min(chance_of_gaps(masks, alone)[0]) < 0.05 < min(chance_of_gaps(masks, together)[0])


def test_gaps_and_values_agree_with_the_metrics_of_the_rows() -> None:
    masks, asked = simulated(3, [0.9, 0.6])
    frame = pl.DataFrame({"g": ["a"] * 100 + ["b"] * 100})
    groups, _ = find_groups(frame, frame, {"g": pl.col("g")})
    found = assess(groups, asked)
    whole = measured(BINARY_TARGET, asked.labels, asked.answers.outputs, 0.5)["accuracy"]
    assert found["slice_test"]["of_all_rows"] == whole
    for part, mask in zip(found["slices"], masks, strict=True):
        own = measured(BINARY_TARGET, asked.labels[mask], asked.answers.outputs[mask], 0.5)
        assert part["metrics"] == own
        assert whole is not None
        assert own["accuracy"] is not None
        assert part["gap"] == METRICS["accuracy"].worse_by(own["accuracy"], whole)
    assert found == assess(groups, asked)


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        (pl.col("gone"), 'unable to find column "gone"'),
        (pl.col("spend").str.to_lowercase(), "String"),
        (pl.col("spend").mean(), "1 rows and 1 columns, not one value for each of 2"),
        (pl.col("spend", "visits"), "2 rows and 2 columns, not one value for each of 2"),
    ],
)
def test_a_slice_that_cannot_be_computed_is_named_with_the_features(
    expression: pl.Expr, problem: str
) -> None:
    features = pl.DataFrame({"spend": [1.0, 2.0], "visits": [1, 2]})
    with pytest.raises(ConfigError) as told:
        find_groups(features, features, {"of spend": expression})
    assert told.value.message.startswith("slices.py: the slice of spend cannot be computed (")
    assert problem in told.value.message
    assert told.value.message.count("; ") == told.value.message.count("\n") == 0
    assert told.value.remedy == "write it with the features that there are: spend, visits"
