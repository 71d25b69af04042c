"""A column as its drift baseline describes it, in the form in which a window is counted.

Of a number that is the distribution function at edges: before and after each value that repeats,
and after each other quantile. Between two edges values lie evenly, as far as is known.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mlops.errors import ConfigError
from mlops.monitoring.baseline import OTHER, neighbourhoods, spread_of
from mlops.monitoring.quantiles import Known, from_quantiles

if TYPE_CHECKING:
    import polars as pl

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class NumberProfile:
    """A column of numbers; arrays are of shape (edges,).

    Attributes:
        rows: those of the training part.
        nulls: those of them in which the column is null.
        positions: where the edges are, in the column's unit; two before and after a value that
            repeats, which are the same.
        bounds: what is compared with, float32, in the same order.
        inclusive: whether the share at an edge holds what equals its bound.
        shares: of the present values, those up to each edge.
        moments: what those add to the mean, in the column's unit.
        std: their standard deviation; 0 of a constant column.
        worth: a sample of so many rows would tell the shares as well; of exact shares, all present.
    """

    rows: int
    nulls: int
    positions: Floats
    bounds: npt.NDArray[np.float32]
    inclusive: npt.NDArray[np.bool_]
    shares: Floats
    moments: Floats
    std: float
    worth: int

    @property
    def present(self) -> int:
        """How many rows of the training part are not null."""
        return self.rows - self.nulls

    @cached_property
    def masses(self) -> Floats:
        """The shares of the cells before, between and after the edges, shape (edges + 1,)."""
        return np.diff(self.shares, prepend=0.0, append=1.0)

    @cached_property
    def is_value(self) -> npt.NDArray[np.bool_]:
        """Which of the cells are one value that repeats, shape (edges + 1,)."""
        same = np.diff(self.positions) == 0
        return np.concatenate([[False], same, [False]])


@dataclass(frozen=True)
class CategoryProfile:
    """A column of names, or of predicted classes.

    Attributes:
        rows: those of the training part.
        nulls: those of them in which the column is null.
        names: the values that have a code of their own.
        shares: of the present values, shape (names + 1,); the last is that of all others.
    """

    rows: int
    nulls: int
    names: tuple[str, ...]
    shares: Floats

    @property
    def present(self) -> int:
        """How many rows of the training part are not null."""
        return self.rows - self.nulls


Profile = NumberProfile | CategoryProfile


def read_profiles(path: Path) -> dict[str, Profile]:
    """Return the columns of a drift baseline, that of the predictions included.

    Raises:
        ConfigError: the file is missing, or is no drift baseline.
    """
    import polars as pl

    remedy = "register the version again, and release it"
    if not path.is_file():
        raise ConfigError(f"{path} does not exist", remedy)
    try:
        frame = pl.read_parquet(path)
        return {
            str(name): _profile(group)
            for (name,), group in frame.group_by("column", maintain_order=True)
        }
    except (pl.exceptions.PolarsError, OSError, ValueError, IndexError) as error:
        said = str(error).strip().partition("\n")[0]
        raise ConfigError(f"{path} is no drift baseline: {said}", remedy) from error


def _profile(group: "pl.DataFrame") -> Profile:
    rows = int(group["rows"][0])
    nulls = round(rows * float(group["null_fraction"][0]))
    if "category" in group.columns and group["category"].null_count() == 0:
        shares = dict(group.select("category", "share").iter_rows())
        other = shares.pop(OTHER, 0.0)
        return CategoryProfile(rows, nulls, tuple(shares), np.array([*shares.values(), other]))
    numbers = group.sort("quantile")
    values, levels = numbers["value"].to_numpy(), numbers["quantile"].to_numpy()
    if np.isnan(values).any():
        none = np.empty(0)
        return NumberProfile(
            rows, nulls, none, none.astype(np.float32), none > 0, none, none, 0.0, 0
        )
    spread = spread_of(values, levels)
    if "at_most" in numbers.columns and numbers["at_most"].null_count() == 0:
        below, at_most, moment = (
            numbers[name].to_numpy() for name in ("below", "at_most", "moment")
        )
        std = float(numbers["std"][0])
        known = Known(values, below, at_most, moment, std, worth=rows - nulls)
    else:
        known = from_quantiles(values, levels, rows - nulls)
    return _numbers(rows, nulls, known, neighbourhoods(known.values, spread))


def _numbers(
    rows: int, nulls: int, known: Known, around: tuple[np.ndarray, np.ndarray]
) -> NumberProfile:
    low, high = around
    _, first = np.unique(high, return_index=True)
    keep = first[np.concatenate([[True], low[first][1:] > high[first][:-1]])]
    values, below, at_most, moment = (
        each[keep] for each in (known.values, known.below, known.at_most, known.moment)
    )
    repeats = (at_most - below) * (rows - nulls) > 1.5
    repeats[0] = True  # what is less than the least value is a cell of its own
    both = np.repeat(np.arange(len(values)), np.where(repeats, 2, 1))
    before = np.concatenate([both[1:] == both[:-1], [False]])
    under = moment - values * (at_most - below)
    return NumberProfile(
        rows=rows,
        nulls=nulls,
        positions=values[both],
        bounds=np.where(before, low[keep][both], high[keep][both]),
        inclusive=~before,
        shares=np.maximum.accumulate(np.where(before, below[both], at_most[both])),
        moments=np.where(before, under[both], moment[both]),
        std=known.std,
        worth=known.worth,
    )
