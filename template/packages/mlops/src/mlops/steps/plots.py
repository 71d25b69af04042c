"""Pictures of a model's quality on the holdout."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from sklearn.calibration import calibration_curve
from sklearn.inspection import permutation_importance
from sklearn.metrics import confusion_matrix, precision_recall_curve, roc_curve

from mlops.arrays import Labels, Matrix, Probabilities
from mlops.artifacts.run_folder import EvaluationFolder

_COLOURS = {"model": "#0f6cbd", "baseline": "#8a8886"}
_IMPORTANCE_ROWS = 2_000


def write_plots(
    folder: Path,
    model: Any,
    inputs: Matrix,
    labels: Labels,
    probabilities: Mapping[str, Probabilities],
    threshold: float,
    features: list[str],
) -> list[Path]:
    """Write the plots of quality and importance to `folder` and return their paths.

    Args:
        folder: an existing folder.
        model: the fitted classifier.
        inputs: the holdout's features, shape (rows, features).
        labels: the holdout's labels, shape (rows,).
        probabilities: by name (`model`, `baseline`), each of shape (rows,).
        threshold: probability from which the prediction counts as 1.
        features: the names of the columns of `inputs`.
    """
    quality = Figure(figsize=(11, 8), layout="constrained")
    axes = quality.subplots(2, 2)
    _plot_roc(axes[0, 0], labels, probabilities)
    _plot_precision_recall(axes[0, 1], labels, probabilities)
    _plot_calibration(axes[1, 0], labels, probabilities)
    _plot_confusion(axes[1, 1], labels, probabilities["model"], threshold)

    importance = Figure(figsize=(8, 0.4 * len(features) + 1.5), layout="constrained")
    _plot_importance(importance.subplots(), model, inputs, labels, features)
    files = EvaluationFolder(folder)
    return [_save(quality, files.quality_plot), _save(importance, files.importance_plot)]


def _save(figure: Figure, path: Path) -> Path:
    FigureCanvasAgg(figure).print_png(path)
    return path


def _plot_roc(axis: Axes, labels: Labels, probabilities: Mapping[str, Probabilities]) -> None:
    for name, values in probabilities.items():
        false_rate, true_rate, _ = roc_curve(labels, values)
        axis.plot(false_rate, true_rate, color=_COLOURS[name], label=name)
    axis.plot([0, 1], [0, 1], color="#d2d0ce", linestyle="--")
    axis.set(title="ROC", xlabel="false positive rate", ylabel="true positive rate")
    axis.legend()


def _plot_precision_recall(
    axis: Axes, labels: Labels, probabilities: Mapping[str, Probabilities]
) -> None:
    for name, values in probabilities.items():
        precision, recall, _ = precision_recall_curve(labels, values)
        axis.plot(recall, precision, color=_COLOURS[name], label=name)
    axis.set(title="Precision and recall", xlabel="recall", ylabel="precision", ylim=(0, 1.02))
    axis.legend()


def _plot_calibration(
    axis: Axes, labels: Labels, probabilities: Mapping[str, Probabilities]
) -> None:
    for name, values in probabilities.items():
        observed, predicted = calibration_curve(labels, values, n_bins=10, strategy="quantile")
        axis.plot(predicted, observed, marker="o", color=_COLOURS[name], label=name)
    axis.plot([0, 1], [0, 1], color="#d2d0ce", linestyle="--")
    axis.set(title="Calibration", xlabel="predicted probability", ylabel="observed share")
    axis.legend()


def _plot_confusion(axis: Axes, labels: Labels, values: Probabilities, threshold: float) -> None:
    counts = confusion_matrix(labels, values >= threshold, labels=[0, 1])
    axis.imshow(counts, cmap="Blues", vmin=0)
    for (row, column), count in np.ndenumerate(counts):
        dark = count > counts.max() / 2
        colour = "white" if dark else "black"
        axis.text(column, row, f"{count:,}", ha="center", va="center", color=colour)
    axis.set(title="Predictions of the model", xlabel="predicted", ylabel="actual")
    axis.set(xticks=[0, 1], yticks=[0, 1])


def _plot_importance(
    axis: Axes, model: Any, inputs: Matrix, labels: Labels, features: list[str]
) -> None:
    """Plot permutation importance (Breiman, "Random Forests", 2001): the loss of ROC AUC."""
    rows = np.random.default_rng(0).permutation(len(labels))[:_IMPORTANCE_ROWS]
    result = permutation_importance(
        model, inputs[rows], labels[rows], scoring="roc_auc", n_repeats=3, random_state=0
    )
    order = np.argsort(result.importances_mean)
    axis.barh([features[i] for i in order], result.importances_mean[order], color=_COLOURS["model"])
    axis.set(title="Permutation importance", xlabel="loss of ROC AUC when shuffled")
