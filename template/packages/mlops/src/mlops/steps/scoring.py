"""Reads stored models, none of whose code runs."""

from pathlib import Path
from typing import Any

from mlops.errors import Refused
from mlops.steps.boosters import STORED_TYPES, require_installed

TRUSTED_TYPES = STORED_TYPES | frozenset(
    {
        "numpy.dtype",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.feature_selection._univariate_selection.f_classif",
        "sklearn.metrics._dist_metrics.EuclideanDistance64",
        "sklearn.metrics._scorer._PassthroughScorer",
        "sklearn.model_selection._split.StratifiedKFold",
        "sklearn.neighbors._ball_tree.BallTree",
        "sklearn.neighbors._kd_tree.KDTree",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
        "sklearn.tree._tree.Tree",
        "sklearn.utils._bunch.Bunch",
    }
)
"""What models are made of besides what skops itself trusts.

Each by its name: a file says what a type is given, so a whole package would be too much. Trees are
read by their own code, those of LightGBM and XGBoost by these libraries, which a crafted file can
mislead: a version's hash is checked before.
"""


def load_model(path: Path) -> Any:
    """Read a scikit-learn model from a skops file, which runs no code of the file's own.

    Raises:
        Refused: the file holds types that are not among those that models are made of.
        ConfigError: its library is not installed.
    """
    import skops.io

    unknown = skops.io.get_untrusted_types(file=path)
    foreign = [name for name in unknown if name not in TRUSTED_TYPES]
    if foreign:
        raise Refused(
            f"{path} holds types that are not trusted: {', '.join(foreign)}",
            "use other estimators in model.py (docs/models.md lists what is stored and converts)",
        )
    require_installed(unknown, str(path))
    return skops.io.load(path, trusted=unknown)
