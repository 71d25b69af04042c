"""The decision threshold of a binary model, chosen on scores that are served."""

import numpy as np
import numpy.typing as npt

from mlops.arrays import Labels, Probabilities
from mlops.errors import Refused
from mlops.settings.training import BEST_F1

FEWEST = 10
"""Rows of each label that a choice needs: of fewer it is chance."""


def best_f1(labels: Labels, scores: Probabilities) -> float:
    """Return the threshold between two distinct scores at which F1 is highest.

    It is the midpoint of the two, as a float32, in which scores are served: never a score itself,
    on whose side a difference in the last digit would decide. Of several that are equally good it
    is the highest.

    Args:
        labels: 0 or 1, shape (rows,).
        scores: float32 probabilities of label 1 of models that did not see the row, shape (rows,).

    Raises:
        Refused: there are too few rows of a label, or all scores are the same.
    """
    require_both(labels)
    values, place = np.unique(scores.astype(np.float32), return_inverse=True)
    if len(values) < 2:
        raise Refused(
            f"training.decision_threshold: {BEST_F1} finds no threshold: the model gives all "
            f"{len(labels)} rows of the training part the same score",
            "let it learn more in model.py, or set a number",
        )
    positive = _from_above(np.bincount(place, weights=labels == 1).astype(np.float64))
    said = _from_above(np.bincount(place).astype(np.float64))
    f1 = 2 * positive[1:] / (said[1:] + positive[0])
    cut = len(f1) - int(np.argmax(f1[::-1]))
    return _between(values[cut - 1], values[cut])


def require_both(labels: Labels) -> None:
    """Refuse to choose where there are too few rows of a label.

    Raises:
        Refused: so.
    """
    for label in (1, 0):
        rows = int(np.sum(labels == label))
        if rows < FEWEST:
            raise Refused(
                f"training.decision_threshold: {BEST_F1} needs at least {FEWEST} rows of each "
                f"label, and {rows} of the {len(labels)} rows of the training part that it can be "
                f"chosen on have label {label}",
                "bring more data, or set a number",
            )


def _from_above(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return for each score the sum of what has this score or a higher one."""
    return np.cumsum(values[::-1])[::-1]


def _between(low: np.float32, high: np.float32) -> float:
    """Return the midpoint as a float32; of two neighbours, which have none, the higher one."""
    middle = np.float32((float(low) + float(high)) / 2)
    return float(middle if low < middle < high else high)
