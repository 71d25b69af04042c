"""What LightGBM and XGBoost can do and ONNX answers otherwise, refused by its name before a fit.

Each was tried with LightGBM 4.7, XGBoost 3.2 and onnxmltools 1.16. Objectives are a list of those
that convert right, as there are many others. Also refused is what makes a second fit another
model, and stopping early: without our split it looks at rows that are not independent.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlops.errors import Refused
from mlops.steps.boosters import (
    CATEGORY_NAMES,
    LIGHTGBM,
    XGBOOST,
    boosters,
    library_of,
    require_converter,
    said,
)
from mlops.steps.estimators import parts

_SEE = "docs/models.md"
_KINDS = ("LGBMClassifier", "LGBMRegressor", "XGBClassifier", "XGBRegressor")
_EARLY = ("early_stopping_round", "early_stopping_rounds", "early_stopping", "n_iter_no_change")

OBJECTIVES: Mapping[str, Sequence[str]] = {
    "LGBMClassifier": ("binary", "multiclass", "softmax"),
    "LGBMRegressor": (
        *("regression", "regression_l2", "l2", "mean_squared_error", "mse"),
        *("l2_root", "root_mean_squared_error", "rmse"),
        *("regression_l1", "l1", "mean_absolute_error", "mae"),
        *("huber", "quantile", "poisson", "gamma", "tweedie"),
    ),
    "XGBClassifier": ("binary:logistic", "multi:softprob"),
    "XGBRegressor": (
        *("reg:squarederror", "reg:squaredlogerror", "reg:absoluteerror"),
        *("reg:pseudohubererror", "reg:quantileerror"),
        *("count:poisson", "reg:gamma", "reg:tweedie"),
    ),
}
"""The objectives that convert right, by kind."""


@dataclass(frozen=True)
class _Rule:
    """What is refused of a library: the parameter, when, why, and what to do in model.py."""

    library: str
    what: str
    why: str
    way_out: str
    applies: Callable[[Any], Any]


def _any_said(*names: str) -> Callable[[Any], bool]:
    return lambda part: any(said(part, *names))


def _said_other(usual: float, *names: str) -> Callable[[Any], bool]:
    return lambda part: any(value != usual for value in said(part, *names))


def _said_one_of(values: Sequence[str], *names: str) -> Callable[[Any], bool]:
    return lambda part: any(value in values for value in said(part, *names))


def _has_other_missing(part: Any) -> bool:
    missing = part.missing
    return missing is None or not np.isnan(missing)


def _has_several_quantiles(part: Any) -> bool:
    return any(np.size(value) > 1 for value in said(part, "quantile_alpha"))


def _varies(part: Any) -> bool:
    by_row_or_column = any(said(part, "force_row_wise", "force_col_wise"))
    return not (any(said(part, "deterministic")) and by_row_or_column)


def _has_unclear_categories(part: Any) -> bool:
    return any(
        isinstance(value, str) or not all(isinstance(each, int | np.integer) for each in value)
        for value in said(part, *CATEGORY_NAMES)
    )


_ONNX = "is answered otherwise in ONNX: the served model would not be the one that was judged"
_LEAKS = (
    "would stop by rows that are split at random or are the holdout's, and is blind to time and "
    "groups"
)
_RULES = (
    _Rule(
        LIGHTGBM,
        "boosting_type='rf'",
        _ONNX,
        "take boosting_type='gbdt', or RandomForestClassifier of scikit-learn",
        _said_one_of(("rf", "random_forest"), "boosting_type", "boosting", "boost"),
    ),
    _Rule(
        LIGHTGBM,
        "linear_tree=True",
        _ONNX,
        "leave it out",
        _any_said("linear_tree", "linear_trees"),
    ),
    _Rule(
        LIGHTGBM,
        "zero_as_missing=True",
        _ONNX,
        "leave it out, and make null of what is missing in features.py",
        _any_said("zero_as_missing"),
    ),
    _Rule(
        LIGHTGBM,
        "reg_sqrt=True",
        _ONNX,
        "leave it out, or take objective='poisson', 'gamma' or 'tweedie'",
        _any_said("reg_sqrt"),
    ),
    _Rule(
        LIGHTGBM, "sigmoid other than 1", _ONNX, "leave sigmoid out", _said_other(1.0, "sigmoid")
    ),
    _Rule(LIGHTGBM, "early_stopping_round", _LEAKS, "choose n_estimators", _any_said(*_EARLY)),
    _Rule(
        LIGHTGBM,
        "categorical_feature",
        "names columns that a matrix does not have",
        "give it a list of their positions, such as [0, 3]",
        _has_unclear_categories,
    ),
    _Rule(
        LIGHTGBM,
        "without deterministic=True and force_row_wise=True",
        "chooses how it adds up by the time that it takes: a second fit may be another model",
        "give it deterministic=True, force_row_wise=True",
        _varies,
    ),
    _Rule(
        XGBOOST,
        "booster='dart' or 'gblinear'",
        _ONNX,
        "leave booster out",
        _said_one_of(("dart", "gblinear"), "booster"),
    ),
    _Rule(
        XGBOOST,
        "num_parallel_tree above 1",
        _ONNX,
        "leave num_parallel_tree out",
        _said_other(1, "num_parallel_tree"),
    ),
    _Rule(
        XGBOOST,
        "multi_strategy='multi_output_tree'",
        _ONNX,
        "leave multi_strategy out",
        _said_one_of(("multi_output_tree",), "multi_strategy"),
    ),
    _Rule(
        XGBOOST,
        "quantile_alpha with several quantiles",
        _ONNX,
        "ask one quantile",
        _has_several_quantiles,
    ),
    _Rule(
        XGBOOST,
        "missing other than nan",
        _ONNX,
        "leave missing out, and make null of what is missing in features.py",
        _has_other_missing,
    ),
    _Rule(
        XGBOOST,
        "early_stopping_rounds",
        _LEAKS,
        "choose n_estimators",
        _any_said("early_stopping_rounds"),
    ),
    _Rule(
        XGBOOST,
        "callbacks",
        "cannot be stored, and may stop early",
        "leave callbacks out",
        _any_said("callbacks"),
    ),
    _Rule(
        XGBOOST,
        "a function as eval_metric",
        "cannot be stored",
        "leave eval_metric out: the gate measures",
        lambda part: any(callable(value) for value in said(part, "eval_metric")),
    ),
)


def require_servable_boosters(model: Any) -> None:
    """Refuse what ONNX is known to answer otherwise of LightGBM and XGBoost in a model.

    Raises:
        Refused: the sentence names the estimator, its parameter and a way out.
        ConfigError: the converter is not installed.
    """
    for part in boosters(model):
        kind = type(part).__name__
        if kind not in _KINDS:
            raise _refusal(kind, _ONNX, f"take one of {', '.join(_KINDS)}")
        require_converter(part)
        _require_objective(part)
        for rule in _RULES:
            if rule.library == library_of(part) and rule.applies(part):
                raise _refusal(f"{kind} ({rule.what})", rule.why, rule.way_out)
        _require_surroundings(part, model)


def refused_parameters() -> frozenset[str]:
    """Return the parameters and the like that are refused, as the sentences name them."""
    return frozenset(rule.what for rule in _RULES)


def _require_objective(part: Any) -> None:
    kind = type(part).__name__
    for value in said(part, "objective", "objective_type", "app", "application", "loss"):
        if value not in OBJECTIVES[kind]:
            named = f"{value!r}" if isinstance(value, str) else "a function"
            raise _refusal(
                f"{kind} (objective={named})",
                "is not known to be answered alike in ONNX",
                f"take one of {', '.join(OBJECTIVES[kind])}",
            )


def _require_surroundings(part: Any, model: Any) -> None:
    """Refuse an estimator in a model whose other steps do not go with it."""
    kind, library = type(part).__name__, library_of(part)
    for other in parts(model):
        if table := _makes_tables(other):
            raise _refusal(
                f"{kind} with set_output(transform={table!r})",
                "is given tables, whose names the conversion does not know",
                "leave set_output out",
            )
        name = type(other).__name__
        if library == XGBOOST and name == "OneHotEncoder" and other.sparse_output:
            raise _refusal(
                f"{kind} after OneHotEncoder (sparse_output=True)",
                "takes each 0 that a sparse matrix leaves out for a null, and ONNX does not",
                "give OneHotEncoder sparse_output=False",
            )
        inner = getattr(other, "estimator", None)
        if name == "CalibratedClassifierCV" and library_of(inner) == LIGHTGBM:
            raise _refusal(
                f"CalibratedClassifierCV around {type(inner).__name__}",
                _ONNX,
                "leave it out, or calibrate HistGradientBoostingClassifier",
            )


def _makes_tables(part: Any) -> str:
    """Return the kind of table that an estimator gives instead of a matrix, or an empty text."""
    from sklearn import get_config

    usual = get_config()["transform_output"]
    table = getattr(part, "_sklearn_output_config", {}).get("transform") or usual
    return "" if table == "default" else str(table)


def _refusal(what: str, why: str, way_out: str) -> Refused:
    return Refused(f"{what} {why}", f"in model.py {way_out} ({_SEE})")
