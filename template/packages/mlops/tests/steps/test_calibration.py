import numpy as np
import pytest

from mlops.steps.calibration import BINS, calibration
from mlops.steps.proportions import wilson
from mlops.tasks import BINARY_TARGET, Target, Task


def test_every_bin_says_how_many_rows_it_has_and_its_interval() -> None:
    labels, said = np.array([0, 1, 1, 1]), np.array([0.05, 0.05, 0.95, 1.0])
    found = calibration(BINARY_TARGET, labels, said)
    assert found is not None
    assert [each["rows"] for each in found["bins"]] == [2, 0, 0, 0, 0, 0, 0, 0, 0, 2]
    assert found["bins"][0] == {
        "from": 0.0,
        "to": 0.1,
        "rows": 2,
        "predicted": pytest.approx(0.05),
        "observed": 0.5,
        "interval": list(wilson(1, 2)),
    }
    assert found["bins"][1]["observed"] is None
    assert found["expected_error"] == pytest.approx((2 * 0.45 + 2 * 0.025) / 4)


def test_the_error_is_judged_against_what_chance_makes_of_it() -> None:
    """Of a perfectly calibrated model, the error at 1,000 rows is about 0.04, and not 0."""
    random = np.random.default_rng(0)
    said = random.random(1_000)
    labels = (random.random(1_000) < said).astype(int)
    good, bad = (calibration(BINARY_TARGET, labels, each) for each in (said, said**3))
    assert good is not None
    assert bad is not None
    assert 0 < good["expected_error"] <= good["expected_error_by_chance"] < 0.07
    assert bad["expected_error"] > 2 * bad["expected_error_by_chance"]


def test_of_several_classes_it_is_the_predicted_ones() -> None:
    target = Target(Task.MULTICLASS, ("a", "b", "c"))
    outputs = np.array([[0.7, 0.2, 0.1], [0.1, 0.72, 0.18]])
    found = calibration(target, np.array([0, 2]), outputs)
    assert found is not None
    assert found["of"] == "the predicted class"
    assert (found["bins"][7]["rows"], found["bins"][7]["observed"]) == (2, 0.5)
    assert len(found["bins"]) == BINS


def test_a_regression_and_no_rows_have_none() -> None:
    assert calibration(Target(Task.REGRESSION), np.array([1.0]), np.array([1.0])) is None
    assert calibration(BINARY_TARGET, np.array([]), np.array([])) is None
