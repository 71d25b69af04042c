"""Anytime-valid tests of a rate: is the candidate worse than the baseline by more than a margin?

One observation is a block: one answer of the candidate and the mean of `k` answers of the baseline.
Its difference D lies in [-1, 1]; its mean is the difference of the two rates. Two nulls are tested
by betting against them:

- "worse": the mean of D is at least the margin. Evidence against it speaks for promotion.
- "not worse": the mean of D is at most the margin. Evidence against it speaks for rejection.

So a candidate within the margin is hardly ever rejected, one beyond it hardly ever promoted, and
one right at it neither.

A constant stake s turns a null "the mean of Y is at most 0" into the wealth prod(1 + s Y), which is
a nonnegative supermartingale that starts at 1; so is the mean over a grid of stakes. By Ville's
inequality it ever reaches 1/alpha with probability at most alpha, however often one looks and
however rare the events are: no normal approximation is involved. See Waudby-Smith and Ramdas,
"Estimating means of bounded random variables by betting", Journal of the Royal Statistical Society
B 86 (2024), and Ville, "Etude critique de la notion de collectif" (1939).
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

STAKES = 24
_SMALLEST_STAKE = 0.002
_LARGEST_SHARE = 0.95


@dataclass(frozen=True)
class Evidence:
    """E-values after some observations: how many times its stake the bet against a null is worth.

    `worse`: against "worse by the margin or more". `not_worse`: against "worse by the margin or
    less".
    """

    blocks: int
    worse: float
    not_worse: float


class RateTest:
    """Accumulates evidence on one rate.

    Args:
        margin: by how much the candidate's rate may exceed the baseline's; in (0, 1).

    Raises:
        ValueError: the margin is not within (0, 1).
    """

    def __init__(self, margin: float) -> None:
        if not 0 < margin < 1:
            raise ValueError(f"the margin must lie between 0 and 1, not {margin}")
        self.margin = margin
        self._blocks = 0
        self._worse = np.zeros(STAKES)
        self._not_worse = np.zeros(STAKES)

    def add(self, differences: npt.ArrayLike) -> None:
        """Add blocks, each the candidate's 0 or 1 less the mean of its baseline block."""
        d = np.asarray(differences, dtype=np.float64)
        if d.size and (d.min() < -1 or d.max() > 1):
            raise ValueError("a difference of rates lies between -1 and 1")
        self._blocks += d.size
        self._worse += log_growth(self.margin - d, 1 - self.margin).sum(axis=0)
        self._not_worse += log_growth(d - self.margin, 1 + self.margin).sum(axis=0)

    def restart_worse(self) -> None:
        """Begin the bet against "worse" anew, so that earlier blocks cannot speak for promotion."""
        self._worse = np.zeros(STAKES)

    def evidence(self) -> Evidence:
        """Return the e-values so far."""
        return Evidence(self._blocks, _mean_wealth(self._worse), _mean_wealth(self._not_worse))


def log_growth(gains: Array, largest_loss: float) -> Array:
    """Return log(1 + s Y) for each gain Y and each stake s; shape (gains, stakes).

    Args:
        gains: what a stake of one would win, at least -`largest_loss`.
        largest_loss: the most that a stake of one can lose; bounds the stakes.
    """
    gained = np.multiply.outer(np.asarray(gains, dtype=np.float64), _stakes(largest_loss))
    growth: Array = np.log1p(gained)
    return growth


def blocks(candidate: npt.ArrayLike, baseline: npt.ArrayLike, size: int) -> Array:
    """Pair each answer of the candidate with `size` answers of the baseline, in order.

    Args:
        candidate: 0 or 1, shape (n,).
        baseline: 0 or 1, shape (m,).
        size: baseline answers in a block.

    Returns:
        The differences of the complete blocks, shape (min(n, m // size),).
    """
    ours = np.asarray(candidate, dtype=np.float64)
    theirs = np.asarray(baseline, dtype=np.float64)
    count = min(len(ours), len(theirs) // size)
    means = theirs[: count * size].reshape(count, size).mean(axis=1)
    result: Array = ours[:count] - means
    return result


@cache
def _stakes(largest_loss: float) -> Array:
    return np.geomspace(_SMALLEST_STAKE, _LARGEST_SHARE / largest_loss, STAKES)


def _mean_wealth(logs: Array) -> float:
    top = float(logs.max())
    if top > 700:
        return float("inf")
    return float(np.exp(logs).mean())
