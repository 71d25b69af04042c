"""Boosted trees on one-hot categories, which have to beat a single question."""

from mlops.features import Features
from pydantic import BaseModel
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

TASK = "multiclass"


def make_model(params: BaseModel, seed: int, features: Features) -> Pipeline:
    """Return unfitted boosted trees, which see each category by itself."""
    encoder = OneHotEncoder(
        categories=features.category_codes, handle_unknown="ignore", sparse_output=False
    )
    columns = ColumnTransformer(
        [("categories", encoder, features.categories)], remainder="passthrough"
    )
    trees = HistGradientBoostingClassifier(
        max_iter=40, min_samples_leaf=5, early_stopping=False, random_state=seed
    )
    return Pipeline([("columns", columns), ("trees", trees)])


def make_baseline(seed: int) -> DecisionTreeClassifier:
    """Return an unfitted decision tree with one split."""
    return DecisionTreeClassifier(max_depth=1, random_state=seed)
