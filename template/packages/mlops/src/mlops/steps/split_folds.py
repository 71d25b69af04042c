"""Folds of the training part: entities are dealt by a hash of their key."""

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mlops.errors import Refused

if TYPE_CHECKING:
    import polars as pl

Rows = npt.NDArray[np.int64]


def folds(
    train: "pl.DataFrame", key: str, split: Mapping[str, Any], count: int
) -> list[tuple[Rows, Rows]]:
    """Return the rows to fit on and the rows to measure on, for each fold.

    Each entity is measured on in one fold and fitted on in the others; folds differ by one entity
    at most. The same rows in another order are in the same folds.

    Args:
        train: the training part.
        key: the column that names an entity.
        split: how it was split, as `Prepared.split` says it.
        count: how many folds, at least 2.

    Raises:
        ValueError: fewer than 2 folds were asked for.
        Refused: there are too few entities.
    """
    if count < 2:
        raise ValueError(f"{count} folds: there must be at least 2")
    if train.height < count:
        raise Refused(
            f"the training part has {train.height} entities, too few for {count} folds",
            "ask for fewer folds, or bring more data",
        )
    hashes = [
        hashlib.blake2b(f"{split['salt']}|{name}".encode(), digest_size=8, person=b"folds")
        for name in train[key]
    ]
    numbers = np.array([int.from_bytes(each.digest()) for each in hashes], dtype=np.uint64)
    order = np.argsort(numbers, kind="stable")
    dealt = np.empty(train.height, dtype=np.int64)
    dealt[order] = np.arange(train.height) % count
    return [(np.flatnonzero(dealt != fold), np.flatnonzero(dealt == fold)) for fold in range(count)]
