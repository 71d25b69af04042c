"""Cross-validation on the training part alone: what is chosen by it never saw the holdout.

Each fold's model is fitted, settled and converted as the one that serves, and what is judged are
the answers of its ONNX graph. The codes of categories are those of the whole training part: they
are learnt from how often a value occurs, never from a label, so all that a fold is told of its
measured rows is which rare values have a code of their own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mlops.arrays import Labels, Matrix, Outputs
from mlops.artifacts.prepared import Prepared
from mlops.errors import Refused
from mlops.metrics import measured
from mlops.steps.bootstrap import LEVEL, Answers, resampled
from mlops.steps.folds import folds
from mlops.steps.onnx_model import predict
from mlops.tasks import Target

if TYPE_CHECKING:
    import polars as pl

DEFAULT_FOLDS = 5
"""Folds of what is chosen by cross-validation where `training.cross_validation` says none."""

Rows = npt.NDArray[np.int64]
Serve = Callable[[Matrix, Labels], bytes]
"""Fits a new model on features and labels; returns it as the ONNX graph that would serve."""


@dataclass(frozen=True)
class OutOfFold:
    """The answers of folds' models to the rows that each did not see.

    Attributes:
        labels: of the measured rows, shape (rows,).
        outputs: their answers, see `Target.outputs`.
        fold: which fold measured each, shape (rows,).
        groups: the group of each; None where rows are entities by themselves.
    """

    labels: Labels
    outputs: Outputs
    fold: Rows
    groups: npt.NDArray[Any] | None = None


def training_folds(
    prepared: Prepared, train: "pl.DataFrame", count: int
) -> list[tuple[Rows, Rows]]:
    """Return the rows to fit on and to measure on: folds of the kind of the outer split.

    Raises:
        Refused: the training part is too small for so many.
    """
    return folds(train, prepared.key, prepared.split, count)


def cross_validate(
    serve: Serve,
    inputs: Matrix,
    labels: Labels,
    parts: Sequence[tuple[Rows, Rows]],
    target: Target,
    groups: npt.NDArray[Any] | None = None,
) -> OutOfFold:
    """Fit a model for each fold, and let it answer the rows that it did not see.

    Args:
        serve: makes a new model of features and labels.
        inputs: the training part's features, shape (rows, features).
        labels: its labels, shape (rows,).
        parts: rows to fit on and to measure on, as `training_folds` returns them.
        target: what is predicted.
        groups: the group of each row of the training part.

    Raises:
        Refused: a fold lacks a class, or its model cannot be fitted or served.
    """
    outputs, order, numbers = [], [], []
    for number, (fit, measure) in enumerate(parts):
        _require_classes(labels, labels[fit], target, number)
        outputs.append(predict(serve(inputs[fit], labels[fit]), inputs[measure], target))
        order.append(measure)
        numbers.append(np.full(len(measure), number, dtype=np.int64))
    rows = np.concatenate(order)
    return OutOfFold(
        labels[rows],
        np.concatenate(outputs),
        np.concatenate(numbers),
        None if groups is None else groups[rows],
    )


def summary(found: OutOfFold, target: Target, threshold: float) -> dict[str, Any]:
    """Return what training.json says of a cross-validation: each metric, with its interval.

    Metrics are computed once of the answers of all folds together (Forman and Scholz,
    Apples-to-apples in cross-validation studies, 2010), and of each fold by itself.
    """
    answers = Answers(found.outputs, threshold)
    metrics = {}
    for name, value in measured(target, found.labels, found.outputs, threshold).items():
        drawn = resampled(name, target, found.labels, [answers], found.groups)
        metrics[name] = {"value": value, "interval": list(drawn.interval()) if drawn else None}
    each = [
        measured(target, found.labels[rows], found.outputs[rows], threshold)
        for rows in (found.fold == number for number in np.unique(found.fold))
    ]
    return {
        "folds": len(each),
        "rows": len(found.labels),
        "level": LEVEL,
        "metrics": metrics,
        "each_fold": each,
    }


def _require_classes(all_labels: Labels, fitted: Labels, target: Target, number: int) -> None:
    """Refuse a fold that would not know all labels, whose answers would mean something else."""
    if not target.task.classifies:
        return
    missing = sorted(set(np.unique(all_labels).tolist()) - set(np.unique(fitted).tolist()))
    if missing:
        names = [target.classes[each] if target.classes else str(each) for each in missing]
        raise Refused(
            f"fold {number + 1} of the cross-validation has no row with label {', '.join(names)} "
            "to fit on: the training part has too few of them",
            "bring more data, or ask for fewer folds (training.cross_validation)",
        )
