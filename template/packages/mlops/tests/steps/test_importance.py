"""What shuffling a feature costs is told under that feature's name, for each task."""

from typing import Any

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from mlops.steps.importance import importance
from mlops.tasks import BINARY_TARGET, Target, Task

NAMES = ["noise", "decides", "helps", "constant"]
DICE = np.random.default_rng(0)
INPUTS = np.column_stack([*(DICE.random(300) for _ in range(3)), np.zeros(300)])
AMOUNT = 10 * INPUTS[:, 1] + INPUTS[:, 2]


@pytest.mark.parametrize(
    ("target", "labels", "model", "unit"),
    [
        (BINARY_TARGET, (AMOUNT > 5.5).astype(int), DecisionTreeClassifier(), "loss of ROC AUC"),
        (
            Target(Task.MULTICLASS, ("a", "b", "c")),
            np.digitize(AMOUNT, [4.0, 7.0]),
            DecisionTreeClassifier(max_depth=4),
            "rise of the log loss",
        ),
        (
            Target(Task.REGRESSION),
            AMOUNT,
            DecisionTreeRegressor(),
            "rise of the mean absolute error",
        ),
    ],
    ids=["binary", "multiclass", "regression"],
)
def test_what_decides_comes_first_and_has_the_larger_number(
    target: Target, labels: Any, model: Any, unit: str
) -> None:
    found = importance(model.fit(INPUTS, labels), INPUTS, labels, NAMES, target)
    numbers = found["features"]
    assert (found["unit"], found["rows"], {*numbers}) == (unit, 300, {*NAMES})
    assert next(iter(numbers)) == "decides"
    assert numbers["decides"] > 3 * abs(numbers["noise"])
    assert numbers["decides"] > numbers["helps"] > numbers["constant"] == 0
    assert [*numbers.values()] == sorted(numbers.values(), reverse=True)
