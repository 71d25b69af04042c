import numpy as np
import pytest

from mlops.metrics import NAMES, classification_metrics, decimal

LABELS = np.array([0, 0, 1, 1])


def test_by_hand() -> None:
    found = classification_metrics(LABELS, np.array([0.1, 0.6, 0.4, 0.9]), threshold=0.5)
    assert found["precision"] == found["recall"] == found["f1"] == 0.5
    assert found["accuracy"] == 0.5
    assert found["roc_auc"] == 0.75
    assert found["brier"] == pytest.approx((0.01 + 0.36 + 0.36 + 0.01) / 4)


def test_the_threshold_itself_counts_as_one() -> None:
    found = classification_metrics(LABELS, np.array([0.1, 0.2, 0.3, 0.3]), threshold=0.3)
    assert found["f1"] == 1.0


@pytest.mark.parametrize(
    ("labels", "missing"),
    [([0, 0], {"f1", "recall", "roc_auc", "average_precision", "brier"}), ([], set(NAMES))],
)
def test_what_cannot_be_computed_is_none(labels: list[int], missing: set[str]) -> None:
    found = classification_metrics(np.array(labels), np.full(len(labels), 0.9), threshold=0.5)
    assert set(found) == set(NAMES)
    assert {name for name, value in found.items() if value is None} == missing


def test_no_prediction_of_one_has_no_precision() -> None:
    found = classification_metrics(LABELS, np.zeros(4), threshold=0.5)
    assert found["precision"] is None
    assert found["f1"] == 0.0


def test_a_value_that_could_not_be_computed_is_no_number() -> None:
    assert (decimal(0.12345), decimal(None)) == ("0.1235", "not computed")
    assert decimal(None, absent="") == ""
