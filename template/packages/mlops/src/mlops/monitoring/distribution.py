"""How a column was distributed in training and is in a window, as few shares for a picture."""

import numpy as np

from mlops.artifacts.drift_result import Distribution
from mlops.monitoring.profile import CategoryProfile, Floats, NumberProfile, Profile
from mlops.monitoring.window_counts import CategoryCounts, ColumnCounts, NumberCounts

_OWN_BAR, _BAR = 0.05, 0.1
"""A value that repeats has a bar of its own from this share on; other bars hold so much or more."""
_NAMES = 15


def distribution_of(profile: Profile, counts: ColumnCounts) -> Distribution | None:
    """Return the shares of present values, or None where nothing is present on either side."""
    if not counts.present or not profile.present:
        return None
    if isinstance(profile, CategoryProfile) and isinstance(counts, CategoryCounts):
        return _of_names(profile, counts)
    if isinstance(profile, NumberProfile) and isinstance(counts, NumberCounts):
        return _of_numbers(profile, counts)
    raise TypeError(f"{type(counts).__name__} are not counts of a {type(profile).__name__}")


def _of_names(profile: CategoryProfile, counts: CategoryCounts) -> Distribution:
    window = np.append(counts.known, counts.others) / counts.present
    labels = [*profile.names, "all others"]
    most = np.argsort(-np.maximum(profile.shares, window), kind="stable")[:_NAMES]
    shown = [int(place) for place in most if max(profile.shares[place], window[place]) > 0]
    return Distribution(
        labels=tuple(labels[place] for place in shown),
        baseline=tuple(float(profile.shares[place]) for place in shown),
        window=tuple(float(window[place]) for place in shown),
    )


def _of_numbers(profile: NumberProfile, counts: NumberCounts) -> Distribution:
    window = np.diff(counts.at_edges, prepend=0, append=counts.present) / counts.present
    bars = _bars(profile, profile.masses, window)
    return Distribution(
        labels=tuple(_label(profile.positions, first, last) for first, last in bars),
        baseline=tuple(float(profile.masses[first : last + 1].sum()) for first, last in bars),
        window=tuple(float(window[first : last + 1].sum()) for first, last in bars),
    )


def _bars(profile: NumberProfile, before: Floats, now: Floats) -> list[tuple[int, int]]:
    """Return the first and the last cell of each bar; cells that nobody has belong to none."""
    last = len(before) - 1
    alone = profile.is_value & (np.maximum(before, now) >= _OWN_BAR)
    alone[[0, last]] = True
    bars: list[tuple[int, int]] = []
    first = 1
    for cell in range(last + 1):
        if alone[cell]:
            bars += [(first, cell - 1), (cell, cell)]
            first = cell + 1
        elif max(before[first : cell + 1].sum(), now[first : cell + 1].sum()) >= _BAR:
            bars.append((first, cell))
            first = cell + 1
    return [(a, b) for a, b in bars if a <= b and before[a : b + 1].sum() + now[a : b + 1].sum()]


def _label(positions: Floats, first: int, last: int) -> str:
    if first == 0:
        return f"below {positions[0]:.4g}"
    if last == len(positions):
        return f"above {positions[-1]:.4g}"
    low, high = positions[first - 1], positions[last]
    return f"{low:.4g}" if low == high else f"{low:.4g} to {high:.4g}"
