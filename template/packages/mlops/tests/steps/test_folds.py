"""Folds are of the kind of the split: whole groups, or what comes later in time."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from mlops.errors import Refused
from mlops.steps.folds import folds

BY_KEY = {"salt": "holdout", "key": "key", "holdout_fraction": 0.25}
"""As prepared.json said it before there were splits in time."""
IN_TIME = {"by": "time", "gap_days": 0}
DAY = date(2024, 3, 1)


def dated(days: list[int], **more: Any) -> pl.DataFrame:
    seen = [DAY + timedelta(days=day) for day in days]
    return pl.DataFrame({"key": range(len(days)), "split.day": seen, **more})


@pytest.mark.parametrize("split", [BY_KEY, {**BY_KEY, "by": "key", "grouped": False}])
def test_each_entity_is_measured_on_once_and_folds_are_alike(split: dict[str, Any]) -> None:
    train = pl.DataFrame({"key": [f"k{number}" for number in range(103)]})
    found = folds(train, "key", split, 5)
    assert [len(measure) for _fit, measure in found] == [21, 21, 21, 20, 20]
    assert sorted(np.concatenate([measure for _fit, measure in found])) == list(range(103))
    for fit, measure in found:
        assert sorted([*fit, *measure]) == list(range(103))
        assert (np.diff(fit) > 0).all()


def test_the_order_of_rows_changes_nothing_and_the_salt_does() -> None:
    train = pl.DataFrame({"key": [f"k{number}" for number in range(50)]})

    def measured(table: pl.DataFrame, salt: str) -> list[set[str]]:
        split = {**BY_KEY, "salt": salt}
        return [set(table["key"].gather(rows)) for _fit, rows in folds(table, "key", split, 3)]

    assert measured(train.reverse(), "holdout") == measured(train, "holdout")
    assert measured(train, "other") != measured(train, "holdout")


def test_a_group_is_on_one_side() -> None:
    groups = [number % 7 for number in range(100)]
    train = pl.DataFrame({"key": range(100), "split.group": pl.Series(groups, dtype=pl.UInt64)})
    found = folds(train, "key", {**BY_KEY, "by": "key", "grouped": True}, 3)
    assert sum(len(measure) for _fit, measure in found) == 100
    for fit, measure in found:
        assert len(fit)
        assert not {groups[row] for row in fit} & {groups[row] for row in measure}


def test_in_time_a_fold_is_measured_after_all_that_it_is_fitted_on() -> None:
    train = dated([5, 0, 1, 1, 2, 3, 4, 4, 6, 7])
    found = [(fit.tolist(), measure.tolist()) for fit, measure in folds(train, "key", IN_TIME, 3)]
    assert found == [
        ([1, 2, 3], [4, 5]),
        ([1, 2, 3, 4, 5], [0, 6, 7]),
        ([0, 1, 2, 3, 4, 5, 6, 7], [8, 9]),
    ]


@pytest.mark.parametrize(("gap", "newest"), [(0, 29), (1, 29), (2, 28), (10, 20)])
def test_in_time_the_gap_before_each_fold_is_cut_away(gap: int, newest: int) -> None:
    train = dated([number % 60 for number in range(600)])
    (fit, measure), *_rest = folds(train, "key", {**IN_TIME, "gap_days": gap}, 2)[:1]
    days = train["split.day"]
    assert days.gather(measure).min() == DAY + timedelta(days=20)
    assert days.gather(fit).max() == DAY + timedelta(days=newest - 10)
    second = folds(train, "key", {**IN_TIME, "gap_days": gap}, 2)[1]
    assert days.gather(second[1]).min() == DAY + timedelta(days=40)
    assert days.gather(second[0]).max() == DAY + timedelta(days=newest + 10)


def test_in_time_groups_that_are_measured_on_are_not_fitted_on() -> None:
    groups = pl.Series([1, 2, 1, 3, 2, 4], dtype=pl.UInt64)
    found = folds(dated([0, 1, 2, 3, 4, 5], **{"split.group": groups}), "key", IN_TIME, 2)
    assert [(fit.tolist(), measure.tolist()) for fit, measure in found] == [
        ([1], [2, 3]),
        ([0, 2, 3], [4, 5]),
    ]


@pytest.mark.parametrize(
    ("train", "split", "said"),
    [
        (dated([0, 1]), BY_KEY, "2 entities, too few for 3 folds"),
        (
            dated([0, 1, 2, 3], **{"split.group": [1, 1, 2, 2]}),
            {**BY_KEY, "by": "key"},
            "2 groups, too few for 3 folds",
        ),
        (dated([0, 1, 2, 2]), IN_TIME, "3 days, too few for 3 folds in time"),
        (dated([0, 1, 2, 3]), {**IN_TIME, "gap_days": 2}, r"2024-03-02 has no row to fit on"),
        (dated([]), IN_TIME, "0 days, too few"),
    ],
)
def test_too_little_for_so_many_folds_is_refused(
    train: pl.DataFrame, split: dict[str, Any], said: str
) -> None:
    with pytest.raises(Refused, match=said):
        folds(train, "key", split, 3)


def test_one_fold_is_none() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        folds(dated([0, 1]), "key", BY_KEY, 1)
