"""Finds rows that repeat an earlier one."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from mlops.data.row_hashes import Words, row_hashes


def repeated_rows(
    frame: pl.DataFrame, columns: Sequence[str], hashes: Words | None = None
) -> list[int]:
    """Return the positions of rows that have the same values as an earlier row in these columns.

    Rows are compared where their hashes are the same, which for most tables is nowhere.

    Args:
        frame: the table.
        columns: which columns count.
        hashes: the rows' hashes over just these columns, if they are known.
    """
    keys = pl.Series(row_hashes(frame.select(columns)) if hashes is None else hashes)
    ordered = keys.sort().to_numpy()
    twice = pl.Series(np.unique(ordered[1:][ordered[1:] == ordered[:-1]]))
    if twice.is_empty():
        return []
    suspects = keys.is_in(twice.implode()).arg_true()
    compared = frame[suspects].select(columns)
    again = ~compared.select(pl.struct(columns).is_first_distinct()).to_series()
    return [int(position) for position in suspects.filter(again)]
