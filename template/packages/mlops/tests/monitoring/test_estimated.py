"""Where performance without labels can be believed, and where it cannot: by simulation."""

import numpy as np
import pytest

from fakes.labelled_events import TARGETS
from mlops.metrics import measured
from mlops.monitoring.estimated import estimate, estimated_metric
from mlops.tasks import Target, Task

ROWS = 20_000
CLOSE = 0.02
"""As far may an estimate of 20,000 calibrated predictions be from what labels say."""
BINARY, SEVERAL = TARGETS[Task.BINARY], TARGETS[Task.MULTICLASS]


def sure(features: np.ndarray) -> np.ndarray:
    """What the model knows: the probability of label 1 in the world in which it was trained."""
    return 1 / (1 + np.exp(-2.0 * features))


def binary_world(seed: int, shift: float = 0.0, flipped: bool = False) -> tuple[np.ndarray, ...]:
    """Return the model's probabilities and the labels that the world gives.

    A shift moves the features (covariate shift); flipped, the same features have come to mean the
    opposite (concept drift).
    """
    random = np.random.default_rng(seed)
    chances = sure(random.normal(shift, 1.0, ROWS))
    true = 1 - chances if flipped else chances
    return chances, (random.random(ROWS) < true).astype(int)


def several_world(seed: int, shift: float, flipped: bool = False) -> tuple[np.ndarray, ...]:
    random = np.random.default_rng(seed)
    scores = np.exp(random.normal(0.0, 1.0, (ROWS, 3)) + shift * np.arange(3))
    chances = scores / scores.sum(axis=1, keepdims=True)
    true = chances[:, ::-1] if flipped else chances
    draws = random.random(ROWS)[:, None]
    return chances, (draws > np.cumsum(true, axis=1)).sum(axis=1).clip(0, 2)


def gaps(target: Target, world: tuple[np.ndarray, ...]) -> dict[str, float]:
    """Return by how much the estimate of each metric is above what labels say."""
    chances, labels = world
    told = measured(target, labels, chances, 0.5)
    guessed = estimate(target, chances, 0.5)
    return {name: (value or 0.0) - (told[name] or 0.0) for name, value in guessed.items()}


@pytest.mark.parametrize("shift", [-2.0, -0.5, 0.0, 1.0])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_it_holds_where_only_the_features_move(seed: int, shift: float) -> None:
    found = gaps(BINARY, binary_world(seed, shift))
    assert set(found) == {"accuracy", "f1", "roc_auc"}
    assert max(map(abs, found.values())) < CLOSE


@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_it_holds_for_several_classes(shift: float) -> None:
    found = gaps(SEVERAL, several_world(1, shift))
    assert set(found) == {"accuracy"}
    assert max(map(abs, found.values())) < CLOSE


def test_it_follows_a_model_that_gets_worse_as_the_features_move() -> None:
    far, near = (estimate(BINARY, binary_world(1, shift)[0], 0.5) for shift in (2.0, 0.0))
    assert far["accuracy"] is not None
    assert near["accuracy"] is not None
    assert far["accuracy"] - near["accuracy"] > 0.1


def test_it_does_not_see_concept_drift() -> None:
    """The labels turn over, and the estimate says what it said before."""
    before = estimate(BINARY, binary_world(1)[0], 0.5)
    after = estimate(BINARY, binary_world(1, flipped=True)[0], 0.5)
    assert after == before
    found = gaps(BINARY, binary_world(1, flipped=True))
    assert min(found.values()) > 0.3
    assert gaps(SEVERAL, several_world(1, 1.0, flipped=True))["accuracy"] > 0.3


def test_it_is_wrong_where_probabilities_are_not_calibrated() -> None:
    chances, labels = binary_world(1)
    too_sure = np.where(chances >= 0.5, 0.99, 0.01)
    assert gaps(BINARY, (too_sure, labels))["accuracy"] > 0.1


def test_auc_is_what_all_labellings_give_in_the_mean() -> None:
    """Of three rows, over the eight labellings by their probabilities, pair by pair."""
    chances = np.array([0.2, 0.2, 0.9])
    won = pairs = 0.0
    for labels in np.ndindex(2, 2, 2):
        weight = np.prod(np.where(np.array(labels) == 1, chances, 1 - chances))
        for i, j in np.argwhere(np.subtract.outer(labels, labels) == 1):
            pairs += weight
            won += weight * ((chances[i] > chances[j]) + (chances[i] == chances[j]) / 2)
    assert estimate(BINARY, chances, 0.5)["roc_auc"] == pytest.approx(won / pairs)


@pytest.mark.parametrize(
    ("chances", "accuracy", "f1", "roc_auc"),
    [
        ([0.0, 0.0], 1.0, None, None),
        ([1.0, 0.0], 1.0, 1.0, 1.0),
        ([0.5], 0.5, 1.0 / 1.5, None),
        ([1.1, -0.1], 1.0, 1.0, 1.0),
        ([], None, None, None),
    ],
)
def test_what_cannot_be_estimated_is_none(
    chances: list[float], accuracy: float | None, f1: float | None, roc_auc: float | None
) -> None:
    found = estimate(BINARY, np.array(chances), 0.5)
    assert found == pytest.approx({"accuracy": accuracy, "f1": f1, "roc_auc": roc_auc})


@pytest.mark.parametrize(
    ("task", "metric", "found"),
    [
        (Task.BINARY, "f1", "f1"),
        (Task.BINARY, "log_loss", "accuracy"),
        (Task.MULTICLASS, "f1_macro", "accuracy"),
        (Task.REGRESSION, "mae", None),
    ],
)
def test_the_gate_s_metric_is_estimated_where_that_can_be(
    task: Task, metric: str, found: str | None
) -> None:
    assert estimated_metric(task, metric) == found


def test_a_regression_says_nothing_of_its_confidence() -> None:
    assert estimate(TARGETS[Task.REGRESSION], np.array([1.0, 2.0]), 0.5) == {}
