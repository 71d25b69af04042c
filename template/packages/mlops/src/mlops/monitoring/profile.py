"""A column as its drift baseline describes it, in the form in which a window is counted.

Of a number that is the distribution function at edges: before and after each value that repeats,
and after each other quantile. Between two edges values lie evenly, as far as is known.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mlops.errors import ConfigError
from mlops.monitoring.baseline import OTHER, neighbourhoods, spread_of

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
        std: their standard deviation; 0 of a constant column.
    """

    rows: int
    nulls: int
    positions: Floats
    bounds: npt.NDArray[np.float32]
    inclusive: npt.NDArray[np.bool_]
    shares: Floats
    std: float

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
    values = numbers["value"].to_numpy()
    if np.isnan(values).any():
        none = np.empty(0)
        return NumberProfile(rows, nulls, none, none.astype(np.float32), none > 0, none, 0.0)
    known = numbers.columns
    if "at_most" in known and numbers["at_most"].null_count() == 0:
        given: Mapping[str, Any] = {
            "below": numbers["below"].to_numpy(),
            "at_most": numbers["at_most"].to_numpy(),
            "std": float(numbers["std"][0]),
        }
        return _numbers(rows, nulls, values, **given)
    return _numbers(rows, nulls, *_from_quantiles(values, numbers["quantile"].to_numpy()))


def _numbers(
    rows: int, nulls: int, values: Floats, below: Floats, at_most: Floats, std: float
) -> NumberProfile:
    low, high = neighbourhoods(values, _spread(values))
    _, first = np.unique(high, return_index=True)
    keep = first[np.concatenate([[True], low[first][1:] > high[first][:-1]])]
    values, below, at_most = values[keep], below[keep], at_most[keep]
    repeats = (at_most - below) * (rows - nulls) > 1.5
    repeats[0] = True  # what is less than the least value is a cell of its own
    both = np.repeat(np.arange(len(values)), np.where(repeats, 2, 1))
    before = np.concatenate([both[1:] == both[:-1], [False]])
    return NumberProfile(
        rows=rows,
        nulls=nulls,
        positions=values[both],
        bounds=np.where(before, low[keep][both], high[keep][both]),
        inclusive=~before,
        shares=np.maximum.accumulate(np.where(before, below[both], at_most[both])),
        std=std,
    )


def _spread(values: Floats) -> float:
    return spread_of(values) if len(values) > 2 else float(np.ptp(values))


def _from_quantiles(values: Floats, levels: Floats) -> tuple[Floats, Floats, Floats, float]:
    """Return values, below, at_most and std of a baseline that has quantiles alone.

    A value that repeats ends somewhere between its last quantile and the next one. A single value
    between two that repeat is none: the quantile fell between both, which is where one ends and
    the other begins.
    """
    step = float(levels[1] - levels[0])
    found, first, count = np.unique(values, return_index=True, return_counts=True)
    last = first + count - 1
    repeats = count > 1
    below, at_most = levels[first].copy(), levels[last].copy()
    below[repeats] -= step / 2
    at_most[repeats] += step / 2
    inner = np.arange(1, len(found) - 1)
    between = inner[~repeats[inner] & repeats[inner - 1] & repeats[inner + 1]]
    at_most[between - 1] = below[between + 1] = levels[first[between]]
    keep = np.setdiff1d(np.arange(len(found)), between)
    below, at_most = below.clip(0, 1), at_most.clip(0, 1)
    below[0], at_most[-1] = 0.0, 1.0
    middles, widths = (values[1:] + values[:-1]) / 2, np.diff(values)
    variance = np.average((middles - middles.mean()) ** 2 + widths**2 / 12)
    return found[keep], below[keep], at_most[keep], float(np.sqrt(variance))
