"""The model and the simple baseline that it has to beat.

Both are fitted on a float32 matrix of shape (keys, features), with the columns in the order of
`features.py` and NaN for null, and on labels as they are. A category is a column of codes in it,
whole numbers without NaN: `features` says which columns these are. The model must convert to ONNX:
docs/models.md lists what does. The baseline is never served, and must take the nulls that there
are.
"""

from mlops.errors import StubNotFilled
from mlops.features import Features
from sklearn.base import RegressorMixin

from .params import Params

TASK = "regression"


def make_model(params: Params, seed: int, features: Features) -> RegressorMixin:
    """Return an unfitted scikit-learn regressor.

    Trees can take the codes of a category as they are: the more frequent, the smaller. Other models
    need `OneHotEncoder(categories=features.category_codes, handle_unknown="ignore")` on the columns
    `features.categories`: docs/models.md shows how.

    Example:
        from sklearn.ensemble import HistGradientBoostingRegressor

        return HistGradientBoostingRegressor(max_leaf_nodes=4, random_state=seed)
    """
    raise StubNotFilled("a scikit-learn regressor")


def make_baseline(seed: int) -> RegressorMixin:
    """Return a simple unfitted regressor; a model that is not better is refused.

    It may be `make_baseline(seed, features)`: then it is told of the columns as `make_model` is.

    Example:
        from sklearn.impute import SimpleImputer
        from sklearn.pipeline import make_pipeline
        from sklearn.tree import DecisionTreeRegressor

        return make_pipeline(SimpleImputer(), DecisionTreeRegressor(max_depth=1))
    """
    raise StubNotFilled("a simple regressor that the model has to beat")
