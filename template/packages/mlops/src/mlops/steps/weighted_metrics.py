"""The metrics of `mlops.metrics` for many resamples at once, each given by its rows' counts.

A resample of n rows is told by how often each row is in it. Then every metric is a few sums over
rows, and a thousand resamples are one product of matrices. scikit-learn's values are the reference:
a test compares each metric on each resample.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from mlops.arrays import Decisions, Labels, Outputs
from mlops.tasks import Target, Task

Counts = npt.NDArray[np.float64]
"""How often each row is in each resample, shape (resamples, rows); whole numbers."""
Values = npt.NDArray[np.float64]
"""A metric of each resample, shape (resamples,); NaN where it cannot be computed."""
Weighted = Callable[[Counts], Values]


def weighted(
    metric: str, target: Target, labels: Labels, outputs: Outputs, threshold: float
) -> Weighted:
    """Return the function that computes a metric of resamples.

    Args:
        metric: its name in `mlops.metrics.METRICS`.
        target: what is predicted.
        labels: shape (rows,), as for `mlops.metrics.measured`.
        outputs: the answers, as `Target.outputs` returns them.
        threshold: probability from which a binary prediction is 1.
    """
    decisions = target.decisions(outputs, threshold)
    if target.task is Task.BINARY:
        return _binary(metric, labels, outputs, decisions)
    if target.task is Task.MULTICLASS:
        return _multiclass(metric, labels, outputs, decisions)
    return _regression(metric, labels.astype(np.float64), outputs.astype(np.float64))


def _binary(metric: str, labels: Labels, outputs: Outputs, decisions: Decisions) -> Weighted:
    said, true = (decisions == 1).astype(float), (labels == 1).astype(float)
    hit = said * true
    found: dict[str, Callable[[], Weighted]] = {
        "f1": lambda: _share(2 * hit, said + true),
        "precision": lambda: _share(hit, said),
        "recall": lambda: _share(hit, true),
        "accuracy": lambda: _mean((decisions == labels).astype(float)),
        "roc_auc": lambda: _roc_auc(true, outputs),
        "average_precision": lambda: _average_precision(true, outputs),
        "brier": lambda: _mean((true - outputs.astype(np.float64)) ** 2),
        "log_loss": lambda: _mean(_log_losses(labels, np.column_stack([1 - outputs, outputs]))),
    }
    return found[metric]()


def _multiclass(metric: str, labels: Labels, outputs: Outputs, decisions: Decisions) -> Weighted:
    classes = np.arange(outputs.shape[1])
    true = (labels[:, None] == classes).astype(float)
    said = (decisions[:, None] == classes).astype(float)

    def f1(counts: Counts) -> npt.NDArray[np.float64]:
        return _ratio(2 * (counts @ (true * said)), counts @ true + counts @ said)

    def f1_weighted(counts: Counts) -> Values:
        shares = counts @ true
        each = np.where(shares > 0, f1(counts), 0.0)
        return _ratio((each * shares).sum(axis=1), shares.sum(axis=1))

    def one_against_rest() -> Weighted:
        each = [_roc_auc(true[:, k], outputs[:, k]) for k in classes]
        return lambda counts: np.stack([auc(counts) for auc in each]).mean(axis=0)

    found: dict[str, Callable[[], Weighted]] = {
        "accuracy": lambda: _mean((decisions == labels).astype(float)),
        "balanced_accuracy": lambda: (
            lambda counts: _ratio(counts @ (true * said), counts @ true).mean(axis=1)
        ),
        "f1_macro": lambda: (
            lambda counts: np.where(
                (counts @ true > 0).all(axis=1), f1(counts).mean(axis=1), np.nan
            )
        ),
        "f1_weighted": lambda: f1_weighted,
        "log_loss": lambda: _mean(_log_losses(labels, outputs)),
        "roc_auc_ovr": one_against_rest,
    }
    return found[metric]()


def _regression(metric: str, labels: Labels, outputs: Outputs) -> Weighted:
    errors = np.abs(labels - outputs)
    found: dict[str, Callable[[], Weighted]] = {
        "mae": lambda: _mean(errors),
        "rmse": lambda: lambda counts: np.sqrt(_mean(errors**2)(counts)),
        "median_absolute_error": lambda: _median(errors),
        "r2": lambda: _r2(labels, errors),
        "mape": lambda: _mean(_ratio(errors, np.abs(labels))),
    }
    return found[metric]()


def _ratio(above: npt.NDArray[np.float64], below: npt.NDArray[np.float64]) -> Values:
    """Divide; NaN where there is nothing to divide by."""
    result = np.full(np.shape(above), np.nan)
    np.divide(above, below, out=result, where=below != 0)
    return result


def _mean(values: npt.NDArray[np.float64]) -> Weighted:
    return lambda counts: np.divide(counts @ values, counts.sum(axis=1))


def _share(part: npt.NDArray[np.float64], whole: npt.NDArray[np.float64]) -> Weighted:
    both = np.column_stack([part, whole])

    def share(counts: Counts) -> Values:
        sums = counts @ both
        return _ratio(sums[:, 0], sums[:, 1])

    return share


def _log_losses(labels: Labels, probabilities: Outputs) -> npt.NDArray[np.float64]:
    """Return each row's loss; probabilities are clipped as scikit-learn clips those of its type."""
    least = np.finfo(probabilities.dtype).eps
    clipped = np.clip(probabilities, least, 1 - least).astype(np.float64)
    said = clipped[np.arange(len(labels)), labels.astype(int)]
    result: npt.NDArray[np.float64] = np.negative(np.log(said))
    return result


def _in_steps(true: npt.NDArray[np.float64], scores: Outputs) -> Callable[[Counts], list[Counts]]:
    """Return what sums the rows of each label at each distinct score, the lowest score first."""
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=-np.inf))
    positive, negative = true[order], 1 - true[order]

    def steps(counts: Counts) -> list[Counts]:
        sorted_counts = counts[:, order]
        at_each = [sorted_counts * label for label in (positive, negative)]
        if len(starts) == len(order):
            return at_each
        return [np.add.reduceat(found, starts, axis=1) for found in at_each]

    return steps


def _roc_auc(true: npt.NDArray[np.float64], scores: Outputs) -> Weighted:
    """The share of pairs of both labels in which label 1 has the higher score; a tie is a half."""
    in_steps = _in_steps(true, scores)

    def auc(counts: Counts) -> Values:
        positive, negative = in_steps(counts)
        below = np.cumsum(negative, axis=1) - negative / 2
        pairs = positive.sum(axis=1) * negative.sum(axis=1)
        return _ratio((positive * below).sum(axis=1), pairs)

    return auc


def _average_precision(true: npt.NDArray[np.float64], scores: Outputs) -> Weighted:
    in_steps = _in_steps(true, -scores)

    def precision(counts: Counts) -> Values:
        positive, negative = in_steps(counts)
        hits = np.cumsum(positive, axis=1)
        said = hits + np.cumsum(negative, axis=1)
        at_each = np.divide(hits, said, out=np.zeros_like(hits), where=said > 0)
        return _ratio((positive * at_each).sum(axis=1), positive.sum(axis=1))

    return precision


def _median(errors: npt.NDArray[np.float64]) -> Weighted:
    order = np.argsort(errors, kind="stable")
    ordered = errors[order]

    def median(counts: Counts) -> Values:
        up_to = np.cumsum(counts[:, order], axis=1)
        rows = up_to[:, -1:]
        middle = [ordered[np.argmax(up_to > half, axis=1)] for half in ((rows - 1) // 2, rows // 2)]
        result: Values = (middle[0] + middle[1]) / 2
        return result

    return median


def _r2(labels: Labels, errors: npt.NDArray[np.float64]) -> Weighted:
    def r2(counts: Counts) -> Values:
        drawn = counts > 0
        least = np.where(drawn, labels, np.inf).min(axis=1)
        most = np.where(drawn, labels, -np.inf).max(axis=1)
        mean = counts @ labels / counts.sum(axis=1)
        spread = (counts * (labels - mean[:, None]) ** 2).sum(axis=1)
        return 1 - _ratio(counts @ errors**2, np.where(most > least, spread, 0.0))

    return r2
