"""The metrics of each task, in one registry: which task, which direction; scikit-learn computes.

A metric that cannot be computed (no row, a class that no label has, a label of 0 for a percentage)
is None, never a number.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from mlops.tasks import Target, Task

if TYPE_CHECKING:
    from mlops.arrays import Decisions, Labels, Outputs

MetricName = Literal[
    "f1",
    "precision",
    "recall",
    "accuracy",
    "roc_auc",
    "average_precision",
    "brier",
    "log_loss",
    "balanced_accuracy",
    "f1_macro",
    "f1_weighted",
    "roc_auc_ovr",
    "mae",
    "rmse",
    "median_absolute_error",
    "r2",
    "mape",
]
"""What `gate.metric` may be; each also has a limit in `gate.thresholds`."""


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        name: as conf and documents call it.
        tasks: of which questions it can be asked.
        words: as a sentence calls it.
        lower_is_better: its direction.
        bounded: whether it lies between 0 and 1; else it is in the unit of the label, or has no
            lower end.
    """

    name: MetricName
    tasks: frozenset[Task]
    words: str
    lower_is_better: bool = False
    bounded: bool = True

    def better(self, ours: float, theirs: float) -> bool:
        """Tell whether the first value is better than the second, and not the same."""
        return ours < theirs if self.lower_is_better else ours > theirs

    def worse_by(self, ours: float, theirs: float) -> float:
        """Return by how much the first value is worse than the second; below 0 if better."""
        return ours - theirs if self.lower_is_better else theirs - ours

    def loosened(self, limit: float, tolerance: float) -> float:
        """Return a limit that allows so much more in the bad direction."""
        return limit + tolerance if self.lower_is_better else limit - tolerance


_BINARY = frozenset({Task.BINARY})
_CLASSES = frozenset({Task.MULTICLASS})
_ANY_CLASSES = _BINARY | _CLASSES
_NUMBERS = frozenset({Task.REGRESSION})

_ALL = (
    Metric("f1", _BINARY, "F1"),
    Metric("precision", _BINARY, "precision"),
    Metric("recall", _BINARY, "recall"),
    Metric("accuracy", _ANY_CLASSES, "accuracy"),
    Metric("roc_auc", _BINARY, "ROC AUC"),
    Metric("average_precision", _BINARY, "average precision"),
    Metric("brier", _BINARY, "Brier score", lower_is_better=True),
    Metric("balanced_accuracy", _CLASSES, "balanced accuracy"),
    Metric("f1_macro", _CLASSES, "F1, the mean over classes"),
    Metric("f1_weighted", _CLASSES, "F1, the mean over rows"),
    Metric("log_loss", _ANY_CLASSES, "log loss", lower_is_better=True, bounded=False),
    Metric("roc_auc_ovr", _CLASSES, "ROC AUC of each class against the rest, the mean"),
    Metric("mae", _NUMBERS, "mean absolute error", lower_is_better=True, bounded=False),
    Metric("rmse", _NUMBERS, "root of the mean squared error", lower_is_better=True, bounded=False),
    Metric(
        "median_absolute_error",
        _NUMBERS,
        "median absolute error",
        lower_is_better=True,
        bounded=False,
    ),
    Metric("r2", _NUMBERS, "R², the share of the variance explained", bounded=False),
    Metric("mape", _NUMBERS, "mean absolute percentage error", lower_is_better=True, bounded=False),
)
METRICS: Mapping[str, Metric] = MappingProxyType({metric.name: metric for metric in _ALL})
"""Every metric by its name."""
DEFAULT_METRIC = MappingProxyType(
    {Task.BINARY: "f1", Task.MULTICLASS: "f1_macro", Task.REGRESSION: "mae"}
)
"""What a model is compared by where conf says nothing."""


def names_of(task: Task) -> tuple[str, ...]:
    """Return the metrics that can be asked of a task."""
    return tuple(name for name, metric in METRICS.items() if task in metric.tasks)


def measured(
    target: Target, labels: "Labels", outputs: "Outputs", threshold: float
) -> dict[str, float | None]:
    """Compute the metrics of a model's answers.

    Args:
        target: what is predicted.
        labels: shape (rows,); of several classes their positions.
        outputs: the answers, as `Target.outputs` returns them.
        threshold: probability from which a binary prediction is 1.
    """
    if len(labels) == 0:
        return dict.fromkeys(names_of(target.task))
    decisions = target.decisions(outputs, threshold)
    if target.task is Task.BINARY:
        return _binary(labels, outputs, decisions)
    if target.task is Task.MULTICLASS:
        return _multiclass(labels, outputs, decisions)
    return _regression(labels, outputs)


def decimal(value: float | None, absent: str = "not computed") -> str:
    """Return a metric's value with four decimals, or what is said where there is none."""
    return absent if value is None else f"{value:.4f}"


def _binary(
    labels: "Labels", probabilities: "Outputs", predicted: "Decisions"
) -> dict[str, float | None]:
    import numpy as np
    from sklearn import metrics as skm

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
        "log_loss": float(skm.log_loss(labels, probabilities, labels=[0, 1])),
    }


def _multiclass(
    labels: "Labels", probabilities: "Outputs", predicted: "Decisions"
) -> dict[str, float | None]:
    """Compute metrics over classes; where one has no row, a mean over all of them is None."""
    import numpy as np
    from sklearn import metrics as skm

    count = probabilities.shape[1]
    classes = list(range(count))
    complete = len(np.unique(labels)) == count

    def f1(average: str) -> float:
        return float(
            skm.f1_score(labels, predicted, labels=classes, average=average, zero_division=0)
        )

    def one_against_rest() -> float:
        return float(
            np.mean([skm.roc_auc_score(labels == each, probabilities[:, each]) for each in classes])
        )

    return {
        "accuracy": float(skm.accuracy_score(labels, predicted)),
        "balanced_accuracy": float(skm.balanced_accuracy_score(labels, predicted))
        if complete
        else None,
        "f1_macro": f1("macro") if complete else None,
        "f1_weighted": f1("weighted"),
        "log_loss": float(skm.log_loss(labels, probabilities, labels=classes)),
        "roc_auc_ovr": one_against_rest() if complete and count > 1 else None,
    }


def _regression(labels: "Labels", predicted: "Outputs") -> dict[str, float | None]:
    import numpy as np
    from sklearn import metrics as skm

    varies = len(np.unique(labels)) > 1
    return {
        "mae": float(skm.mean_absolute_error(labels, predicted)),
        "rmse": float(skm.root_mean_squared_error(labels, predicted)),
        "median_absolute_error": float(skm.median_absolute_error(labels, predicted)),
        "r2": float(skm.r2_score(labels, predicted)) if varies else None,
        "mape": float(skm.mean_absolute_percentage_error(labels, predicted))
        if np.all(labels != 0)
        else None,
    }
