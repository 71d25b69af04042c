"""What quantiles alone tell of a column: baselines of before hold nothing else of a number."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

LEAST_AT_AN_END = 15
"""With fewer rows beyond the outermost quantiles nothing is assumed of how they lie."""
_USUAL = 0.05
FEW = 3
"""With no more different quantiles it is not a measurement."""
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Known:
    """Values of a column, ascending, and what is known at each; arrays of shape (values,).

    Attributes:
        values: in the column's unit.
        below: the share of the present values that are less.
        at_most: the share of those that are no more.
        moment: what these add to the mean.
        std: the standard deviation of the present values.
        worth: a sample of so many rows would tell the shares as well.
    """

    values: Floats
    below: Floats
    at_most: Floats
    moment: Floats
    std: float
    worth: int


def from_quantiles(values: Floats, levels: Floats, present: int) -> Known:
    """Return what quantiles tell.

    A value that repeats ends somewhere between its last quantile and the next one. A single value
    between two that repeat is none: the quantile fell between both, which is where one ends and
    the other begins. Beyond the outermost quantiles values are taken to be exponential.

    Args:
        values: the quantiles, ascending.
        levels: of which shares, from 0 to 1.
        present: how many values there were.
    """
    values, levels = _with_ends(values, levels, present)
    step = float(levels[len(levels) // 2 + 1] - levels[len(levels) // 2])
    found, first, count = np.unique(values, return_index=True, return_counts=True)
    last = first + count - 1
    repeats = count > 1
    if len(found) in (2, 3) and found[0] == 0 and found[-1] == 1:
        repeats[[0, -1]] = True  # true and false
    below, at_most = levels[first].copy(), levels[last].copy()
    below[repeats] -= step / 2
    at_most[repeats] += step / 2
    inner = np.arange(1, len(found) - 1)
    between = inner[~repeats[inner] & repeats[inner - 1] & repeats[inner + 1]]
    at_most[between - 1] = below[between + 1] = levels[first[between]]
    keep = np.setdiff1d(np.arange(len(found)), between)
    found, below, at_most = found[keep], below[keep].clip(0, 1), at_most[keep].clip(0, 1)
    below[0], at_most[-1] = 0.0, 1.0
    moment, std = _moments(found, below, at_most)
    return Known(found, below, at_most, moment, std, _worth(present, step))


def _worth(present: int, step: float) -> int:
    """Return how many rows tell a share of `_USUAL` as well as quantiles at such steps do.

    Where a value that repeats begins and ends is known to half a step, evenly either way.
    """
    unknown = 2 * step**2 / 12 / (_USUAL * (1 - _USUAL))
    return round(1 / (1 / max(present, 1) + unknown))


def _moments(values: Floats, below: Floats, at_most: Floats) -> tuple[Floats, float]:
    """Return moment and std where values lie evenly between those that are known."""
    here, after = at_most - below, np.append(below[1:] - at_most[:-1], 0.0).clip(0)
    middles = np.append((values[1:] + values[:-1]) / 2, 0.0)
    widths = np.append(np.diff(values), 0.0)
    between = np.append(0.0, (middles * after)[:-1])
    moment = (here * values + between).cumsum()
    mean = moment[-1]
    spread = here * (values - mean) ** 2 + after * ((middles - mean) ** 2 + widths**2 / 12)
    return moment, float(np.sqrt(spread.sum()))


def _with_ends(values: Floats, levels: Floats, present: int) -> tuple[Floats, Floats]:
    """Return quantiles with some more in the first and the last cell.

    The greatest of k exponential values lies about log(k) of their means from where they begin.
    """
    parts = np.array([0.3, 0.5, 0.7, 0.8, 0.9])
    mass = float(levels[1] - levels[0])
    if present * mass < LEAST_AT_AN_END or len(np.unique(values)) <= FEW:
        return values, levels
    reach = -np.log1p(-parts) / np.log(present * mass)
    low = values[1] - (values[1] - values[0]) * reach
    high = values[-2] + (values[-1] - values[-2]) * reach
    levels = np.concatenate([levels, levels[1] - mass * parts, levels[-2] + mass * parts])
    order = np.argsort(levels, kind="stable")
    return np.concatenate([values, low, high])[order], levels[order]
