"""Calibration: how often what was predicted with a probability happened, bin by bin.

Of a binary model it is the probability of label 1; of several classes that of the predicted class
(Guo et al., "On Calibration of Modern Neural Networks", 2017). Each of the ten bins of equal width
says how many rows it has and has Wilson's interval; an empty one says so.

The expected calibration error (Naeini et al., 2015) of a perfectly calibrated model is not 0: it
falls with the number of rows. So what chance alone makes of it is simulated, and there is no limit
on it.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from mlops.arrays import Labels, Outputs
from mlops.steps.proportions import wilson
from mlops.tasks import Target, Task

BINS = 10
_SIMULATIONS = 200
_LEVEL = 0.95
_SEED = 20_240_229


def calibration(target: Target, labels: Labels, outputs: Outputs) -> dict[str, Any] | None:
    """Return what evaluation.json says of calibration; None of a regression or without rows.

    Args:
        target: what is predicted.
        labels: the holdout's, shape (rows,).
        outputs: the answers, see `Target.outputs`.

    Returns:
        `of` (whose probability), `bins` (each `from`, `to`, `rows`, `predicted`, `observed` and
        `interval`, null where it is empty), `expected_error`, and `expected_error_by_chance`: 95 %
        of perfectly calibrated models with these probabilities have at most that.
    """
    if not target.task.classifies or len(labels) == 0:
        return None
    if target.task is Task.BINARY:
        said, happened = outputs.astype(np.float64), (labels == 1).astype(np.float64)
    else:
        said = outputs.max(axis=1).astype(np.float64)
        happened = (outputs.argmax(axis=1) == labels).astype(np.float64)
    places = np.minimum((said * BINS).astype(int), BINS - 1)
    dice = np.random.default_rng(_SEED)
    null = [
        _error(places, said, (dice.random(len(said)) < said).astype(np.float64))
        for _ in range(_SIMULATIONS)
    ]
    return {
        "of": "label 1" if target.task is Task.BINARY else "the predicted class",
        "bins": [_bin(n, said[places == n], happened[places == n]) for n in range(BINS)],
        "expected_error": _error(places, said, happened),
        "expected_error_by_chance": float(np.quantile(null, _LEVEL)),
        "simulations": _SIMULATIONS,
    }


def _bin(
    number: int, said: npt.NDArray[np.float64], happened: npt.NDArray[np.float64]
) -> dict[str, Any]:
    rows = len(said)
    ends = {"from": number / BINS, "to": (number + 1) / BINS, "rows": rows}
    if not rows:
        return {**ends, "predicted": None, "observed": None, "interval": None}
    return {
        **ends,
        "predicted": float(said.mean()),
        "observed": float(happened.mean()),
        "interval": list(wilson(float(happened.sum()), rows)),
    }


def _error(
    places: npt.NDArray[np.intp],
    said: npt.NDArray[np.float64],
    happened: npt.NDArray[np.float64],
) -> float:
    gaps = np.bincount(places, weights=said - happened, minlength=BINS)
    return float(np.abs(gaps).sum() / len(said))
