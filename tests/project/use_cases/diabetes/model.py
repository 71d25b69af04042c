"""A ridge regression, which has to beat a single question about one measurement."""

from pydantic import BaseModel
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

TASK = "regression"


def make_model(params: BaseModel, seed: int) -> Pipeline:
    """Return an unfitted ridge regression on standardised features."""
    return Pipeline([("scale", StandardScaler()), ("regression", Ridge())])


def make_baseline(seed: int) -> DecisionTreeRegressor:
    """Return an unfitted regression tree with one split."""
    return DecisionTreeRegressor(max_depth=1, random_state=seed)
