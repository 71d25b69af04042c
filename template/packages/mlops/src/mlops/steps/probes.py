"""Rows at which a converted model is most likely to answer otherwise, made of the data.

All are float32 matrices of shape (rows, features). What leaves the run with a version is made of
mixed rows: each column is drawn on its own, so that none is the row of anybody.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from mlops.arrays import Matrix
from mlops.features import Features
from mlops.steps.boosters import library_of, number_splits
from mlops.steps.estimators import parts

TRAIN_ROWS = 10_000
"""So many rows of the training part are compared, spread over it."""
NULL_ROWS = 200
"""On so many rows each feature is tried as null."""
SPLITS = 3_000
"""So many thresholds of trees, and values of the data, are tried; each with its two neighbours."""
SERVER_ROWS = 200
"""About so many probes a version holds, which the server answers when it starts."""
LARGEST = float(np.finfo(np.float32).max)
_SEED = 20_260_101


def probe_groups(
    model: Any, train: Matrix, holdout: Matrix, features: Features
) -> dict[str, Matrix]:
    """Return the rows on which a model is compared with its ONNX, by where they come from.

    A category is one of its codes in every row, as it is when the model serves.
    """
    rows = mixed(spread(train, TRAIN_ROWS))
    groups = {
        "the holdout": holdout,
        "the training part": spread(train, TRAIN_ROWS),
        "the thresholds of trees": at_splits(rows, spread(thresholds(model, rows), SPLITS)),
        "neighbouring values": at_splits(rows, spread(values(rows), SPLITS), whole(rows)),
        "the ends of features": extremes(rows),
        "constant columns": constants(rows),
    }
    return {name: features.in_codes(probes) for name, probes in groups.items() if len(probes)}


def server_probes(
    model: Any, train: Matrix, nullable: npt.NDArray[np.bool_], features: Features
) -> Matrix:
    """Return the rows that a server has to answer at its start, shape (rows, features).

    They are 200, or more where more than 100 features may be null: each of these is null in a row
    of its own, and a threshold comes with both of its neighbours, however many features there are.

    Args:
        model: the fitted classifier.
        train: the training part.
        nullable: for each feature whether the model answers null, shape (features,).
        features: those of the columns.
    """
    rows = mixed(spread(train, TRAIN_ROWS))
    splits = spread(thresholds(model, rows), SERVER_ROWS // 12)
    empty = rows[np.arange(nullable.sum()) % len(rows)]
    empty[np.arange(len(empty)), np.flatnonzero(nullable)] = np.nan
    certain = np.concatenate([empty, at_splits(rows, splits)])
    room = max(SERVER_ROWS - len(certain), SERVER_ROWS // 4)
    ends = spread(np.concatenate([extremes(rows), constants(rows)]), room // 2)
    usual = rows[np.resize(np.arange(len(rows)), room - len(ends))]
    return features.in_codes(np.concatenate([certain, ends, usual]))


def mixed(rows: Matrix) -> Matrix:
    """Return as many rows, each of whose values comes from another row; the same ones each time."""
    order = np.random.default_rng(_SEED).permutation(len(rows))
    columns = range(rows.shape[1])
    return np.column_stack([rows[np.roll(order, column), column] for column in columns])


def spread(rows: Any, count: int) -> Any:
    """Return at most so many rows, evenly spread."""
    if len(rows) <= count:
        return rows
    return rows[np.linspace(0, len(rows) - 1, count).astype(int)]


def without(rows: Matrix, column: int) -> Matrix:
    """Return the rows with one feature null."""
    result = rows.copy()
    result[:, column] = np.nan
    return result


def at_splits(
    rows: Matrix,
    splits: npt.NDArray[np.float64],
    by_ones: npt.NDArray[np.bool_] | None = None,
) -> Matrix:
    """Return three rows for each split: at it, and one float32 below and above.

    Args:
        rows: the data; a split is tried in the row that is nearest to it.
        splits: pairs of a column and a value, shape (splits, 2).
        by_ones: for each column whether its neighbours are at least 1 away, shape (features,).
    """
    columns = splits[:, 0].astype(int)
    with np.errstate(over="ignore"):
        at = splits[:, 1].astype(np.float32)
    base = np.empty((len(splits), rows.shape[1]), np.float32)
    for column in np.unique(columns):
        chosen = columns == column
        base[chosen] = rows[_nearest(rows[:, column], at[chosen])]
    below, above = np.nextafter(at, np.float32(-np.inf)), np.nextafter(at, np.float32(np.inf))
    if by_ones is not None:
        below = np.where(by_ones[columns], np.minimum(below, at - 1), below)
        above = np.where(by_ones[columns], np.maximum(above, at + 1), above)
    result = []
    for value in (at, below, above):
        probe = base.copy()
        probe[np.arange(len(at)), columns] = value
        result.append(probe[np.isfinite(value)])
    return np.concatenate(result)


def whole(rows: Matrix) -> npt.NDArray[np.bool_]:
    """Return for each column whether all that is known in it are whole numbers, such as codes."""
    result: npt.NDArray[np.bool_] = (np.isnan(rows) | (np.floor(rows) == rows)).all(axis=0)
    return result


def values(rows: Matrix) -> npt.NDArray[np.float64]:
    """Return the values that stand in the data: pairs of a column and a value."""
    found = [
        _pairs(column, np.unique(rows[:, column][np.isfinite(rows[:, column])]))
        for column in range(rows.shape[1])
    ]
    each = max(1, SPLITS // len(found))
    return np.concatenate([spread(pairs, each) for pairs in found])


def thresholds(model: Any, rows: Matrix) -> npt.NDArray[np.float64]:
    """Return where a model's trees split, as the data say it: pairs of a column and a value.

    What a pipeline does before its trees is undone if its steps can do that; a split of a column
    that they make is left out.
    """
    found = [_pairs(0, np.empty(0)), *_splits(model)]
    splits = np.unique(np.concatenate(found), axis=0)
    splits = splits[np.isfinite(splits[:, 1]) & (splits[:, 0] < rows.shape[1])]
    before = model[:-1] if hasattr(model, "steps") and len(model.steps) > 1 else None
    return splits if before is None else _undone(before, rows, splits)


def extremes(rows: Matrix) -> Matrix:
    """Return rows with one feature at its least or greatest value, and as far again beyond."""
    result = []
    for column in range(rows.shape[1]):
        known = rows[:, column][np.isfinite(rows[:, column])]
        if not len(known):
            continue
        least, greatest = float(known.min()), float(known.max())
        span = greatest - least
        for value in (least, greatest, least - span, greatest + span, 0.0):
            probe = spread(rows, 3).copy()
            probe[:, column] = np.clip(value, -LARGEST, LARGEST)
            result.append(probe)
    return np.concatenate(result) if result else rows[:0]


def constants(rows: Matrix) -> Matrix:
    """Return a batch in which all rows are the same: a row of the data, many times."""
    return np.repeat(rows[:1], 5, axis=0)


def _pairs(column: int, numbers: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    return np.column_stack([np.full(len(numbers), column), numbers]).astype(np.float64)


def _splits(model: Any) -> Iterator[npt.NDArray[np.float64]]:
    for part in parts(model):
        if hasattr(part, "tree_"):
            inner = part.tree_.children_left >= 0
            yield np.column_stack([part.tree_.feature[inner], part.tree_.threshold[inner]])
        elif library_of(part):
            yield number_splits(part)
        elif isinstance(nodes := getattr(part, "nodes", None), np.ndarray):
            inner = nodes["is_leaf"] == 0
            yield np.column_stack([nodes["feature_idx"][inner], nodes["num_threshold"][inner]])


def _undone(before: Any, rows: Matrix, splits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the splits of transformed columns as values of the data's own; none if unknown."""
    try:
        transformed = np.asarray(before.transform(rows[:1]), np.float64)
        moved = np.repeat(transformed, len(splits), axis=0)
        columns = splits[:, 0].astype(int)
        moved[np.arange(len(splits)), columns] = splits[:, 1]
        original = np.asarray(before.inverse_transform(moved))[np.arange(len(splits)), columns]
    except (AttributeError, ValueError, TypeError, IndexError):
        return splits if _keeps_values(before) else splits[:0]
    return np.column_stack([splits[:, 0], original])


def _keeps_values(before: Any) -> bool:
    return all(type(step).__name__ == "SimpleImputer" for _, step in before.steps)


def _nearest(column: npt.NDArray[np.float32], wanted: npt.NDArray[np.float32]) -> Any:
    """Return for each number the row whose value in this column is about the nearest."""
    order = np.argsort(column)  # nulls come last
    known = int(np.isfinite(column).sum())
    places = np.searchsorted(column[order][:known], wanted)
    return order[np.clip(places, 0, max(known - 1, 0))]
