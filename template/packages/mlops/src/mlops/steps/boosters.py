"""Models of LightGBM and XGBoost: what they are, and what makes them served as they are judged.

Both are asked through their classes for scikit-learn, alone or in what scikit-learn makes of
several estimators, and always with NumPy arrays: in a DataFrame LightGBM numbers categories by what
a batch holds, and XGBoost's names of columns stop the conversion. Neither is imported unless
model.py did.
"""

import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from importlib.util import find_spec
from typing import Any

import numpy as np

from mlops.arrays import Matrix
from mlops.errors import ConfigError, Refused
from mlops.steps.booster_trees import (
    Numbers,
    Splits,
    lightgbm_splits,
    with_thresholds,
    xgboost_splits,
)
from mlops.steps.estimators import parts

LIGHTGBM = "lightgbm"
XGBOOST = "xgboost"
CONVERTER = "onnxmltools"
ADD = "uv add --group machinery 'mlops-machinery[boosting]'"
CODES = {LIGHTGBM: 64, XGBOOST: 32}
"""So many codes of one category convert to a graph that is made and answers fast."""
CATEGORY_NAMES = (
    "categorical_feature",
    "categorical_features",
    "categorical_column",
    "cat_feature",
    "cat_column",
)
"""What LightGBM calls its categories."""
STORED_TYPES = frozenset(
    {
        "collections.OrderedDict",
        "lightgbm.basic.Booster",
        "lightgbm.sklearn.LGBMClassifier",
        "lightgbm.sklearn.LGBMRegressor",
        "xgboost.core.Booster",
        "xgboost.sklearn.XGBClassifier",
        "xgboost.sklearn.XGBRegressor",
    }
)
"""What skops stores of them: LightGBM's text and XGBoost's binary JSON, and their parameters."""


def library_of(part: Any) -> str:
    """Return LIGHTGBM or XGBOOST if an estimator is of one of them, else an empty text.

    A class of a team that builds on one of theirs counts, too.
    """
    modules = (kind.__module__.partition(".")[0] for kind in type(part).__mro__)
    return next((each for each in modules if each in (LIGHTGBM, XGBOOST)), "")


def boosters(model: Any) -> Iterator[Any]:
    """Yield the estimators of LightGBM and XGBoost in a model, fitted or not."""
    return (part for part in parts(model) if library_of(part))


def said(part: Any, *names: str) -> list[Any]:
    """Return what model.py says for a parameter under any of its names."""
    params = part.get_params(deep=False)
    return [params[name] for name in names if params.get(name) is not None]


def category_columns(part: Any) -> list[int]:
    """Return the columns that an estimator takes as the codes of a category."""
    if library_of(part) == LIGHTGBM:
        return [column for listed in said(part, *CATEGORY_NAMES) for column in listed]
    types = [kind for listed in said(part, "feature_types") for kind in listed]
    return [column for column, kind in enumerate(types) if kind == "c"]


def require_codes(model: Any, inputs: Matrix) -> None:
    """Refuse, before the fit, categories that a converted model would answer slowly or otherwise.

    Only a model that is itself of LightGBM or XGBoost is looked at: within others, the columns are
    those that steps before it make.

    Args:
        model: the unfitted model.
        inputs: the training part, shape (rows, features).

    Raises:
        Refused: a category has too many codes, or one that is no whole number from 0 on.
    """
    if not library_of(model):
        return
    for column in category_columns(model):
        codes = np.unique(inputs[:, column][np.isfinite(inputs[:, column])])
        if len(codes) and (codes[0] < 0 or (np.floor(codes) != codes).any()):
            raise Refused(
                f"{type(model).__name__} is told that feature {column} is a category, and it holds "
                "numbers that are no codes: whole, from 0 on",
                "in model.py name the right columns, or make codes in features.py",
            )
        _require_few(len(codes), column, model)


def make_convertible(model: Any) -> None:
    """Let skl2onnx convert the fitted estimators of LightGBM and XGBoost in a model.

    Raises:
        Refused: one of them splits by too many codes of a category.
        ConfigError: the converter is not installed.
    """
    for part in boosters(model):
        require_converter(part)
        if _is_fitted(part):
            columns, counts = np.unique(
                np.unique(splits(part).codes, axis=0)[:, 0], return_counts=True
            )
            for column, count in zip(columns, counts, strict=True):
                _require_few(int(count), int(column), part)
        _register(library_of(part))


def require_converter(part: Any) -> None:
    """Refuse an estimator of LightGBM or XGBoost where its converter is not installed.

    Raises:
        ConfigError: as said.
    """
    if find_spec(CONVERTER) is None:
        raise ConfigError(
            f"{type(part).__name__} needs {CONVERTER} to be served, and it is not installed",
            f"run `{ADD}` (docs/models.md)",
        )


def require_installed(types: Sequence[str], place: str) -> None:
    """Refuse to read a stored model whose library is not installed.

    Args:
        types: names of the types that the file holds.
        place: the file.

    Raises:
        ConfigError: as said.
    """
    for library in (LIGHTGBM, XGBOOST):
        if any(name.startswith(f"{library}.") for name in types) and find_spec(library) is None:
            raise ConfigError(
                f"{place} holds a model of {library}, which is not installed",
                f"run `{ADD}` (docs/models.md)",
            )


def settle_booster(part: Any, moved: Callable[[Numbers], Any]) -> None:
    """Move the thresholds of a fitted estimator of LightGBM; those of XGBoost are float32 anyway.

    Args:
        part: the estimator; it is changed.
        moved: makes of thresholds those that replace them.
    """
    if library_of(part) == LIGHTGBM and _is_fitted(part):
        booster = part.booster_
        booster.model_from_string(with_thresholds(booster.model_to_string(num_iteration=-1), moved))


def splits(part: Any) -> Splits:
    """Return where the trees of a fitted estimator split."""
    if library_of(part) == LIGHTGBM:
        return lightgbm_splits(part.booster_.model_to_string(num_iteration=-1))
    return xgboost_splits(part.get_booster().save_raw("json"))


def number_splits(part: Any) -> Numbers:
    """Return pairs of a column and a threshold, shape (splits, 2); none of what is not fitted.

    What splits by codes is left out: between two codes is nothing that a model is asked.
    """
    return splits(part).numbers if _is_fitted(part) else np.empty((0, 2))


@contextmanager
def fitting() -> Iterator[None]:
    """Let a library say to stderr what it tells of a fit, since stdout is the command's result.

    LightGBM warns that categories named in model.py "will be ignored", and takes them.
    """
    with redirect_stdout(sys.stderr), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"categorical_\w+ keyword has been found")
        yield


def fit_errors() -> tuple[type[Exception], ...]:
    """Return what an estimator raises that cannot be fitted."""
    module = sys.modules.get(LIGHTGBM)
    return (ValueError, TypeError, *((module.basic.LightGBMError,) if module else ()))


def _is_fitted(part: Any) -> bool:
    return bool(part.__sklearn_is_fitted__())


def _require_few(codes: int, column: int, part: Any) -> None:
    most = CODES[library_of(part)]
    if codes > most:
        raise Refused(
            f"{type(part).__name__} takes column {column} as a category with {codes} codes, and "
            f"serves no more than {most} fast enough",
            "in model.py leave it out of the categories, so that its codes are numbers, put a "
            "TargetEncoder before, or group rare values in features.py",
        )


def _register(library: str) -> None:
    """Tell skl2onnx of onnxmltools' converters.

    They have no option `raw_scores`: with it, what calibrates a model would be given log odds, and
    it was fitted on probabilities.
    """
    from skl2onnx import update_registered_converter
    from skl2onnx.common.shape_calculator import (
        calculate_linear_classifier_output_shapes,
        calculate_linear_regressor_output_shapes,
    )

    if library == LIGHTGBM:
        from lightgbm import LGBMClassifier as Classifier
        from lightgbm import LGBMRegressor as Regressor
        from onnxmltools.convert.lightgbm.operator_converters.LightGbm import (
            convert_lightgbm as convert,
        )
    else:
        from onnxmltools.convert.xgboost.operator_converters.XGBoost import (
            convert_xgboost as convert,
        )
        from xgboost import XGBClassifier as Classifier
        from xgboost import XGBRegressor as Regressor
    update_registered_converter(
        Classifier,
        f"{library}Classifier",
        calculate_linear_classifier_output_shapes,
        convert,
        options={"zipmap": [True, False, "columns"], "nocl": [True, False]},
    )
    update_registered_converter(
        Regressor, f"{library}Regressor", calculate_linear_regressor_output_shapes, convert
    )
