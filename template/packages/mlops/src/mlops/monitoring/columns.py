"""One column of a window beside its baseline: how far it lies away, and whether that is chance.

A measure counts where it is beyond its limit, and then only if chance is unlikely to have put it
there: each measure is judged by a test of its own (chance.py).
"""

from dataclasses import dataclass, replace

import numpy as np

from mlops.artifacts.drift_result import ColumnDrift, NewCategory
from mlops.monitoring import distances
from mlops.monitoring.chance import Chance, more_than_chance, other_than_chance
from mlops.monitoring.profile import CategoryProfile, NumberProfile, Profile
from mlops.monitoring.window_counts import CategoryCounts, ColumnCounts, NumberCounts
from mlops.settings.monitoring_sections import DriftSettings

TESTS = 5
"""So many tests each column may undergo: all count, whether or not a limit is passed."""


@dataclass(frozen=True)
class Suspicion:
    """Measures that are beyond their limits, and how likely chance alone did it."""

    measures: tuple[str, ...]
    p_value: float


@dataclass(frozen=True)
class Compared:
    """A column, and what makes it suspicious."""

    column: ColumnDrift
    suspicions: tuple[Suspicion, ...]


def compare(
    column: ColumnDrift,
    profile: Profile,
    counts: ColumnCounts,
    rows: int,
    limits: DriftSettings,
    chance: Chance,
) -> Compared:
    """Compare a column of a window with its profile.

    Args:
        column: its name and kind.
        profile: as training was.
        counts: as the window is.
        rows: of the window, those with a missing value included.
        limits: from which size on an effect counts.
        chance: the draws of this check.
    """
    column = replace(
        column,
        rows=counts.present,
        missing=1 - counts.present / max(rows, 1),
        missing_baseline=profile.nulls / max(profile.rows, 1),
    )
    found: list[Suspicion] = []
    if abs(column.missing - column.missing_baseline) > limits.missing:
        both = (profile.nulls, profile.rows), (rows - counts.present, rows)
        found.append(Suspicion(("missing",), other_than_chance(*both)))
    if counts.present and profile.present:
        if isinstance(profile, CategoryProfile) and isinstance(counts, CategoryCounts):
            compared = _categories(column, profile, counts, limits, chance)
        elif isinstance(profile, NumberProfile) and isinstance(counts, NumberCounts):
            compared = _numbers(column, profile, counts, limits, chance)
        else:
            raise TypeError(f"{column.column} was counted as another kind than its profile is")
        return Compared(compared.column, (*found, *compared.suspicions))
    return Compared(column, tuple(found))


def _numbers(
    column: ColumnDrift,
    profile: NumberProfile,
    counts: NumberCounts,
    limits: DriftSettings,
    chance: Chance,
) -> Compared:
    n, training = counts.present, profile.present
    cells = distances.number_cells(profile, distances.least_share(n, training))
    edges = counts.at_edges / n
    theirs = distances.coarse(profile.masses, cells.of_cell)
    ours = distances.coarse(np.diff(edges, prepend=0.0, append=1.0), cells.of_cell)
    column = _with_distances(column, theirs, ours, cells, training, n)
    area = distances.wasserstein(
        profile.positions, edges - profile.shares, counts.sums / n - profile.moments
    )
    if profile.std > 0:
        moved = (area + (counts.below + counts.above) / n) / profile.std
        column = replace(column, wasserstein=float(moved))
    found = _by_shares(column, theirs, ours, cells, (profile.worth, n), limits, chance)
    if column.wasserstein is not None and column.wasserstein > limits.wasserstein:
        weights = _weights(profile, cells)
        seen = float(np.abs((ours - theirs).cumsum()[:-1]) @ weights)
        p_value = chance.of_area(theirs, profile.worth, n, weights, seen)
        found.append(Suspicion(("wasserstein",), p_value))
        found.append(Suspicion(("wasserstein",), _outside(profile, counts)))
    return Compared(column, tuple(found))


def _outside(profile: NumberProfile, counts: NumberCounts) -> float:
    """Return how often unchanged data have at least so many values beyond those of training.

    Few of them can move the distance by any amount, which the area between shares does not show.
    """
    n, training = counts.present, profile.present
    rows = int(counts.at_edges[0]), n - int(counts.at_edges[-1])
    before = (round(float(profile.masses[end]) * training) for end in (0, -1))
    p_values = [
        more_than_chance((known, training), (now, n))
        for known, now in zip(before, rows, strict=True)
    ]
    return min(1.0, 2 * min(p_values))


def _weights(profile: NumberProfile, cells: distances.Cells) -> np.ndarray:
    """Return what a difference after each coarse cell but the last counts for the area."""
    ends = np.flatnonzero(np.diff(cells.of_cell))
    positions = profile.positions[np.concatenate([[0], ends, [-1]])]
    return distances.area_weights(positions)[1:-1]


def _categories(
    column: ColumnDrift,
    profile: CategoryProfile,
    counts: CategoryCounts,
    limits: DriftSettings,
    chance: Chance,
) -> Compared:
    n, training = counts.present, profile.present
    cells = distances.category_cells(profile.shares, distances.least_share(n, training, most=None))
    ours = np.append(counts.known, counts.others) / n
    before = round(float(profile.shares[-1]) * training), training
    both = [distances.coarse(each, cells.of_cell) for each in (profile.shares, ours)]
    column = _with_distances(column, both[0], both[1], cells, training, n)
    column = replace(
        column,
        unknown=float(ours[-1]),
        unknown_baseline=float(profile.shares[-1]),
        new_categories=tuple(
            NewCategory(name, rows, rows / n)
            for name, rows in counts.new.items()
            if more_than_chance(before, (rows, n)) < limits.alpha
        ),
        vanished=tuple(
            name
            for name, share, rows in zip(profile.names, profile.shares, counts.known, strict=False)
            if not rows and (1 - share) ** n < limits.alpha
        ),
    )
    found = _by_shares(column, both[0], both[1], cells, (training, n), limits, chance)
    rise = float(ours[-1] - profile.shares[-1])
    if rise > limits.new_categories:
        p_value = more_than_chance(before, (counts.others, n))
        found.append(Suspicion(("new_categories",), p_value))
    return Compared(column, tuple(found))


def _with_distances(
    column: ColumnDrift,
    theirs: np.ndarray,
    ours: np.ndarray,
    cells: distances.Cells,
    training: int,
    window: int,
) -> ColumnDrift:
    p, q = (distances.coarse(each, cells.groups) for each in (theirs, ours))
    return replace(
        column,
        psi=distances.stability_index(p * training, q * window),
        jensen_shannon=float(distances.jensen_shannon(p, q)),
    )


def _by_shares(
    column: ColumnDrift,
    theirs: np.ndarray,
    ours: np.ndarray,
    cells: distances.Cells,
    sizes: tuple[int, int],
    limits: DriftSettings,
    chance: Chance,
) -> list[Suspicion]:
    """Return what the shares of cells make suspicious, together and of what is rare in training.

    The second test is exact: what training hardly ever had is hardly ever drawn, either.
    """
    training, window = sizes
    far = {
        "psi": column.psi is not None and column.psi > limits.psi,
        "jensen_shannon": column.jensen_shannon is not None
        and column.jensen_shannon > limits.jensen_shannon,
    }
    measures = tuple(name for name, beyond in far.items() if beyond)
    if not measures or column.jensen_shannon is None:
        return []
    p_value = chance.of_distance(theirs, training, window, cells, column.jensen_shannon)
    found = [Suspicion(measures, p_value)]
    before, now = (distances.rare(each, cells) for each in (theirs, ours))
    if now > before:
        counts = (round(before * training), training), (round(now * window), window)
        found.append(Suspicion(measures, more_than_chance(*counts)))
    return found
