"""The groups of slices.py: who is in which, how the model does there, and what chance would do.

A group is a value of a slice, or one of each of two slices. A group that is missing in the holdout,
is small, or has one class is not assessed, and says why: its numbers would be no answer. Of the
others each has an interval of its own, by Wilson for proportions, else by the bootstrap.

Whether a group's gap to all rows is more than chance is asked by a permutation test: rows are dealt
to the groups at random, and in each deal the largest gap of all groups counts, in standard
deviations (Westfall and Young, Resampling-Based Multiple Testing, 1993: single step, max T). So the
probability of any false gap is at most `gate.slice_alpha`, however many groups there are. Where the
split keeps rows together they are dealt together, in blocks.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from mlops.arrays import Labels, Outputs
from mlops.errors import ConfigError
from mlops.metrics import METRICS, measured
from mlops.steps.bootstrap import Answers, resampled
from mlops.steps.proportions import wilson
from mlops.steps.weighted_metrics import weighted
from mlops.tasks import Target, Task

MOST_CELLS = 100
"""Two slices that have more groups together than this are not crossed."""
PERMUTATIONS = 999
_FEWEST = 99
_WORK = 60_000_000
"""Rows of all deals and groups together, from which on fewer deals are made."""
_RESAMPLED = 60_000_000
"""The same of the resamples of all groups together."""
_CELLS = 400_000
"""Rows of the deals that are computed at a time: it bounds the memory."""
_SEED = 20_240_229
_CROSS = " and "
_RANKS = frozenset({"roc_auc", "average_precision", "roc_auc_ovr"})
_DEARER = 4
"""So many times as long takes a metric of ranks as one of sums."""


@dataclass(frozen=True)
class Question:
    """What is asked of every group.

    Attributes:
        metric: the name of what gaps are measured by, `gate.metric`.
        target: what is predicted.
        labels: the holdout's, shape (rows,).
        answers: the model's.
        groups: which rows belong together, shape (rows,); None: each row is by itself.
        min_rows: smaller groups are not assessed, `gate.min_slice_rows`.
    """

    metric: str
    target: Target
    labels: Labels
    answers: Answers
    groups: npt.NDArray[Any] | None
    min_rows: int


@dataclass(frozen=True)
class Group:
    """One group: which slices it is a value of, which value, and who is in it.

    Attributes:
        of: the names of its slices, one or two.
        values: its value of each.
        inside: whether each row of the holdout is in it, shape (rows,).
    """

    of: tuple[str, ...]
    values: tuple[str, ...]
    inside: npt.NDArray[np.bool_]

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return int(self.inside.sum())


def slice_values(features: pl.DataFrame, name: str, expression: pl.Expr) -> pl.Series:
    """Return the value of a slice in each row, as a text; `null` where it has none.

    Raises:
        ConfigError: it cannot be computed of the features.
    """
    try:
        found = features.select(expression.cast(pl.String).fill_null("null"))
    except pl.exceptions.PolarsError as error:
        problem = str(error).partition("\n")[0].partition("; ")[0]
        raise _no_slice(features, name, problem) from None
    if found.shape != (features.height, 1):
        counts = f"{found.height} rows and {found.width} columns"
        raise _no_slice(features, name, f"{counts}, not one value for each of {features.height}")
    return found.to_series()


def _no_slice(features: pl.DataFrame, name: str, problem: str) -> ConfigError:
    return ConfigError(
        f"slices.py: the slice {name} cannot be computed ({problem})",
        f"write it with the features that there are: {', '.join(features.columns)}",
    )


def find_groups(
    holdout: pl.DataFrame, train: pl.DataFrame, slices: Mapping[str, pl.Expr]
) -> tuple[list[Group], list[tuple[str, str]]]:
    """Return the groups, the largest of each slice first, and which slices were not crossed.

    Args:
        holdout: its features.
        train: those of the training part; what it has and the holdout lacks is a group of no row.
        slices: expressions over the features by the slices' names.

    Raises:
        ConfigError: a slice cannot be computed of the features.
    """
    found = {name: slice_values(holdout, name, each) for name, each in slices.items()}
    single = {
        name: list(_values(name, column, slice_values(train, name, slices[name])))
        for name, column in found.items()
    }
    groups = [group for each in single.values() for group in each]
    left = []
    for one, other in combinations(single, 2):
        if len(single[one]) * len(single[other]) > MOST_CELLS:
            left.append((one, other))
            continue
        groups += [
            Group(
                of=(one, other),
                values=a.values + b.values,
                inside=np.logical_and(a.inside, b.inside),
            )
            for a in single[one]
            for b in single[other]
        ]
    return groups, left


def _values(name: str, column: pl.Series, known: pl.Series) -> Iterator[Group]:
    counted = column.value_counts(sort=True)[column.name].to_list()
    missing = sorted(set(known.unique()) - set(counted))
    for value in [*counted, *missing]:
        yield Group((name,), (str(value),), (column == value).to_numpy())


def assess(groups: Sequence[Group], asked: Question) -> dict[str, Any]:
    """Return what evaluation.json says of groups: `slices` and `slice_test`.

    Of each group: `slice` and `value` for people, `of` and `values` for programs, `rows`,
    `metrics` (of two slices the one metric alone), and `not_assessed` with the reason or null. Of
    those that are assessed also `interval` of the metric, `interval_by`, `gap` (by how much it is
    worse than all rows) and `p`. `slice_test` is null where no group is assessed.
    """
    described = [_described(group, asked) for group in groups]
    judged = [n for n, each in enumerate(described) if each["not_assessed"] is None]
    if not judged:
        return {"slices": described, "slice_test": None}
    masks = np.stack([groups[n].inside for n in judged])
    whole = measured(asked.target, asked.labels, asked.answers.outputs, asked.answers.threshold)
    overall = whole[asked.metric]
    if overall is None:
        for n in judged:
            described[n]["not_assessed"] = f"{asked.metric} of all rows cannot be computed"
        return {"slices": described, "slice_test": None}
    chances, permutations = chance_of_gaps(masks, asked)
    for n, p in zip(judged, chances, strict=True):
        value = described[n]["metrics"][asked.metric]
        interval, how = _interval(groups[n], asked, _RESAMPLED // (len(judged) * _cost(asked)))
        described[n] |= {
            "interval": None if interval is None else list(interval),
            "interval_by": how,
            "gap": METRICS[asked.metric].worse_by(value, overall),
            "p": p,
        }
    test = {
        "metric": asked.metric,
        "of_all_rows": overall,
        "groups": len(judged),
        "permutations": permutations,
        "min_rows": asked.min_rows,
        "dealt": "rows" if asked.groups is None else "groups",
    }
    return {"slices": described, "slice_test": test}


def _described(group: Group, asked: Question) -> dict[str, Any]:
    labels, outputs = asked.labels[group.inside], asked.answers.outputs[group.inside]
    if len(group.of) > 1:
        metrics = {asked.metric: _one_metric(asked, labels, outputs)}
    else:
        metrics = measured(asked.target, labels, outputs, asked.answers.threshold)
    return {
        "slice": _CROSS.join(group.of),
        "value": _CROSS.join(group.values),
        "of": list(group.of),
        "values": list(group.values),
        "rows": group.rows,
        "metrics": metrics,
        "not_assessed": _why_not(group, metrics, asked),
    }


def _one_metric(asked: Question, labels: Labels, outputs: Outputs) -> float | None:
    if len(labels) == 0:
        return None
    metric = weighted(asked.metric, asked.target, labels, outputs, asked.answers.threshold)
    value = float(metric(np.ones((1, len(labels))))[0])
    return value if np.isfinite(value) else None


def _why_not(group: Group, metrics: Mapping[str, float | None], asked: Question) -> str | None:
    if not group.rows:
        return "no row in the holdout"
    if group.rows < asked.min_rows:
        return f"{group.rows} rows, and {asked.min_rows} are asked"
    if asked.target.task.classifies and len(np.unique(asked.labels[group.inside])) < 2:
        return "its rows have one class"
    if metrics[asked.metric] is None:
        return f"{asked.metric} cannot be computed of its rows"
    return None


def chance_of_gaps(masks: npt.NDArray[np.bool_], asked: Question) -> tuple[list[float], int]:
    """Return how often chance makes a gap as large as each group's, and of how many deals.

    Args:
        masks: who is in each group, shape (groups, rows).
        asked: the metric and the answers; `asked.groups` are dealt together.

    Returns:
        The p-values, corrected for all groups together, shape (groups,); and the deals.
    """
    answers = asked.answers
    metric = weighted(asked.metric, asked.target, asked.labels, answers.outputs, answers.threshold)
    sign = 1.0 if METRICS[asked.metric].lower_is_better else -1.0
    groups, rows = masks.shape
    deals = int(np.clip(_WORK // (rows * groups * _cost(asked)), _FEWEST, PERMUTATIONS))
    units = np.arange(rows)
    if asked.groups is not None:
        units = np.unique(asked.groups, return_inverse=True)[1]
    in_order = np.argsort(units, kind="stable")
    dealt = masks[:, in_order]
    dice = np.random.default_rng(_SEED)
    worse = np.empty((deals + 1, groups))
    worse[0] = sign * metric(masks.astype(np.float64))
    size, done = max(1, _CELLS // rows), 1
    while done <= deals:
        many = min(size, deals + 1 - done)
        order = _shuffled(dice, many, units)
        counts = np.empty((many, rows))
        for each in range(groups):
            np.put_along_axis(counts, order, dealt[each].astype(np.float64)[None], axis=1)
            worse[done : done + many, each] = sign * metric(counts)
        done += many
    return _corrected(worse), deals


def _cost(asked: Question) -> int:
    classes = len(asked.target.classes) if asked.target.task is Task.MULTICLASS else 1
    return classes * (_DEARER if asked.metric in _RANKS else 1)


def _shuffled(
    dice: np.random.Generator, many: int, units: npt.NDArray[np.intp]
) -> npt.NDArray[np.intp]:
    """Return orders of the rows, shape (many, rows), in which rows of a unit stay together."""
    keys = dice.random((many, int(units.max()) + 1))
    return np.argsort(keys[:, units], axis=1, kind="stable")


def _corrected(worse: npt.NDArray[np.float64]) -> list[float]:
    """Return the p-value of each group's first row; a deal that has no value counts against it."""
    known = np.isfinite(worse)
    filled = np.where(known, worse, 0.0)
    count = known.sum(axis=0)
    mean = filled.sum(axis=0) / count
    spread = np.sqrt(np.where(known, (filled - mean) ** 2, 0.0).sum(axis=0) / count)
    scaled = np.divide(filled - mean, spread, out=np.zeros_like(filled), where=spread > 1e-12)
    scaled = np.where(known, scaled, np.inf)
    largest = scaled.max(axis=1)
    return [float(np.mean(largest >= found - 1e-9)) for found in scaled[0]]


def _interval(group: Group, asked: Question, work: int) -> tuple[tuple[float, float] | None, str]:
    labels = asked.labels[group.inside]
    answers = Answers(asked.answers.outputs[group.inside], asked.answers.threshold)
    counted = _proportion(asked, labels, answers) if asked.groups is None else None
    if counted is not None:
        return wilson(*counted), "wilson"
    together = None if asked.groups is None else asked.groups[group.inside]
    found = resampled(asked.metric, asked.target, labels, [answers], together, work=work)
    return (None if found is None else found.interval()), "bootstrap"


def _proportion(asked: Question, labels: Labels, answers: Answers) -> tuple[int, int] | None:
    """Return hits and rows of a metric that is a share of rows, else None."""
    if not asked.target.task.classifies:
        return None
    said = asked.target.decisions(answers.outputs, answers.threshold)
    right = said == labels
    of = {"accuracy": np.ones(len(labels), dtype=bool)}
    if asked.target.task is Task.BINARY:
        of |= {"precision": said == 1, "recall": labels == 1}
    chosen = of.get(asked.metric)
    return None if chosen is None else (int((right & chosen).sum()), int(chosen.sum()))


def slice_results(
    holdout: pl.DataFrame,
    train: pl.DataFrame,
    slices: Mapping[str, pl.Expr],
    asked: Question,
) -> dict[str, Any]:
    """Return what `assess` says of the groups of slices.py, and `slices_not_crossed`.

    Args:
        holdout: the holdout's features.
        train: the training part's.
        slices: expressions over the features by the slices' names.
        asked: what is asked of every group.

    Raises:
        ConfigError: a slice cannot be computed of the features.
    """
    groups, left = find_groups(holdout, train, slices)
    return {**assess(groups, asked), "slices_not_crossed": [list(pair) for pair in left]}
