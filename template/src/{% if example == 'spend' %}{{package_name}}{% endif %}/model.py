"""The model and the simple baseline that it has to beat.

Both are fitted on a float32 matrix of shape (customers, features), with the columns in the order
of `features.py`, and on amounts. A category is a column of whole numbers in it: codes, which the
machinery learns on the training part. The model must convert to ONNX: docs/models.md lists what
does. The baseline is never served.
"""

from mlops.features import Features
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from .params import Params

TASK = "regression"


def make_model(params: Params, seed: int, features: Features) -> Pipeline:
    """Return unfitted gradient-boosted trees, which see each value of a category as a column.

    The trees' own `categorical_features` would be lost on the way to ONNX. Their loss is the
    squared error, so they predict the mean: what many such customers spend together. Their leaves
    are large: what a few old customers did says little about the new ones that are held out.
    """
    one_hot = OneHotEncoder(
        categories=features.category_codes, handle_unknown="ignore", sparse_output=False
    )
    columns = ColumnTransformer(
        [("numbers", "passthrough", features.numbers), ("categories", one_hot, features.categories)]
    )
    trees = HistGradientBoostingRegressor(
        learning_rate=params.learning_rate,
        max_iter=params.max_iter,
        max_leaf_nodes=params.max_leaf_nodes,
        min_samples_leaf=params.min_samples_leaf,
        l2_regularization=params.l2_regularization,
        early_stopping=False,
        random_state=seed,
    )
    return Pipeline([("columns", columns), ("trees", trees)])


def make_baseline(seed: int) -> Pipeline:
    """Return an unfitted linear regression on standardised features.

    It takes the codes of a category for numbers: the more frequent, the smaller.
    """
    return Pipeline([("scale", StandardScaler()), ("regression", LinearRegression())])
