"""Intervals of metrics by the percentile bootstrap.

Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13. What is drawn, with
replacement, are entities, which are the rows, or groups of them where the split keeps groups
together: rows of one group resemble one another, and intervals of rows would be too narrow. Models
that are compared are measured on the same resamples, so that what is hard for both cancels out.
The same answers always have the same intervals.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mlops.arrays import Labels, Outputs
from mlops.artifacts.prepared import SPLIT_GROUP
from mlops.steps.weighted_metrics import Counts, weighted
from mlops.tasks import Target

if TYPE_CHECKING:
    import polars as pl

RESAMPLES = 1_000
FEWEST = 100
"""So many resamples are drawn of the largest holdouts."""
LEVEL = 0.95
_WORK = 200_000_000
"""Rows of all resamples together, from which on fewer are drawn."""
_CELLS = 400_000
"""Rows of the resamples that are computed at a time: it bounds the memory."""
_PATIENCE = 10
"""After so many redrawn resamples for each one that is asked, there is no interval."""
_SEED = 20_240_229

Interval = tuple[float, float]


@dataclass(frozen=True)
class Answers:
    """What a model answered, see `Target.outputs`, and the probability from which it says 1."""

    outputs: Outputs
    threshold: float


@dataclass(frozen=True)
class Resampled:
    """A metric of one or more models on the same resamples.

    Attributes:
        values: shape (resamples, models).
        redrawn: resamples that were drawn again, as they had no row of a class, or the metric
            could not be computed.
        units: how many entities or groups were drawn from.
    """

    values: npt.NDArray[np.float64]
    redrawn: int
    units: int

    def interval(self, model: int = 0) -> Interval:
        """Return the ends between which the share `LEVEL` of a model's values lies."""
        return _ends(self.values[:, model])

    def difference(self, ours: int = 0, theirs: int = 1) -> Interval:
        """Return the same of a model's value minus another's, resample by resample."""
        return _ends(self.values[:, ours] - self.values[:, theirs])


def resampled(
    metric: str,
    target: Target,
    labels: Labels,
    models: Sequence[Answers],
    groups: npt.NDArray[Any] | None = None,
    work: int = _WORK,
) -> Resampled | None:
    """Measure models on resamples of the rows.

    Args:
        metric: its name.
        target: what is predicted.
        labels: shape (rows,).
        models: what each model answered.
        groups: the group of each row; None where each row is drawn by itself.
        work: rows of all resamples together, from which on fewer are drawn.

    Returns:
        None where the metric cannot be computed of these rows, or of too few resamples of them.
    """
    measures = [weighted(metric, target, labels, m.outputs, m.threshold) for m in models]
    if len(labels) == 0 or not np.isfinite([each(_whole(labels)) for each in measures]).all():
        return None
    of_row = None if groups is None else np.unique(groups, return_inverse=True)[1]
    units = len(labels) if of_row is None else int(of_row.max()) + 1
    known = np.unique(labels) if target.task.classifies else np.array([])
    classes = (labels[:, None] == known).astype(np.float64)
    cost = len(labels) * (len(target.classes) if metric == "roc_auc_ovr" else 1)
    wanted = int(np.clip(work // cost, FEWEST, RESAMPLES))
    random = np.random.default_rng(_SEED)
    kept: list[npt.NDArray[np.float64]] = []
    got = redrawn = 0
    while got < wanted:
        size = min(wanted - got, max(1, _CELLS // len(labels)))
        counts = _draw(random, size, units)
        counts = counts if of_row is None else counts[:, of_row]
        values = np.column_stack([each(counts) for each in measures])
        usable = np.isfinite(values).all(axis=1)
        usable &= (counts @ classes > 0).all(axis=1)
        kept.append(values[usable])
        got += int(usable.sum())
        redrawn += size - int(usable.sum())
        if redrawn > _PATIENCE * wanted:
            return None
    return Resampled(np.concatenate(kept), redrawn, units)


def intervals(
    metric: str,
    target: Target,
    labels: Labels,
    model: Answers,
    baseline: Answers,
    groups: npt.NDArray[Any] | None,
) -> dict[str, Any] | None:
    """Return what evaluation.json says of the uncertainty of a metric; None: it has no interval.

    The difference is the model's value minus the baseline's.
    """
    found = resampled(metric, target, labels, [model, baseline], groups)
    if found is None:
        return None
    return {
        "metric": metric,
        "level": LEVEL,
        "resamples": len(found.values),
        "redrawn": found.redrawn,
        "of": "entities" if groups is None else "groups",
        "units": found.units,
        "model": list(found.interval()),
        "model_minus_baseline": list(found.difference()),
    }


def groups_of(part: "pl.DataFrame") -> npt.NDArray[Any] | None:
    """Return the group of each row of a part; None where rows are entities by themselves."""
    return part[SPLIT_GROUP].to_numpy() if SPLIT_GROUP in part.columns else None


def _whole(labels: Labels) -> Counts:
    return np.ones((1, len(labels)))


def _draw(random: np.random.Generator, size: int, units: int) -> Counts:
    """Return how often each unit is in each of `size` resamples, shape (size, units)."""
    drawn = random.integers(0, units, (size, units)) + units * np.arange(size)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=size * units)
    return counts.reshape(size, units).astype(np.float64)


def _ends(values: npt.NDArray[np.float64]) -> Interval:
    low, high = np.percentile(values, [50 * (1 - LEVEL), 50 * (1 + LEVEL)])
    return float(low), float(high)
