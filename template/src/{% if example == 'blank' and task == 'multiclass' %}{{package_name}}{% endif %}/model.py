"""The model and the simple baseline that it has to beat.

Both are fitted on a float32 matrix of shape (keys, features), with the columns in the order of
`features.py` and NaN for null, and on classes as whole numbers, 0 to n - 1 in the order of their
names. A category is a column of codes in it, whole numbers without NaN: `features` says which
columns these are. The model must convert to ONNX: docs/models.md lists what does. The baseline is
never served, and must take the nulls that there are.
"""

from mlops.errors import StubNotFilled
from mlops.features import Features
from sklearn.base import ClassifierMixin

from .params import Params

TASK = "multiclass"


def make_model(params: Params, seed: int, features: Features) -> ClassifierMixin:
    """Return an unfitted scikit-learn classifier with `predict_proba`, for several classes.

    Trees can take the codes of a category as they are: the more frequent, the smaller. Other models
    need `OneHotEncoder(categories=features.category_codes, handle_unknown="ignore")` on the columns
    `features.categories`: docs/models.md shows how.

    Example:
        from sklearn.ensemble import HistGradientBoostingClassifier

        return HistGradientBoostingClassifier(max_leaf_nodes=4, random_state=seed)
    """
    raise StubNotFilled("a scikit-learn classifier")


def make_baseline(seed: int) -> ClassifierMixin:
    """Return a simple unfitted classifier; a model that is not better is refused.

    It may be `make_baseline(seed, features)`: then it is told of the columns as `make_model` is.

    Example:
        from sklearn.impute import SimpleImputer
        from sklearn.pipeline import make_pipeline
        from sklearn.tree import DecisionTreeClassifier

        return make_pipeline(SimpleImputer(), DecisionTreeClassifier(max_depth=1))
    """
    raise StubNotFilled("a simple classifier that the model has to beat")
