"""Performance without labels, from what a classifier says of its own confidence.

Confidence-based performance estimation (CBPE): where a probability is calibrated, it tells how
often an answer is right, so the expected confusion matrix follows from probabilities alone.
Source: NannyML's documentation, "How it works: Estimating performance", and Białek, Kuberski,
Perrakis and Bifet, "We don't need no labels: Estimating post-deployment model performance under
covariate shift without ground truth", arXiv:2401.08348 (2024).

It holds while the same features go on meaning the same, however their distribution moves (covariate
shift), and probabilities are calibrated where callers now are. It cannot see concept drift: where
labels come about otherwise than in training, the model is as sure as before, and wrong.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mlops.tasks import Target, Task

if TYPE_CHECKING:
    from mlops.arrays import Outputs

ESTIMABLE: Mapping[Task, tuple[str, ...]] = MappingProxyType(
    {Task.BINARY: ("accuracy", "f1", "roc_auc"), Task.MULTICLASS: ("accuracy",)}
)
"""The metrics that are estimated of each task; a regression has no confidence."""

Floats = npt.NDArray[np.float64]


def estimated_metric(task: Task, metric: str) -> str | None:
    """Return which metric is estimated: the gate's where that can be, else accuracy, or none."""
    known = ESTIMABLE.get(task, ())
    return metric if metric in known else next(iter(known), None)


def estimate(target: Target, outputs: "Outputs", threshold: float) -> dict[str, float | None]:
    """Return the expected metrics of predictions whose labels nobody knows.

    Args:
        target: what is predicted.
        outputs: calibrated probabilities, see `Target.outputs`.
        threshold: probability from which a binary prediction is 1.

    Returns:
        What `ESTIMABLE` names of the task; None where it cannot be told; empty of a regression.
    """
    names = ESTIMABLE.get(target.task, ())
    if len(outputs) == 0:
        return dict.fromkeys(names)
    chances = np.clip(np.asarray(outputs, dtype=np.float64), 0.0, 1.0)
    if target.task is Task.MULTICLASS:
        return {"accuracy": float(chances.max(axis=1).mean())}
    if target.task is not Task.BINARY:
        return {}
    says_one = target.decisions(chances, threshold) == 1
    right = np.where(says_one, chances, 1 - chances)
    return {
        "accuracy": float(right.mean()),
        "f1": _f1(chances, says_one),
        "roc_auc": _roc_auc(chances),
    }


def _f1(chances: Floats, says_one: npt.NDArray[np.bool_]) -> float | None:
    """Return F1 of the expected confusion matrix: 2 TP / (predicted 1 + labelled 1)."""
    positives = chances.sum()
    if not positives:
        return None
    return float(2 * chances[says_one].sum() / (says_one.sum() + positives))


def _roc_auc(chances: Floats) -> float | None:
    """Return how often a 1 is expected above a 0, over all pairs of two different rows."""
    scores, of_row = np.unique(chances, return_inverse=True)
    ones = np.bincount(of_row, weights=chances, minlength=len(scores))
    zeros = np.bincount(of_row, weights=1 - chances, minlength=len(scores))
    with_itself = chances @ (1 - chances)
    pairs = ones.sum() * zeros.sum() - with_itself
    if pairs <= 1e-12:
        return None
    below = np.cumsum(zeros) - zeros
    return float((ones @ (below + zeros / 2) - with_itself / 2) / pairs)
