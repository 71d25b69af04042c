"""Permutation importance (Breiman, "Random Forests", 2001): what shuffling a feature costs."""

from typing import Any

import numpy as np
from sklearn.inspection import permutation_importance
from sklearn.metrics import log_loss

from mlops.arrays import Labels, Matrix
from mlops.tasks import Target, Task

_ROWS = 2_000
_REPEATS = 3


def importance(
    model: Any, inputs: Matrix, labels: Labels, features: list[str], target: Target
) -> dict[str, Any]:
    """Return what evaluation.json says of the features' importances.

    Args:
        model: the fitted estimator.
        inputs: the holdout's features, shape (rows, features).
        labels: the holdout's, shape (rows,).
        features: the names of the columns of `inputs`.
        target: what is predicted.

    Returns:
        `unit` (what is lost by shuffling), `rows`, `repeats`, and `features`: the mean loss by
        name, the largest first.
    """
    rows = np.random.default_rng(0).permutation(len(labels))[:_ROWS]
    scoring, unit = _scoring(target)
    found = permutation_importance(
        model, inputs[rows], labels[rows], scoring=scoring, n_repeats=_REPEATS, random_state=0
    )
    means = found.importances_mean
    order = np.argsort(-means, kind="stable")
    return {
        "unit": unit,
        "rows": len(rows),
        "repeats": _REPEATS,
        "features": {features[n]: float(means[n]) for n in order},
    }


def _scoring(target: Target) -> tuple[Any, str]:
    """Return how a model is scored for its importances, and what a loss of that is called."""
    if target.task is Task.BINARY:
        return "roc_auc", "loss of ROC AUC"
    if target.task is Task.REGRESSION:
        return "neg_mean_absolute_error", "rise of the mean absolute error"
    positions = list(range(len(target.classes)))

    def score(model: Any, inputs: Matrix, labels: Labels) -> float:
        return -float(log_loss(labels, model.predict_proba(inputs), labels=positions))

    return score, "rise of the log loss"
