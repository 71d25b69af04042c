"""Pictures of a model's quality on the holdout."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from sklearn.calibration import calibration_curve
from sklearn.metrics import confusion_matrix, precision_recall_curve, roc_curve

from mlops.arrays import Labels, Outputs, Probabilities
from mlops.artifacts.run_folder import EvaluationFolder
from mlops.tasks import BINARY_TARGET, Target, Task

_COLOURS = {"model": "#0f6cbd", "baseline": "#8a8886"}
_GRID = "#d2d0ce"
_POINTS = 2_000
_CURVES = 10
"""So many classes, the largest ones, have curves of their own."""
_LABELLED = 12
"""In a larger confusion matrix no number is written."""


def write_plots(
    folder: Path,
    labels: Labels,
    outputs: Mapping[str, Outputs],
    threshold: float,
    importances: Mapping[str, Any],
    target: Target = BINARY_TARGET,
) -> list[Path]:
    """Write the plots of quality and importance to `folder` and return their paths.

    Args:
        folder: an existing folder.
        labels: the holdout's labels, shape (rows,).
        outputs: the answers by name (`model`, `baseline`), see `Target.outputs`.
        threshold: probability from which a binary prediction is 1.
        importances: what `importance` says.
        target: what is predicted.
    """
    quality = Figure(figsize=(11, 8), layout="constrained")
    axes = quality.subplots(2, 2)
    if target.task is Task.BINARY:
        _plot_roc(axes[0, 0], labels, outputs)
        _plot_precision_recall(axes[0, 1], labels, outputs)
        _plot_calibration(axes[1, 0], labels, outputs)
        _plot_confusion(axes[1, 1], labels, outputs["model"] >= threshold, ("0", "1"))
    elif target.task is Task.MULTICLASS:
        _plot_classes(axes, labels, outputs["model"], target)
    else:
        _plot_numbers(axes, labels, outputs)

    importance = Figure(figsize=(8, 0.4 * len(importances["features"]) + 1.5), layout="constrained")
    _plot_importance(importance.subplots(), importances)
    files = EvaluationFolder(folder)
    return [_save(quality, files.quality_plot), _save(importance, files.importance_plot)]


def _save(figure: Figure, path: Path) -> Path:
    FigureCanvasAgg(figure).print_png(path)
    return path


def _plot_roc(axis: Axes, labels: Labels, probabilities: Mapping[str, Probabilities]) -> None:
    for name, values in probabilities.items():
        false_rate, true_rate, _ = roc_curve(labels, values)
        axis.plot(false_rate, true_rate, color=_COLOURS[name], label=name)
    axis.plot([0, 1], [0, 1], color=_GRID, linestyle="--")
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
    axis.plot([0, 1], [0, 1], color=_GRID, linestyle="--")
    axis.set(title="Calibration", xlabel="predicted probability", ylabel="observed share")
    axis.legend()


def _plot_confusion(axis: Axes, labels: Labels, predicted: Any, names: tuple[str, ...]) -> None:
    positions = list(range(len(names)))
    counts = confusion_matrix(labels, predicted, labels=positions)
    axis.imshow(counts, cmap="Blues", vmin=0)
    if len(names) <= _LABELLED:
        for (row, column), count in np.ndenumerate(counts):
            dark = count > counts.max() / 2
            colour = "white" if dark else "black"
            axis.text(column, row, f"{count:,}", ha="center", va="center", color=colour)
    axis.set(title="Predictions of the model", xlabel="predicted", ylabel="actual")
    axis.set(xticks=positions, yticks=positions)
    axis.set_yticklabels(names)
    axis.set_xticklabels(names, rotation=0 if len("".join(names)) < 30 else 90)


def _plot_classes(axes: Any, labels: Labels, probabilities: Outputs, target: Target) -> None:
    """Plot each class against the rest, and which is taken for which."""
    counts = np.bincount(labels.astype(int), minlength=len(target.classes))
    shown = [int(each) for each in np.argsort(-counts)[:_CURVES] if 0 < counts[each] < len(labels)]
    for each in shown:
        theirs, values, name = labels == each, probabilities[:, each], target.classes[each]
        false_rate, true_rate, _ = roc_curve(theirs, values)
        axes[0, 0].plot(false_rate, true_rate, label=name)
        precision, recall, _ = precision_recall_curve(theirs, values)
        axes[0, 1].plot(recall, precision, label=name)
        observed, predicted = calibration_curve(theirs, values, n_bins=10, strategy="quantile")
        axes[1, 0].plot(predicted, observed, marker="o", label=name)
    for axis in (axes[0, 0], axes[1, 0]):
        axis.plot([0, 1], [0, 1], color=_GRID, linestyle="--")
    axes[0, 0].set(
        title="ROC, each against the rest",
        xlabel="false positive rate",
        ylabel="true positive rate",
    )
    axes[0, 1].set(
        title="Precision and recall", xlabel="recall", ylabel="precision", ylim=(0, 1.02)
    )
    axes[1, 0].set(title="Calibration", xlabel="predicted probability", ylabel="observed share")
    if shown:
        axes[0, 0].legend()
    _plot_confusion(axes[1, 1], labels, probabilities.argmax(axis=1), target.classes)


def _plot_numbers(axes: Any, labels: Labels, outputs: Mapping[str, Outputs]) -> None:
    """Plot what was predicted against what was, and the errors."""
    rows = np.random.default_rng(0).permutation(len(labels))[:_POINTS]
    predicted, actual = outputs["model"][rows], labels[rows]
    ends = [float(min(actual.min(), predicted.min())), float(max(actual.max(), predicted.max()))]
    colour = _COLOURS["model"]
    axes[0, 0].scatter(predicted, actual, s=8, alpha=0.4, color=colour)
    axes[0, 0].plot(ends, ends, color=_GRID, linestyle="--")
    axes[0, 0].set(title="Predicted and actual", xlabel="predicted", ylabel="actual")
    axes[0, 1].scatter(predicted, actual - predicted, s=8, alpha=0.4, color=colour)
    axes[0, 1].axhline(0, color=_GRID, linestyle="--")
    axes[0, 1].set(title="Residuals", xlabel="predicted", ylabel="actual - predicted")
    _plot_bands(axes[1, 0], labels, outputs)
    for name, values in outputs.items():
        errors = np.sort(np.abs(labels - values))
        shares = np.arange(1, len(errors) + 1) / len(errors)
        axes[1, 1].plot(errors, shares, color=_COLOURS[name], label=name)
    axes[1, 1].set(title="Absolute errors", xlabel="error at most", ylabel="share of rows")
    axes[1, 1].legend()


def _plot_bands(axis: Axes, labels: Labels, outputs: Mapping[str, Outputs]) -> None:
    """Plot the mean label of rows that are predicted alike: a tenth of them each."""
    for name, values in outputs.items():
        parts = np.array_split(np.argsort(values, kind="stable"), min(10, len(values)))
        predicted = [float(np.mean(values[part])) for part in parts]
        actual = [float(np.mean(labels[part])) for part in parts]
        axis.plot(predicted, actual, marker="o", color=_COLOURS[name], label=name)
    ends = axis.get_xlim()
    axis.plot(ends, ends, color=_GRID, linestyle="--")
    axis.set(title="Means of tenths", xlabel="mean predicted", ylabel="mean actual")
    axis.legend()


def _plot_importance(axis: Axes, found: Mapping[str, Any]) -> None:
    names = list(reversed(found["features"]))
    axis.barh(names, [found["features"][name] for name in names], color=_COLOURS["model"])
    axis.set(title="Permutation importance", xlabel=f"{found['unit']} when shuffled")
