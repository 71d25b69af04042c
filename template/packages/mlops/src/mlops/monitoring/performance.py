"""How good a version is, by labels and by its own confidence: whole, in time, slice by slice."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from mlops.artifacts.performance_result import Estimated, Outcome, Part, Realised, Span
from mlops.artifacts.predictions import FEATURE
from mlops.features import Features, Kind
from mlops.metrics import METRICS, decimal, measured
from mlops.monitoring.estimated import estimate, estimated_metric
from mlops.monitoring.labels import DAY
from mlops.steps.bootstrap import Answers, resampled
from mlops.steps.slices import slice_values
from mlops.tasks import Target, Task
from mlops.usecase.use_case import LABEL
from mlops.window import Window

if TYPE_CHECKING:
    from mlops.arrays import Labels, Outputs

DAYS_BY_DAY = 14
"""A longer window is shown week by week."""


@dataclass(frozen=True)
class Asked:
    """What a version is judged by.

    Attributes:
        target: what it predicts.
        features: what it is asked with.
        threshold: probability from which a binary prediction is 1.
        metric: the gate's.
        limits: the gate's limits by metric.
        min_rows: with fewer labelled predictions nothing is said.
        min_slice_rows: nor with fewer of a slice.
        slices: expressions over the features by the slices' names.
    """

    target: Target
    features: Features
    threshold: float
    metric: str
    limits: Mapping[str, float]
    min_rows: int
    min_slice_rows: int
    slices: Mapping[str, pl.Expr]

    def outcome(self, metric: str, value: float | None, rows: int, least: int) -> Outcome:
        """Judge a value: beyond its limit in the metric's bad direction is below."""
        limit = self.limits.get(metric)
        if rows < least or value is None or limit is None:
            return Outcome.NOT_ENOUGH
        worse = METRICS[metric].worse_by(value, limit) > 0
        return Outcome.BELOW if worse else Outcome.OK


def is_complete(target: Target) -> pl.Expr:
    """Return whether the model's answer can be told from an event."""
    if target.task is not Task.MULTICLASS:
        return pl.col("value").is_finite().fill_null(value=False)
    chances = pl.col("probabilities")
    whole = (chances.list.len() == len(target.classes)) & (chances.list.drop_nulls().list.len() > 0)
    same = chances.list.drop_nulls().list.len() == chances.list.len()
    finite = chances.list.eval(pl.element().is_finite()).list.all()
    return (whole & same & finite).fill_null(value=False)


def outputs_of(rows: pl.DataFrame, target: Target) -> "Outputs":
    """Return the answers that complete events hold, see `Target.outputs`."""
    if target.task is Task.MULTICLASS:
        listed = rows["probabilities"].to_list()
        return np.array(listed, dtype=np.float64).reshape(rows.height, len(target.classes))
    return rows["value"].to_numpy().astype(np.float64)


def realised(rows: pl.DataFrame, asked: Asked, window: Window) -> Realised:
    """Measure labelled predictions.

    Args:
        rows: complete events with `label`, as `labels.understood` returns it, and `day`.
        asked: what they are judged by.
        window: when they were made.
    """
    span = span_of(window)
    every = "day" if window.days <= DAYS_BY_DAY else "week"
    if rows.is_empty():
        return Realised(span, 0, every=every)
    found = _measured(rows, asked)
    parts, not_assessed = _by_slice(rows, asked)
    return Realised(
        window=span,
        rows=rows.height,
        value=found[asked.metric],
        interval=_interval(rows, asked) if rows.height >= asked.min_rows else None,
        metrics=found,
        every=every,
        over_time=tuple(
            _part(name, part, asked, asked.min_rows) for name, part in _in_time(rows, every)
        ),
        slices=tuple(_part(name, part, asked, asked.min_slice_rows) for name, part in parts),
        not_assessed=not_assessed,
    )


def reason_of(found: Realised, asked: Asked, mature: int) -> str:
    """Return why a check of labelled predictions ends as it does; nothing if all is well."""
    if not mature:
        return "no prediction of the window is so old that its label is due"
    if found.rows < asked.min_rows:
        return (
            f"{found.rows:,} of {mature:,} mature predictions have a label, and "
            f"feedback.min_rows asks for {asked.min_rows:,}"
        )
    limit = asked.limits.get(asked.metric)
    if limit is None:
        return f"no limit of {asked.metric} is set in gate.thresholds"
    if found.value is None:
        return f"{asked.metric} cannot be computed of these labels, such as where a class has none"
    if asked.outcome(asked.metric, found.value, found.rows, asked.min_rows) is Outcome.OK:
        return ""
    words = "at most" if METRICS[asked.metric].lower_is_better else "at least"
    return f"{asked.metric} is {decimal(found.value)}, and the gate asks for {words} {limit:.4f}"


def estimated(
    rows: pl.DataFrame, labelled: pl.DataFrame, asked: Asked, window: Window
) -> Estimated:
    """Estimate the performance of predictions without their labels.

    Args:
        rows: complete events, each once.
        labelled: those of the mature predictions that have a label, for comparison.
        asked: what they are judged by.
        window: when `rows` were made.
    """
    span, target = span_of(window), asked.target
    metric = estimated_metric(target.task, asked.metric)
    if metric is None:
        why = "a regression says nothing of its own confidence"
        return Estimated(span, rows.height, reason=why)
    found = _estimated(rows, asked)
    parts, _ = _by_slice(rows, asked) if rows.height else ([], {})
    slices = []
    for name, part in parts:
        value = _estimated(part, asked)[metric]
        enough = part.height >= asked.min_slice_rows
        verdict = asked.outcome(metric, value, part.height, asked.min_slice_rows)
        slices.append(Part(name, part.height, value if enough else None, verdict))
    return Estimated(
        window=span,
        rows=rows.height,
        metric=metric,
        limit=asked.limits.get(metric),
        value=found[metric],
        outcome=asked.outcome(metric, found[metric], rows.height, asked.min_rows),
        reason=_no_estimate(rows, metric, found[metric]),
        metrics=found,
        on_labelled=_estimated(labelled, asked)[metric],
        slices=tuple(slices),
    )


def _no_estimate(rows: pl.DataFrame, metric: str, value: float | None) -> str:
    if rows.is_empty():
        return "the window has no prediction of this version"
    return "" if value is not None else f"{metric} cannot be estimated of these predictions"


def span_of(window: Window) -> Span:
    """Return a window as documents say it."""
    return Span(window.start.isoformat(), window.end.isoformat())


def _measured(rows: pl.DataFrame, asked: Asked) -> dict[str, float | None]:
    outputs = outputs_of(rows, asked.target)
    found = measured(asked.target, _labels(rows, asked.target), outputs, asked.threshold)
    return {
        name: value if value is not None and math.isfinite(value) else None
        for name, value in found.items()
    }


def _estimated(rows: pl.DataFrame, asked: Asked) -> dict[str, float | None]:
    return estimate(asked.target, outputs_of(rows, asked.target), asked.threshold)


def _labels(rows: pl.DataFrame, target: Target) -> "Labels":
    numbers = rows[LABEL].to_numpy()
    return numbers.astype(np.int64) if target.task.classifies else numbers


def _interval(rows: pl.DataFrame, asked: Asked) -> tuple[float, float] | None:
    """Return the bootstrap's interval; predictions of one key are drawn together."""
    keys = rows["key"]
    repeats = keys.null_count() == 0 and keys.n_unique() < len(keys)
    groups = keys.to_numpy().astype(str) if repeats else None
    answers = Answers(outputs_of(rows, asked.target), asked.threshold)
    drawn = resampled(asked.metric, asked.target, _labels(rows, asked.target), [answers], groups)
    return None if drawn is None else drawn.interval()


def _part(name: str, rows: pl.DataFrame, asked: Asked, least: int) -> Part:
    """Measure some rows; of too few there is no value."""
    value = _measured(rows, asked)[asked.metric] if rows.height >= least else None
    return Part(name, rows.height, value, asked.outcome(asked.metric, value, rows.height, least))


def _in_time(rows: pl.DataFrame, every: str) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield the rows of each day, or week from Monday on, by its first day; in UTC."""
    length = {"day": "1d", "week": "1w"}[every]
    started = rows.with_columns(pl.col(DAY).dt.truncate(length).alias("start")).sort("time")
    for (start,), part in started.group_by("start", maintain_order=True):
        yield str(start), part


def _by_slice(
    rows: pl.DataFrame, asked: Asked
) -> tuple[list[tuple[str, pl.DataFrame]], dict[str, str]]:
    """Return the rows of each value of each slice, and the slices that cannot be computed.

    Events without any feature are left out: null there means that it was not kept.
    """
    parts: list[tuple[str, pl.DataFrame]] = []
    not_assessed: dict[str, str] = {}
    known = [
        f"{FEATURE}{name}" for name in asked.features.names if f"{FEATURE}{name}" in rows.columns
    ]
    kept = rows.filter(pl.any_horizontal(pl.col(known).is_not_null())) if known else rows.clear()
    table = _features(kept, asked.features)
    for name, expression in asked.slices.items():
        if why := _missing(table, expression):
            not_assessed[name] = why
            continue
        values = slice_values(table, name, expression)
        each = values.value_counts(sort=True)[values.name]
        parts += [(f"{name}={value}", kept.filter(values == value)) for value in each]
    return parts, not_assessed


def _features(rows: pl.DataFrame, features: Features) -> pl.DataFrame:
    """Return the features in the types in which slices see them in the evaluation."""
    return rows.select(
        pl.col(f"{FEATURE}{each.name}")
        .cast(pl.String if each.kind is Kind.CATEGORY else pl.Float32)
        .alias(each.name)
        for each in features
        if f"{FEATURE}{each.name}" in rows.columns
    )


def _missing(table: pl.DataFrame, expression: pl.Expr) -> str:
    """Return why a slice cannot be computed of the features of events, or an empty text."""
    if table.is_empty():
        return "no event holds features"
    for name in expression.meta.root_names():
        if name not in table.columns:
            return f"the version is not asked with {name}"
        if table[name].null_count() == table.height:
            return f"no event holds {name}"
    return ""
