"""Folds of the training part, of the same kind as the split that made it.

What is chosen by cross-validation is judged on the holdout later. So the folds are as hard as the
holdout: the same groups stay together, and in time a fold is predicted from what came before it. A
random fold would be easier, and what is chosen on it optimistic.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mlops.artifacts.prepared import SPLIT_DAY, SPLIT_GROUP
from mlops.errors import Refused
from mlops.steps.split import hashes, is_before

if TYPE_CHECKING:
    import polars as pl

Rows = npt.NDArray[np.int64]


def folds(
    train: "pl.DataFrame", key: str, split: Mapping[str, Any], count: int
) -> list[tuple[Rows, Rows]]:
    """Return the rows to fit on and the rows to measure on, for each fold.

    By key: each entity, or group of entities, is measured on in one fold and fitted on in the
    others; folds differ by one entity or group at most. In time: the days are cut into `count` + 1
    spans with equally many days; each but the first is measured on once, after fitting on all that
    lies before it by at least the gap (expanding windows). By groups, those measured on are not
    fitted on.

    Args:
        train: the training part, as `Prepared.train` returns it.
        key: the column that names an entity.
        split: how it was split, as `Prepared.split` says it.
        count: how many folds, at least 2.

    Returns:
        For each fold, row numbers of `train` in rising order, to fit on and to measure on. The same
        rows in another order are in the same folds.

    Raises:
        ValueError: fewer than 2 folds were asked for.
        Refused: there are too few entities, groups or days for so many folds.
    """
    if count < 2:
        raise ValueError(f"{count} folds: there must be at least 2")
    found = (
        _in_time(train, split, count) if _is_in_time(split) else _by_key(train, key, split, count)
    )
    return [(np.flatnonzero(fit), np.flatnonzero(measure)) for fit, measure in found]


def _is_in_time(split: Mapping[str, Any]) -> bool:
    return bool(split.get("by", "key") == "time")


Masks = tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]


def _by_key(train: "pl.DataFrame", key: str, split: Mapping[str, Any], count: int) -> list[Masks]:
    column = SPLIT_GROUP if SPLIT_GROUP in train.columns else key
    names = train[column].unique().sort()
    if len(names) < count:
        what = "groups" if column == SPLIT_GROUP else "entities"
        raise Refused(
            f"the training part has {len(names)} {what}, too few for {count} folds",
            "ask for fewer folds, or bring more data",
        )
    numbers = hashes(names, salt=str(split["salt"]), purpose=b"folds")
    order = np.argsort(np.array(numbers, dtype=np.uint64), kind="stable")
    dealt = np.empty(len(names), dtype=np.int64)
    dealt[order] = np.arange(len(names)) % count
    of_row = train[column].replace_strict(names, dealt).to_numpy()
    return [(of_row != fold, of_row == fold) for fold in range(count)]


def _in_time(train: "pl.DataFrame", split: Mapping[str, Any], count: int) -> list[Masks]:
    days = train[SPLIT_DAY]
    distinct = days.unique().sort()
    if len(distinct) <= count:
        raise Refused(
            f"the training part has {len(distinct)} days, too few for {count} folds in time",
            "ask for fewer folds, or bring older data",
        )
    found = []
    for span in np.array_split(distinct.to_numpy(), count + 1)[1:]:
        first = span[0].item()
        measure = days.is_between(first, span[-1].item())
        fit = is_before(days, first, int(split["gap_days"]))
        if SPLIT_GROUP in train.columns:
            fit &= ~train[SPLIT_GROUP].is_in(train[SPLIT_GROUP].filter(measure).unique().implode())
        if not fit.any():
            raise Refused(
                f"the fold that begins on {first} has no row to fit on: none lies "
                f"{split['gap_days']} days before it (split.gap_days), or all are of its groups",
                "ask for fewer folds, or bring older data",
            )
        found.append((fit.to_numpy(), measure.to_numpy()))
    return found
