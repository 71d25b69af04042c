"""What chance alone makes of a window, and how sure one may be that it was not chance.

Each test of a check has a p-value: how often unchanged data differ at least so much. Holm's method
(A simple sequentially rejective multiple test procedure, 1979) then holds for all tests of a check
together, however they depend on each other: the least p-value is multiplied by the number of all
tests, the next by one less, and so on.

Shares (missing values, unknown categories) are tested exactly, by the hypergeometric distribution:
given how many there are in both samples, each row is as likely as any other to be one (Fisher).

Distances between distributions have no such formula, so they are simulated: again and again both
samples are drawn from the baseline's profile, each at its own size, since the baseline is a sample,
too. With `DRAWS` of them no p-value below 1 / (DRAWS + 1) can be told (Phipson and Smyth,
Permutation p-values should never be zero, 2010), and a check of many columns needs smaller ones. So
beyond the largest draw the tail goes on exponentially, at the least rate that the draws show before
it. Where a tail is log-concave, as that of such distances is, its true rate only grows (Bagnoli and
Bergstrom, Log-concave probability and its applications, 2005): what is told is rather too large.
A few draws come first, and where many of them are as far off, they are enough (Besag and Clifford,
Sequential Monte Carlo p-values, 1991).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from mlops.monitoring.distances import Cells, coarse, jensen_shannon
from mlops.monitoring.profile import Floats

DRAWS = 5000
_FIRST, _MANY = 500, 25
"""So many draws come first; more follow unless so many of them are as far off as what is judged."""
_FAR = (200, 20, 1)
"""The rate of the tail is measured between these, counted from the largest draw."""
_SEED = 20260101
_LEAST_P = 1e-300


@dataclass
class Chance:
    """The draws of one check, each pair of sizes and profile drawn once."""

    _drawn: dict[tuple[int, int, int, bytes], tuple[Floats, Floats]] = field(default_factory=dict)

    def of_distance(
        self, shares: Floats, training: int, window: int, cells: Cells, found: float
    ) -> float:
        """Return how often chance alone gives at least this Jensen-Shannon distance.

        Args:
            shares: of the baseline, of each coarse cell in order.
            training: rows of the baseline that are not null.
            window: rows of the window that are not null.
            cells: which of the coarse cells belong to one group.
            found: the distance.
        """

        def drawn(draws: int) -> Floats:
            ours, theirs = self._shares(shares, training, window, draws)
            return jensen_shannon(coarse(ours, cells.groups), coarse(theirs, cells.groups))

        return _p_value(drawn, found)

    def of_area(
        self, shares: Floats, training: int, window: int, weights: Floats, found: float
    ) -> float:
        """Return how often chance alone gives at least this area between distribution functions.

        Args:
            shares: of the baseline, of each coarse cell in order.
            training: rows of the baseline that are not null.
            window: rows of the window that are not null.
            weights: of the absolute difference after each coarse cell but the last.
            found: the area, computed by these weights.
        """

        def drawn(draws: int) -> Floats:
            ours, theirs = self._shares(shares, training, window, draws)
            return np.asarray(np.abs((theirs - ours).cumsum(axis=1)[:, :-1]) @ weights)

        return _p_value(drawn, found)

    def _shares(
        self, shares: Floats, training: int, window: int, draws: int
    ) -> tuple[Floats, Floats]:
        smooth = (shares * training + 0.5) / (training + 0.5 * len(shares))
        smooth /= smooth.sum()
        key = draws, training, window, np.round(smooth, 12).tobytes()
        if key not in self._drawn:
            random = np.random.default_rng([_SEED, *key[:3], len(shares)])
            self._drawn[key] = (
                random.multinomial(training, smooth, draws) / max(training, 1),
                random.multinomial(window, smooth, draws) / max(window, 1),
            )
        return self._drawn[key]


def _p_value(drawn: Callable[[int], Floats], found: float) -> float:
    first = drawn(_FIRST)
    as_large = _as_large(first, found)
    return (as_large + 1) / (_FIRST + 1) if as_large >= _MANY else tail(drawn(DRAWS), found)


def _as_large(drawn: Floats, found: float) -> int:
    return int((drawn >= found * (1 - 1e-9)).sum())


def tail(drawn: Floats, found: float) -> float:
    """Return how often chance alone gives at least what was found.

    Args:
        drawn: what it gave, shape (draws,).
        found: what is to be judged.
    """
    as_large = _as_large(drawn, found)
    counted = (as_large + 1) / (len(drawn) + 1)
    largest = [float(np.partition(drawn, -place)[-place]) for place in _FAR]
    rates = [
        np.log(place / further) / (after - before)
        for (place, further), (before, after) in zip(pairwise(_FAR), pairwise(largest), strict=True)
        if after > before
    ]
    if as_large or not rates:
        return counted
    return float(max(counted * np.exp(-min(rates) * (found - largest[-1])), _LEAST_P))


def more_than_chance(training: tuple[int, int], window: tuple[int, int]) -> float:
    """Return how often, of so many in both samples together, a window has at least so many.

    Args:
        training: how many there are in the training part, and of how many rows.
        window: how many there are in the window, and of how many rows.
    """
    (theirs, rows), (ours, size) = training, window
    return _upper(ours, ours + theirs, size, rows + size)


def other_than_chance(training: tuple[int, int], window: tuple[int, int]) -> float:
    """Return how often a window differs at least so much, with fewer or with more of them."""
    (theirs, rows), (ours, size) = training, window
    turned = (rows - theirs, rows), (size - ours, size)
    return min(1.0, 2 * min(more_than_chance(training, window), more_than_chance(*turned)))


def adjusted(p_values: npt.ArrayLike, tests: int) -> Floats:
    """Return Holm's p-values of some tests among `tests`, of which the others count as 1."""
    values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    factors = tests - np.arange(len(values))
    result = np.empty_like(values)
    result[order] = np.maximum.accumulate((values[order] * factors).clip(0, 1))
    return result


def _upper(found: int, marked: int, drawn: int, total: int) -> float:
    """Return the chance of at least `found` marked ones among `drawn` of `total`."""
    from scipy.special import gammaln, logsumexp

    def chosen(n: Floats | int, k: Floats | int) -> Floats:
        n, k = np.asarray(n, dtype=np.float64), np.asarray(k, dtype=np.float64)
        return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))

    least, most = max(0, drawn + marked - total), min(marked, drawn)
    if found <= least:
        return 1.0
    k = np.arange(found, most + 1, dtype=np.float64)
    logs = chosen(marked, k) + chosen(total - marked, drawn - k) - chosen(total, drawn)
    return float(min(1.0, max(np.exp(logsumexp(logs)), _LEAST_P)))
