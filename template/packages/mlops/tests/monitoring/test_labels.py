"""Which label counts, and which prediction it is of."""

from datetime import date

import polars as pl
import pytest

from fakes.labelled_events import NOW, TARGETS, ago, events
from mlops.monitoring.labels import (
    DAY,
    ORDER,
    By,
    Labels,
    first_predictions,
    join,
    understood,
    unlabelled,
)
from mlops.tasks import Task
from mlops.usecase.use_case import LABEL

DUE = pl.col("time") < ago(10)


def by_id(*labels: tuple[str, float]) -> Labels:
    """Labels in the order in which they came."""
    columns = {"inference_id": pl.String, LABEL: pl.Float64, ORDER: pl.UInt32}
    rows = [(name, label, order) for order, (name, label) in enumerate(labels)]
    return Labels(By.ID, pl.DataFrame(rows, schema=columns, orient="row"), len(rows))


def by_key(*labels: tuple[str, date, float]) -> Labels:
    columns = {"key": pl.String, DAY: pl.Date, LABEL: pl.Float64, ORDER: pl.UInt32}
    rows = [(*label, order) for order, label in enumerate(labels)]
    return Labels(By.KEY, pl.DataFrame(rows, schema=columns, orient="row"), len(rows))


@pytest.mark.parametrize(
    ("task", "values", "numbers", "left_out"),
    [
        (Task.BINARY, [0, 1, 2, None], [0, 1, None, None], {"null": 1, "neither 0 nor 1": 1}),
        (Task.BINARY, [True, False], [1, 0], {}),
        (Task.BINARY, [0.0, 1.0, 0.5], [0, 1, None], {"neither 0 nor 1": 1}),
        (Task.BINARY, ["1", " 0", "TRUE", "yes"], [1, 0, 1, None], {"neither 0 nor 1": 1}),
        (Task.BINARY, [None, None], [None, None], {"null": 2}),
        (Task.BINARY, [date(2024, 1, 1)], [None], {"neither 0 nor 1": 1}),
        (Task.REGRESSION, [1.0, -2.5, None], [1, -2.5, None], {"null": 1}),
        (Task.REGRESSION, [1.0, float("nan"), float("inf")], [1, None, None], {"not finite": 2}),
        (Task.REGRESSION, ["7", "much"], [None, None], {"no number": 2}),
        (
            Task.MULTICLASS,
            ["red", " blue", "pink", "pink", None],
            [2, 0, None, None, None],
            {"null": 1, "a class that the version lacks: pink": 2},
        ),
        (Task.MULTICLASS, [7.0], [None], {"a class that the version lacks: 7": 1}),
    ],
)
def test_a_label_that_is_none_of_the_model_s_is_left_out_by_name(
    task: Task, values: list[object], numbers: list[object], left_out: dict[str, int]
) -> None:
    found = understood(pl.Series(values), TARGETS[task])
    assert found.values.to_list() == numbers
    assert found.left_out == left_out


def test_unknown_classes_are_not_named_where_values_are_hidden() -> None:
    found = understood(pl.Series(["pink", "gold"]), TARGETS[Task.MULTICLASS], quote=False)
    assert found.left_out == {"a class that the version lacks": 2}


def test_of_many_unknown_classes_some_are_named() -> None:
    found = understood(pl.Series([f"c{n:02}" for n in range(14)]), TARGETS[Task.MULTICLASS])
    assert len(found.left_out) == 11
    assert found.left_out["a class that the version lacks: another"] == 4


def test_the_newest_label_of_a_prediction_counts() -> None:
    seen = first_predictions(events([0.9, 0.2], [ago(20)] * 2), By.ID)
    found = join(seen, by_id(("0", 1), ("1", 1), ("0", 0)), DUE)
    assert found.labelled[LABEL].to_list() == [0.0, 1.0]
    assert (found.contradicting, found.repeated) == (1, 0)


def test_a_label_that_comes_twice_counts_once() -> None:
    seen = first_predictions(events([0.9], [ago(20)]), By.ID)
    found = join(seen, by_id(("0", 1), ("0", 1)), DUE)
    assert found.labelled.height == found.mature.height == 1
    assert (found.contradicting, found.repeated) == (0, 1)


def test_labels_of_nobody_repeat_and_contradict_no_prediction() -> None:
    seen = first_predictions(events([0.9], [ago(20)]), By.ID)
    twice = (("nobody", 1), ("nobody", 1), ("another", 0), ("another", 1))
    found = join(seen, by_id(("0", 1), *twice), DUE)
    assert (found.contradicting, found.repeated, found.unknown) == (0, 0, 2)


def test_labels_of_unknown_predictions_are_counted_and_join_nothing() -> None:
    seen = first_predictions(events([0.9], [ago(20)]), By.ID)
    found = join(seen, by_id(("0", 1), ("nobody", 1), ("another", 0)), DUE)
    assert found.labelled["inference_id"].to_list() == ["0"]
    assert found.unknown == 2


def test_only_a_prediction_whose_label_is_due_is_judged() -> None:
    seen = first_predictions(events([0.9, 0.9, 0.9], [ago(20), ago(10), ago(1)]), By.ID)
    found = join(seen, by_id(("0", 1), ("1", 1), ("2", 1)), DUE)
    assert found.mature["inference_id"].to_list() == ["0"]
    assert (found.young.height, found.immature) == (2, 2)


def test_a_prediction_without_a_label_is_mature_all_the_same() -> None:
    seen = first_predictions(events([0.9, 0.1], [ago(20)] * 2), By.ID)
    found = join(seen, by_id(("1", 0)), DUE)
    assert (found.mature.height, found.labelled.height) == (2, 1)


def test_an_event_that_is_there_twice_counts_once_and_the_first_decides() -> None:
    seen = events([0.1, 0.9], [ago(5), ago(20)], ids=["same", "same"])
    found = join(first_predictions(seen, By.ID), by_id(("same", 1)), DUE)
    assert found.mature["value"].to_list() == [0.9]
    assert found.young.is_empty()


def test_by_key_the_first_prediction_of_the_day_is_meant() -> None:
    times = [ago(20), ago(19.9), ago(19)]
    seen = first_predictions(events([0.9, 0.1, 0.4], times, keys=["k", "k", "k"]), By.KEY)
    day = ago(20).date()
    assert seen["value"].to_list() == [0.9, 0.4]
    found = join(seen, by_key(("k", day, 1), ("k", date(2020, 1, 1), 0), ("x", day, 0)), DUE)
    assert found.labelled["value"].to_list() == [0.9]
    assert (found.mature.height, found.unknown) == (2, 2)


def test_by_key_what_names_no_key_is_never_joined() -> None:
    seen = first_predictions(events([0.9, 0.1], [ago(20)] * 2), By.KEY)
    found = join(seen, by_key(("k", ago(20).date(), 1)), DUE)
    assert (found.mature.height, found.labelled.height, found.unknown) == (2, 0, 1)


def test_without_labels_nothing_is_labelled() -> None:
    found = unlabelled(first_predictions(events([0.9, 0.1], [ago(20), NOW]), By.ID), DUE)
    assert (found.mature.height, found.young.height, found.labelled.height) == (1, 1, 0)
