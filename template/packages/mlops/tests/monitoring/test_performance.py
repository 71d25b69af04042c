"""Labelled predictions against the gate's limit: whole, in time and slice by slice."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from fakes.labelled_events import CLASSES, FEATURES, NOW, TARGETS, ago, events
from mlops.artifacts.performance_result import Outcome
from mlops.metrics import METRICS, measured
from mlops.monitoring.labels import By, first_predictions
from mlops.monitoring.performance import (
    Asked,
    estimated,
    is_complete,
    outputs_of,
    realised,
    reason_of,
)
from mlops.tasks import Task
from mlops.usecase.use_case import LABEL
from mlops.window import Window

WEEK = Window(ago(7), NOW)
LEVEL = {"level": pl.when(pl.col("a") > 0).then(pl.lit("high")).otherwise(pl.lit("low"))}
OUTPUTS: dict[Task, list[Any]] = {
    Task.BINARY: [0.9, 0.8, 0.3, 0.1],
    Task.MULTICLASS: [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6], [0.6, 0.3, 0.1]],
    Task.REGRESSION: [10.0, 20.0, 30.0, 40.0],
}
LABELS: dict[Task, list[Any]] = {
    Task.BINARY: [1, 0, 0, 1],
    Task.MULTICLASS: [0, 1, 2, 2],
    Task.REGRESSION: [11, 19, 33, 40],
}
METRIC = {Task.BINARY: "f1", Task.MULTICLASS: "accuracy", Task.REGRESSION: "mae"}


def asked(task: Task = Task.BINARY, limit: float | None = 0.5, **others: Any) -> Asked:
    metric = others.pop("metric", METRIC[task])
    plain = Asked(
        target=TARGETS[task],
        features=FEATURES,
        threshold=0.5,
        metric=metric,
        limits={} if limit is None else {metric: limit},
        min_rows=4,
        min_slice_rows=2,
        slices={},
    )
    return replace(plain, **others)


def labelled(
    task: Task = Task.BINARY, times: Sequence[datetime] = (), repeat: int = 1, **others: Any
) -> pl.DataFrame:
    outputs, labels = OUTPUTS[task] * repeat, LABELS[task] * repeat
    given = list(times) or [ago(1)] * len(outputs)
    rows = events(outputs, given, TARGETS[task], **others)
    with_labels = rows.with_columns(pl.Series(LABEL, labels, pl.Float64))
    return first_predictions(with_labels, By.ID)


@pytest.mark.parametrize("task", list(Task))
def test_the_metrics_are_those_of_the_registry(task: Task) -> None:
    found = realised(labelled(task), asked(task), WEEK)
    labels = np.array(LABELS[task])
    assert found.metrics == measured(TARGETS[task], labels, np.array(OUTPUTS[task]), 0.5)
    assert (found.rows, found.value) == (4, found.metrics[METRIC[task]])
    assert found.value is not None
    assert found.interval is not None
    assert found.interval[0] <= found.value <= found.interval[1]


@pytest.mark.parametrize(
    ("task", "limit", "outcome"),
    [
        (Task.BINARY, 0.5, Outcome.OK),
        (Task.BINARY, 0.51, Outcome.BELOW),
        (Task.REGRESSION, 1.25, Outcome.OK),
        (Task.REGRESSION, 1.24, Outcome.BELOW),
        (Task.MULTICLASS, 0.75, Outcome.OK),
        (Task.MULTICLASS, 0.76, Outcome.BELOW),
        (Task.BINARY, None, Outcome.NOT_ENOUGH),
    ],
)
def test_worse_than_the_limit_is_below_in_the_metric_s_own_direction(
    task: Task, limit: float | None, outcome: Outcome
) -> None:
    by = asked(task, limit)
    found = realised(labelled(task), by, WEEK)
    assert by.outcome(by.metric, found.value, found.rows, by.min_rows) is outcome
    reason = reason_of(found, by, found.rows)
    assert bool(reason) == (outcome is not Outcome.OK)
    if outcome is Outcome.BELOW:
        words = "at most" if METRICS[by.metric].lower_is_better else "at least"
        assert f"the gate asks for {words} {limit:.4f}" in reason


def test_with_too_few_labels_nothing_is_said() -> None:
    by = asked(limit=0.51, min_rows=5)
    found = realised(labelled(), by, WEEK)
    assert by.outcome(by.metric, found.value, found.rows, by.min_rows) is Outcome.NOT_ENOUGH
    assert found.interval is None
    assert "4 of 9 mature predictions have a label" in reason_of(found, by, 9)


def test_without_a_row_there_is_no_value() -> None:
    found = realised(labelled().clear(), asked(), WEEK)
    assert (found.rows, found.value, found.over_time, found.slices) == (0, None, (), ())
    assert "so old that its label is due" in reason_of(found, asked(), 0)


def test_a_metric_that_labels_do_not_give_is_not_enough() -> None:
    ones = labelled().with_columns(pl.lit(1.0).alias(LABEL))
    by = asked(metric="roc_auc")
    found = realised(ones, by, WEEK)
    assert (found.value, found.interval) == (None, None)
    assert by.outcome(by.metric, found.value, 4, 4) is Outcome.NOT_ENOUGH
    assert "roc_auc cannot be computed" in reason_of(found, by, 4)


@pytest.mark.filterwarnings("ignore:overflow")
def test_what_is_too_large_for_a_number_is_no_value() -> None:
    rows = labelled(Task.REGRESSION).with_columns(pl.lit(1e300).alias(LABEL))
    found = realised(rows, asked(Task.REGRESSION, metric="rmse"), WEEK)
    assert (found.value, found.interval) == (None, None)
    assert found.metrics["mae"] == pytest.approx(1e300)


def test_a_short_window_is_shown_day_by_day_and_a_small_day_is_not_enough() -> None:
    times = [ago(3)] * 4 + [ago(2)] * 3 + [ago(1)]
    found = realised(labelled(times=times, repeat=2), asked(limit=0.51), WEEK)
    assert found.every == "day"
    assert [(part.name, part.rows, part.value, part.outcome.value) for part in found.over_time] == [
        (str(ago(3).date()), 4, 0.5, "below"),
        (str(ago(2).date()), 3, None, "not enough"),
        (str(ago(1).date()), 1, None, "not enough"),
    ]


def test_a_long_window_is_shown_by_weeks_from_monday_on() -> None:
    times = [ago(20)] * 4 + [ago(1)] * 4
    found = realised(labelled(times=times, repeat=2), asked(), Window(ago(30), NOW))
    assert found.every == "week"
    assert [part.name for part in found.over_time] == ["2024-06-10", "2024-06-24"]
    assert [part.rows for part in found.over_time] == [4, 4]


def test_slices_are_those_of_the_use_case_with_a_least_number_of_rows() -> None:
    features = {"a": [1.0, 1.0, 1.0, -1.0], "c": ["x"] * 4}
    found = realised(labelled(features=features), asked(slices=LEVEL), WEEK)
    assert [(part.name, part.rows, part.outcome.value) for part in found.slices] == [
        ("level=high", 3, "ok"),
        ("level=low", 1, "not enough"),
    ]
    assert [part.value is None for part in found.slices] == [False, True]


def test_a_slice_is_not_made_up_where_events_hold_no_features() -> None:
    """Null is an otherwise in many slices: all would be `low`."""
    found = realised(labelled(), asked(slices=LEVEL), WEEK)
    assert found.slices == ()
    assert found.not_assessed == {"level": "no event holds features"}
    one_kept = realised(
        labelled(features={"a": [None] * 4, "c": ["x"] * 4}), asked(slices=LEVEL), WEEK
    )
    assert one_kept.not_assessed == {"level": "no event holds a"}


def test_events_without_features_are_in_no_slice() -> None:
    features = {"a": [1.0, 1.0, None, None], "c": ["x", None, None, None]}
    found = realised(labelled(features=features), asked(slices=LEVEL), WEEK)
    assert [(part.name, part.rows) for part in found.slices] == [("level=high", 2)]


def test_a_slice_of_a_feature_that_the_version_lacks_is_named() -> None:
    slices = {"size": pl.col("size").cast(pl.String)}
    features = {"a": [1.0] * 4, "c": ["x"] * 4}
    found = realised(labelled(features=features), asked(slices=slices), WEEK)
    assert found.not_assessed == {"size": "the version is not asked with size"}


def test_the_interval_draws_predictions_of_one_key_together() -> None:
    """A hundred predictions of four keys tell less than a hundred of a hundred keys."""
    keys = {"alone": [str(n) for n in range(100)], "four": [str(n % 4) for n in range(100)]}
    widths = {}
    for name, given in keys.items():
        found = realised(labelled(repeat=25, keys=given), asked(), WEEK)
        assert found.interval is not None
        widths[name] = found.interval[1] - found.interval[0]
    assert widths["four"] > 2 * widths["alone"]


def test_the_same_labels_have_the_same_interval() -> None:
    found = [realised(labelled(repeat=10), asked(), WEEK).interval for _ in range(2)]
    assert found[0] == found[1]


def test_an_estimate_is_beside_what_labels_say_and_asks_for_none() -> None:
    rows = labelled()
    found = estimated(rows.drop(LABEL), rows, asked(limit=0.9), WEEK)
    assert found.metric == "f1"
    assert found.value == found.on_labelled == pytest.approx(2 * 1.7 / (2 + 2.1))
    assert (found.outcome, found.calibration) == (Outcome.BELOW, "assumed")


def test_an_estimate_in_slices() -> None:
    rows = labelled(features={"a": [1.0, 1.0, 1.0, -1.0], "c": ["x"] * 4})
    found = estimated(rows, rows, asked(slices=LEVEL), WEEK)
    assert [(part.name, part.rows) for part in found.slices] == [
        ("level=high", 3),
        ("level=low", 1),
    ]
    assert found.slices[1].value is None


def test_an_estimate_without_a_value_says_why() -> None:
    rows = labelled()
    nothing = estimated(rows.clear(), rows, asked(), WEEK)
    assert (nothing.value, nothing.reason) == (None, "the window has no prediction of this version")
    never = labelled().with_columns(value=pl.lit(0.0))
    found = estimated(never, never, asked(), WEEK)
    assert (found.value, found.reason) == (None, "f1 cannot be estimated of these predictions")
    assert estimated(rows, rows, asked(), WEEK).reason == ""


def test_a_regression_is_not_estimated() -> None:
    rows = labelled(Task.REGRESSION)
    found = estimated(rows, rows, asked(Task.REGRESSION), WEEK)
    assert (found.metric, found.value, found.metrics) == (None, None, {})
    assert "regression" in found.reason


@pytest.mark.parametrize("task", list(Task))
def test_an_event_that_lacks_the_answer_is_not_complete(task: Task) -> None:
    rows = events(OUTPUTS[task], [NOW] * 4, TARGETS[task])
    assert rows.filter(is_complete(TARGETS[task])).height == 4
    assert outputs_of(rows, TARGETS[task]).tolist() == OUTPUTS[task]
    nothing = pl.lit(None)
    lacking = rows.with_columns(nothing.cast(rows[name].dtype).alias(name) for name in ANSWERS)
    assert lacking.filter(is_complete(TARGETS[task])).is_empty()


ANSWERS = ("value", "probabilities")


@pytest.mark.parametrize("chances", [[0.5, 0.5], [], [0.5, None, 0.5], [0.5, float("nan"), 0.5]])
def test_probabilities_must_be_those_of_all_classes(chances: list[float | None]) -> None:
    rows = events(OUTPUTS[Task.MULTICLASS], [NOW] * 4, TARGETS[Task.MULTICLASS])
    broken = rows.head(1).with_columns(pl.Series("probabilities", [chances], pl.List(pl.Float64)))
    assert len(CLASSES) == 3
    both = pl.concat([broken, rows.tail(1)])
    assert both.filter(is_complete(TARGETS[Task.MULTICLASS])).height == 1


def test_a_day_begins_at_midnight_utc() -> None:
    midnight = NOW.replace(hour=0)
    times = [midnight - timedelta(seconds=1)] * 4 + [midnight] * 4
    found = realised(labelled(times=times, repeat=2), asked(), WEEK)
    assert [part.name for part in found.over_time] == ["2024-06-29", "2024-06-30"]
