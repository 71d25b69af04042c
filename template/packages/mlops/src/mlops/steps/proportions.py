"""Wilson's interval of a proportion.

Wilson, "Probable Inference, the Law of Succession, and Statistical Inference" (1927); it stays
within 0 and 1 and holds for few rows and for shares near either end, where the usual one does not.
"""

from math import sqrt

_Z = 1.959963984540054
"""The normal distribution's quantile of 97.5 %: the ends hold 95 % between them."""


def wilson(hits: float, rows: float) -> tuple[float, float]:
    """Return the ends of the 95 % interval of a proportion.

    Args:
        hits: how many rows count.
        rows: out of how many.

    Raises:
        ValueError: there are no rows, or more hits than rows.
    """
    if not 0 <= hits <= rows or rows <= 0:
        raise ValueError(f"{hits} of {rows} is no proportion")
    share, spread = hits / rows, _Z**2 / rows
    middle = share + spread / 2
    half = _Z * sqrt(share * (1 - share) / rows + spread / (4 * rows))
    low, high = (middle - half) / (1 + spread), (middle + half) / (1 + spread)
    return (0.0 if hits == 0 else low), (1.0 if hits == rows else high)
