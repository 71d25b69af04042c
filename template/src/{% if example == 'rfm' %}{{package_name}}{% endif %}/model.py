"""The model and the simple baseline that it has to beat.

Both are fitted on a float32 matrix of shape (customers, features), with the columns in the order
of `features.py`, and on labels 0 and 1. The model must convert to ONNX: docs/models.md lists what
does. The baseline is never served.
"""

from typing import Any

from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from .params import Params


def make_model(params: Params, seed: int) -> Pipeline:
    """Return unfitted gradient-boosted trees, which see when a customer's next purchase is due."""
    trees = HistGradientBoostingClassifier(
        learning_rate=params.learning_rate,
        max_iter=params.max_iter,
        max_leaf_nodes=params.max_leaf_nodes,
        min_samples_leaf=params.min_samples_leaf,
        l2_regularization=params.l2_regularization,
        early_stopping=False,
        random_state=seed,
    )
    return Pipeline([("trees", trees)])


def make_baseline(seed: int) -> Pipeline:
    """Return an unfitted logistic regression on standardised features."""
    regression = LogisticRegression(max_iter=1000, random_state=seed)
    return Pipeline([("scale", StandardScaler()), ("regression", regression)])


def search_space(trial: Any) -> dict[str, Any]:
    """Return what a trial of `mlops tune` tries: fields of Params, drawn from an Optuna trial."""
    return {
        "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.3, log=True),
        "max_iter": trial.suggest_int("max_iter", 50, 300, step=50),
        "max_leaf_nodes": trial.suggest_int("max_leaf_nodes", 3, 31, log=True),
        "min_samples_leaf": trial.suggest_int("min_samples_leaf", 5, 100, log=True),
        "l2_regularization": trial.suggest_float("l2_regularization", 0.01, 10.0, log=True),
    }
