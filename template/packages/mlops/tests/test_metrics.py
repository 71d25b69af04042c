import numpy as np
import pytest
from sklearn import metrics as skm

from mlops.metrics import METRICS, decimal, measured, names_of
from mlops.tasks import BINARY_TARGET, Target, Task

LABELS = np.array([0, 0, 1, 1])
Found = dict[str, float | None]
CLASSES = Target(Task.MULTICLASS, ("cat", "dog", "eel"))
AMOUNTS = Target(Task.REGRESSION)


def binary(labels: list[int], probabilities: list[float], threshold: float = 0.5) -> Found:
    return measured(BINARY_TARGET, np.array(labels), np.array(probabilities), threshold)


def test_binary_by_hand() -> None:
    found = binary([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9])
    assert found["precision"] == found["recall"] == found["f1"] == 0.5
    assert found["accuracy"] == 0.5
    assert found["roc_auc"] == 0.75
    assert found["brier"] == pytest.approx((0.01 + 0.36 + 0.36 + 0.01) / 4)
    assert found["log_loss"] == pytest.approx(-np.log([0.9, 0.4, 0.4, 0.9]).mean())


def test_the_threshold_itself_counts_as_one() -> None:
    assert binary([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.3], threshold=0.3)["f1"] == 1.0


@pytest.mark.parametrize(
    ("labels", "missing"),
    [
        ([0, 0], {"f1", "recall", "roc_auc", "average_precision", "brier"}),
        ([], set(names_of(Task.BINARY))),
    ],
)
def test_what_cannot_be_computed_is_none(labels: list[int], missing: set[str]) -> None:
    found = binary(labels, [0.9] * len(labels))
    assert set(found) == set(names_of(Task.BINARY))
    assert {name for name, value in found.items() if value is None} == missing


def test_no_prediction_of_one_has_no_precision() -> None:
    found = binary([0, 0, 1, 1], [0.0] * 4)
    assert found["precision"] is None
    assert found["f1"] == 0.0


def test_several_classes_by_hand() -> None:
    """Class 0 is found twice of twice, class 1 once of thrice, class 2 once of once."""
    labels = np.array([0, 0, 1, 1, 1, 2])
    predicted = np.array([0, 0, 1, 2, 0, 2])
    found = measured(CLASSES, labels, np.eye(3)[predicted] * 0.7 + 0.1, 0.5)
    assert found["accuracy"] == pytest.approx(4 / 6)
    assert found["balanced_accuracy"] == pytest.approx((1 + 1 / 3 + 1) / 3)
    f1 = np.array([2 * 2 / 5, 2 * 1 / 4, 2 * 1 / 3])
    assert found["f1_macro"] == pytest.approx(f1.mean())
    assert found["f1_weighted"] == pytest.approx(f1 @ [2, 3, 1] / 6)
    assert found["log_loss"] == pytest.approx(-(4 * np.log(0.8) + 2 * np.log(0.1)) / 6)


def test_one_against_the_rest_is_the_mean_of_the_classes() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 200)
    outputs = random.dirichlet([1, 1, 1], 200)
    found = measured(CLASSES, labels, outputs, 0.5)["roc_auc_ovr"]
    assert found == pytest.approx(skm.roc_auc_score(labels, outputs, multi_class="ovr"), abs=1e-12)


def test_a_class_without_a_row_leaves_means_over_classes_open() -> None:
    found = measured(CLASSES, np.array([0, 1, 1]), np.eye(3)[[0, 1, 0]], 0.5)
    none = {name for name, value in found.items() if value is None}
    assert none == {"balanced_accuracy", "f1_macro", "roc_auc_ovr"}


def test_numbers_by_hand() -> None:
    found = measured(AMOUNTS, np.array([10.0, 20.0, 40.0]), np.array([12.0, 20.0, 30.0]), 0.5)
    assert found["mae"] == pytest.approx(4)
    assert found["rmse"] == pytest.approx(np.sqrt(104 / 3))
    assert found["median_absolute_error"] == pytest.approx(2)
    assert found["mape"] == pytest.approx((0.2 + 0 + 0.25) / 3)
    mean = 70 / 3
    spread = (10 - mean) ** 2 + (20 - mean) ** 2 + (40 - mean) ** 2
    assert found["r2"] == pytest.approx(1 - 104 / spread)


@pytest.mark.parametrize(
    ("labels", "missing"),
    [
        ([0.0, 5.0], {"mape"}),
        ([5.0], {"r2"}),
        ([5.0, 5.0], {"r2"}),
        ([], set(names_of(Task.REGRESSION))),
    ],
)
def test_of_some_numbers_not_all_can_be_said(labels: list[float], missing: set[str]) -> None:
    found = measured(AMOUNTS, np.array(labels), np.full(len(labels), 4.0), 0.5)
    assert {name for name, value in found.items() if value is None} == missing


def test_each_metric_knows_its_direction() -> None:
    lower = {name for name, metric in METRICS.items() if metric.lower_is_better}
    assert lower == {"brier", "log_loss", "mae", "rmse", "median_absolute_error", "mape"}


@pytest.mark.parametrize(("name", "good", "bad"), [("f1", 0.9, 0.8), ("mae", 8.0, 9.0)])
def test_comparisons_follow_the_direction(name: str, good: float, bad: float) -> None:
    metric = METRICS[name]
    assert metric.better(good, bad)
    assert not metric.better(bad, good)
    assert not metric.better(good, good)
    assert metric.worse_by(bad, good) == pytest.approx(abs(good - bad))
    assert metric.worse_by(good, bad) == pytest.approx(-abs(good - bad))
    assert not metric.better(metric.loosened(good, 0.5), good)


def test_a_value_that_could_not_be_computed_is_no_number() -> None:
    assert (decimal(0.12345), decimal(None)) == ("0.1235", "not computed")
    assert decimal(None, absent="") == ""
