from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from mlops.metrics import measured, names_of
from mlops.steps.bootstrap import (
    FEWEST,
    RESAMPLES,
    Answers,
    groups_of,
    intervals,
    resampled,
)
from mlops.steps.weighted_metrics import weighted
from mlops.tasks import BINARY_TARGET, Target, Task

MULTICLASS = Target(Task.MULTICLASS, ("a", "b", "c"))
REGRESSION = Target(Task.REGRESSION)
Case = tuple[Target, npt.NDArray[Any], npt.NDArray[np.float64]]


def binary(rows: int = 200, *, ties: bool = False) -> Case:
    random = np.random.default_rng(1)
    labels = (random.random(rows) < 0.3).astype(np.int8)
    outputs = np.clip(0.3 * labels + random.random(rows) * 0.7, 0, 1)
    return BINARY_TARGET, labels, np.round(outputs, 1) if ties else outputs


def multiclass(rows: int = 200) -> Case:
    random = np.random.default_rng(2)
    labels = random.choice([0, 0, 1, 2], rows)
    raw = random.random((rows, 3)) + (labels[:, None] == np.arange(3))
    return MULTICLASS, labels, raw / raw.sum(axis=1, keepdims=True)


def regression(rows: int = 201) -> Case:
    random = np.random.default_rng(3)
    labels = 100_000 + random.lognormal(3, 2, rows)
    return REGRESSION, labels, labels + random.normal(0, 50, rows).round()


CASES: dict[str, Callable[[], Case]] = {
    "binary": binary,
    "ties": lambda: binary(ties=True),
    "multiclass": multiclass,
    "regression": regression,
}


def test_every_metric_of_every_task_has_its_form_for_resamples() -> None:
    for target, labels, outputs in (make() for make in CASES.values()):
        for name in names_of(target.task):
            assert np.isfinite(
                weighted(name, target, labels, outputs, 0.5)(np.ones((1, len(labels))))
            )


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("even", [True, False])
def test_each_resample_has_the_value_that_scikit_learn_computes(case: str, even: bool) -> None:
    target, labels, outputs = CASES[case]()
    random = np.random.default_rng(4)
    size = len(labels) - (len(labels) % 2 if even else 1 - len(labels) % 2)
    drawn = random.integers(0, len(labels), (20, size))
    counts = np.stack([np.bincount(rows, minlength=len(labels)) for rows in drawn]).astype(float)
    each = [measured(target, labels[rows], outputs[rows], 0.45) for rows in drawn]
    for name in names_of(target.task):
        found = weighted(name, target, labels, outputs, 0.45)(counts)
        expected = [metrics[name] for metrics in each]
        assert found == pytest.approx(expected, rel=1e-12, abs=1e-12), name


def test_tiny_probabilities_are_clipped_as_scikit_learn_clips_those_of_their_type() -> None:
    labels, outputs = np.array([1, 0, 1]), np.array([0.0, 1.0, 0.5], dtype=np.float32)
    expected = measured(BINARY_TARGET, labels, outputs, 0.5)["log_loss"]
    found = weighted("log_loss", BINARY_TARGET, labels, outputs, 0.5)(np.ones((1, 3)))
    assert found[0] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("metric", "labels", "outputs"),
    [
        ("precision", [1, 0], [0.1, 0.2]),
        ("roc_auc", [1, 1], [0.1, 0.2]),
        ("average_precision", [0, 0], [0.1, 0.2]),
        ("recall", [0, 0], [0.9, 0.2]),
    ],
)
def test_what_cannot_be_computed_has_no_interval(
    metric: str, labels: list[int], outputs: list[float]
) -> None:
    answers = [Answers(np.array(outputs), 0.5)]
    assert resampled(metric, BINARY_TARGET, np.array(labels), answers) is None


@pytest.mark.parametrize(
    ("metric", "labels"), [("r2", [5.0, 5.0, 5.0]), ("mape", [1.0, 0.0, 2.0]), ("mae", [])]
)
def test_a_regression_without_variance_or_with_a_zero_has_none(
    metric: str, labels: list[float]
) -> None:
    answers = [Answers(np.full(len(labels), 4.0), 0.5)]
    assert resampled(metric, REGRESSION, np.array(labels), answers) is None


def test_one_row_has_an_interval_of_one_value() -> None:
    found = resampled("mae", REGRESSION, np.array([3.0]), [Answers(np.array([1.0]), 0.5)])
    assert found is not None
    assert found.interval() == (2.0, 2.0)
    assert len(found.values) == RESAMPLES


def test_an_interval_of_a_mean_is_as_wide_as_theory_says() -> None:
    target, labels, _ = regression(2_000)
    errors = np.random.default_rng(5).normal(0, 1, len(labels))
    found = resampled("rmse", target, labels, [Answers(labels + errors, 0.5)])
    assert found is not None
    low, high = found.interval()
    expected = 2 * 1.96 / np.sqrt(2 * len(labels))
    assert high - low == pytest.approx(expected, rel=0.1)
    assert low < np.sqrt(np.mean(errors**2)) < high


def test_the_same_answers_always_have_the_same_interval() -> None:
    target, labels, outputs = binary()
    answers = [Answers(outputs, 0.5)]
    first, second = (resampled("f1", target, labels, answers) for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.interval() == second.interval()


def test_models_are_compared_on_the_same_resamples() -> None:
    """Two models that are wrong by the same amount everywhere do not differ, however rows do."""
    _, labels, _ = regression(500)
    errors = np.random.default_rng(6).lognormal(3, 2, 500)
    models = [Answers(labels + errors + 1, 0.5), Answers(labels + errors, 0.5)]
    found = resampled("mae", REGRESSION, labels, models)
    assert found is not None
    assert found.difference() == pytest.approx((1.0, 1.0))
    low, high = found.interval()
    assert high - low > 10


def test_groups_are_drawn_whole_and_make_intervals_wider() -> None:
    random = np.random.default_rng(7)
    groups = np.repeat(np.arange(40), 25)
    errors = np.repeat(np.abs(random.normal(0, 1, 40)), 25)
    labels = np.zeros(1_000)
    answers = [Answers(errors, 0.5)]
    rows = resampled("mae", REGRESSION, labels, answers)
    whole = resampled("mae", REGRESSION, labels, answers, groups)
    assert rows is not None
    assert whole is not None
    assert (rows.units, whole.units) == (1_000, 40)
    (low, high), (wide_low, wide_high) = rows.interval(), whole.interval()
    assert wide_high - wide_low > 3 * (high - low)
    assert whole.values.shape == (RESAMPLES, 1)


def test_a_resample_without_a_class_is_redrawn_and_counted() -> None:
    labels = np.zeros(50, dtype=int)
    labels[:2] = 1
    found = resampled("accuracy", BINARY_TARGET, labels, [Answers(labels * 0.9, 0.5)])
    assert found is not None
    assert len(found.values) == RESAMPLES
    share = found.redrawn / (RESAMPLES + found.redrawn)
    assert share == pytest.approx((48 / 50) ** 50, abs=0.04)


def test_so_many_rare_classes_that_no_resample_has_all_have_no_interval() -> None:
    target = Target(Task.MULTICLASS, tuple(f"c{k}" for k in range(30)))
    labels = np.arange(30)
    outputs = np.eye(30) * 0.5 + 0.5 / 30
    assert resampled("accuracy", target, labels, [Answers(outputs, 0.5)]) is None


def test_fewer_resamples_are_drawn_of_very_many_rows() -> None:
    labels = np.zeros(400)
    answers = [Answers(np.ones(400), 0.5)]
    found = resampled("mae", REGRESSION, labels, answers, work=200_000)
    assert found is not None
    assert len(found.values) == 500 > FEWEST


def test_the_document_says_what_was_drawn_and_the_difference_to_the_baseline() -> None:
    target, labels, outputs = binary()
    baseline = np.full(len(labels), 0.6)
    found = intervals("f1", target, labels, Answers(outputs, 0.5), Answers(baseline, 0.5), None)
    assert found is not None
    assert found["metric"] == "f1"
    assert (found["level"], found["resamples"], found["redrawn"]) == (0.95, RESAMPLES, 0)
    assert (found["of"], found["units"]) == ("entities", len(labels))
    values = {
        name: measured(target, labels, answers, 0.5)["f1"] or 0.0
        for name, answers in (("model", outputs), ("baseline", baseline))
    }
    assert found["model"][0] < values["model"] < found["model"][1]
    low, high = found["model_minus_baseline"]
    assert low < values["model"] - values["baseline"] < high


def test_the_groups_are_those_of_the_split() -> None:
    assert groups_of(pl.DataFrame({"key": [1, 2]})) is None
    found = groups_of(pl.DataFrame({"key": [1, 2], "split.group": [7, 7]}))
    assert found is not None
    assert found.tolist() == [7, 7]
