"""A fitted model whose numbers are float32 where float32 decides, so that ONNX says the same.

ONNX Runtime computes in float32. Where scikit-learn compares a float32 feature with a float64
number, or computes a float32 column from float64 ones, the converted model may decide otherwise:
amounts near 100,000 with cents, Unix seconds and counters above 2^24 are only some float32 apart.

- Histogram-boosted trees: a threshold becomes the largest float32 not above it. For every float32
  `x`, `x <= threshold` is as before: predictions stay equal bit for bit. (sklearn-onnx's
  issue 1192. Its converter of the other trees does that itself.) LightGBM's likewise; those of
  XGBoost are float32.
- Scalers: mean, scale and the like become the nearest float32. Then one operation on float32,
  rounded once, is the same in both: a change of at most one part in 16 million, made before the
  model is judged.
- Soft voting keeps its classifiers' probabilities apart, as its converter needs.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from mlops.steps.boosters import library_of, settle_booster
from mlops.steps.estimators import parts

SCALED_BY = ("mean_", "center_", "scale_", "min_")


def settle(model: Any) -> Any:
    """Change a fitted model in place to what float32 can say; return it."""
    from sklearn.ensemble import VotingClassifier
    from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

    for part in parts(model):
        if _has_histogram_nodes(part):
            part.nodes["num_threshold"] = not_above(part.nodes["num_threshold"])
        elif isinstance(part, StandardScaler | RobustScaler | MinMaxScaler | MaxAbsScaler):
            for name in SCALED_BY:
                if isinstance(value := getattr(part, name, None), np.ndarray):
                    setattr(part, name, value.astype(np.float32).astype(value.dtype))
        elif library_of(part):
            settle_booster(part, not_above)
        elif isinstance(part, VotingClassifier):
            part.flatten_transform = False
    return model


def not_above(values: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Return for each number the largest float32 that is not above it."""
    with np.errstate(over="ignore"):
        nearest = values.astype(np.float32)
    below = np.nextafter(nearest, np.float32(-np.inf))
    result: npt.NDArray[np.float32] = np.where(nearest > values, below, nearest)
    return result


def _has_histogram_nodes(part: Any) -> bool:
    nodes = getattr(part, "nodes", None)
    return isinstance(nodes, np.ndarray) and "num_threshold" in (nodes.dtype.names or ())
