"""How far a window lies from the baseline: sizes of an effect, whatever the number of rows.

Population stability index (Siddiqi, Credit Risk Scorecards, 2006), Jensen-Shannon distance (Lin,
Divergence measures based on the Shannon entropy, IEEE Trans. Inf. Theory 37, 1991; Endres and
Schindelin, 2003: its root is a metric) and the first Wasserstein distance.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mlops.monitoring.profile import Floats, NumberProfile

Array = npt.NDArray[Any]
MOST_CELLS = 20
"""A cell holds at least a 20th of the training part, as is usual for the index."""
LEAST_ROWS = 5
"""A cell is expected to hold so many rows, of the window and of the training part."""
_NEARLY = 1 - 1e-9
"""Five hundredths added up are not always a twentieth."""


@dataclass(frozen=True)
class Cells:
    """How the cells of a profile are put together to be compared.

    Attributes:
        of_cell: the coarse cell of each cell of the profile, in order, shape (cells,).
        groups: the group of each coarse cell.
        rare: the group of those that hold too little by themselves; None: there are none.
    """

    of_cell: Array
    groups: Array
    rare: int | None


def least_share(window: int, training: int, most: int | None = MOST_CELLS) -> float:
    """Return the share that a cell must hold at least, of so many rows of either.

    Args:
        window: rows of the window.
        training: rows of the training part.
        most: how many cells there may be, besides those that are names; None: any number.
    """
    by_rows = LEAST_ROWS / max(min(window, training), 1)
    return by_rows if most is None else max(1 / most, by_rows)


def number_cells(profile: NumberProfile, least: float) -> Cells:
    """Put cells together until each holds a share; a value that holds it alone stays alone.

    What is left beside such a value, and holds too little, is put together from all places.

    Args:
        profile: of a column of numbers.
        least: the share that each is to hold.
    """
    masses, least = profile.masses, least * _NEARLY
    alone = profile.is_value & (masses >= least)
    of_cell, totals = np.empty(0, dtype=np.int64), np.empty(0)
    for run in np.split(masses, np.flatnonzero(alone[1:] | alone[:-1]) + 1):
        pieces = _pieces(run, least)
        of_cell = np.append(of_cell, pieces + len(totals))
        totals = np.append(totals, np.bincount(pieces, weights=run))
    return Cells(of_cell, *_groups(totals >= least))


def category_cells(shares: Floats, least: float) -> Cells:
    """Put names together that hold too little, and all that have no code of their own."""
    of_cell, rare_names = _groups(np.append(shares[:-1] >= least, [False]))
    return Cells(of_cell, np.arange(of_cell.max() + 1), rare_names)


def coarse(values: Array, of_cell: Array) -> Array:
    """Return the sums over what belongs together, along the last axis."""
    count = int(of_cell.max(initial=0)) + 1
    members = (of_cell[:, np.newaxis] == np.arange(count)).astype(np.float64)
    return np.asarray(values @ members)


def stability_index(training: Floats, window: Floats) -> float:
    """Return the population stability index of two rows of counts, each half a row more.

    Without that, a cell that one of them does not have would make it infinite.
    """
    p, q = ((each + 0.5) / (each.sum() + 0.5 * len(each)) for each in (training, window))
    return float(((q - p) * np.log(q / p)).sum())


def jensen_shannon(training: Array, window: Array) -> Array:
    """Return the Jensen-Shannon distance, from 0 to 1 (base 2), of shares along the last axis."""
    middle = (training + window) / 2

    def divergence(shares: Array) -> Array:
        ratio = np.divide(shares, middle, out=np.ones_like(middle), where=shares > 0)
        return np.asarray((shares * np.log2(ratio)).sum(axis=-1))

    return np.asarray(np.sqrt(((divergence(training) + divergence(window)) / 2).clip(0, 1)))


def wasserstein(positions: Floats, differences: Floats, moments: Floats) -> float:
    """Return the area between two distribution functions, in the unit of the positions.

    Between two edges the area is known where one function stays above the other, as it follows
    from the values' mean there. Where they cross, each is taken for a line if that is more.

    Args:
        positions: of the edges, ascending, shape (edges,).
        differences: of the two functions at the edges.
        moments: of what the values up to the edges add to the two means, the differences.
    """
    signed = np.abs(np.diff(positions * differences - moments))
    left, right = np.abs(differences[:-1]), np.abs(differences[1:])
    total = left + right
    squares = np.divide(left**2 + right**2, total, out=np.zeros_like(total), where=total > 0)
    crossing = np.maximum(signed, squares / 2 * np.diff(positions))
    return float(np.where(differences[:-1] * differences[1:] < 0, crossing, signed).sum())


def area_weights(positions: Floats) -> Floats:
    """Return by what an absolute difference at each edge counts for the area, by trapezoids."""
    gaps = np.diff(positions)
    return np.asarray((np.append(gaps, 0.0) + np.append([0.0], gaps)) / 2)


def rare(shares: Array, cells: Cells) -> float:
    """Return the share of what training has so seldom that it is put together."""
    return float(shares[cells.groups == cells.rare].sum()) if cells.rare is not None else 0.0


def _pieces(masses: Floats, least: float) -> Array:
    """Return a number for each cell of a run: a new one once the last holds enough."""
    pieces, total, piece = [], 0.0, 0
    for mass in masses.tolist():
        pieces.append(piece)
        total += mass
        if total >= least:
            piece, total = piece + 1, 0.0
    return np.minimum(pieces, max(piece - 1, 0))


def _groups(large: Array) -> tuple[Array, int | None]:
    """Return the group of each coarse cell, and that of all which are not large."""
    count = int(large.sum())
    return np.where(large, np.cumsum(large) - 1, count), None if large.all() else count
