"""Metrics of a binary classifier.

A metric that cannot be computed (one class only, no row) is None, never a number.
"""

from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from mlops.arrays import Labels, Probabilities

MetricName = Literal[
    "f1", "precision", "recall", "accuracy", "roc_auc", "average_precision", "brier"
]
"""What `gate.metric` may be; each also has a limit in `gate.thresholds`."""
NAMES: tuple[MetricName, ...] = get_args(MetricName)
LOWER_IS_BETTER = frozenset({"brier"})


def classification_metrics(
    labels: "Labels", probabilities: "Probabilities", threshold: float
) -> dict[str, float | None]:
    """Compute the metrics of probabilities against labels, both of shape (rows,).

    Args:
        labels: 0 or 1.
        probabilities: the model's probability of label 1.
        threshold: probability from which the prediction counts as 1.
    """
    import numpy as np
    from sklearn import metrics as skm

    if len(labels) == 0:
        return dict.fromkeys(NAMES)
    predicted = (probabilities >= threshold).astype(int)
    both = len(np.unique(labels)) == 2
    return {
        "f1": float(skm.f1_score(labels, predicted, zero_division=0)) if labels.any() else None,
        "precision": float(skm.precision_score(labels, predicted, zero_division=0))
        if predicted.any()
        else None,
        "recall": float(skm.recall_score(labels, predicted)) if labels.any() else None,
        "accuracy": float(skm.accuracy_score(labels, predicted)),
        "roc_auc": float(skm.roc_auc_score(labels, probabilities)) if both else None,
        "average_precision": float(skm.average_precision_score(labels, probabilities))
        if labels.any()
        else None,
        "brier": float(skm.brier_score_loss(labels, probabilities, pos_label=1)) if both else None,
    }


def decimal(value: float | None, absent: str = "not computed") -> str:
    """Return a metric's value with four decimals, or what is said where there is none."""
    return absent if value is None else f"{value:.4f}"
