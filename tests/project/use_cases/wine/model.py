"""A logistic regression, which has to beat a single question about one measurement."""

from pydantic import BaseModel
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

TASK = "multiclass"


def make_model(params: BaseModel, seed: int) -> Pipeline:
    """Return an unfitted logistic regression on standardised features."""
    regression = LogisticRegression(max_iter=1000, random_state=seed)
    return Pipeline([("scale", StandardScaler()), ("regression", regression)])


def make_baseline(seed: int) -> DecisionTreeClassifier:
    """Return an unfitted decision tree with one split."""
    return DecisionTreeClassifier(max_depth=1, random_state=seed)
