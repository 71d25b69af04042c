"""Estimators that ONNX is known to answer otherwise than scikit-learn, refused by their name.

Each was tried with scikit-learn 1.9 and skl2onnx 1.20. What is not known here is found by the
probes of `parity.py`. docs/models.md lists what was tried and converts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mlops.errors import Refused
from mlops.steps.booster_rules import require_servable_boosters
from mlops.steps.boosters import library_of
from mlops.steps.estimators import name_of, parts
from mlops.tasks import Target, Task

_SEE = "docs/models.md lists what converts"


@dataclass(frozen=True)
class _Rule:
    """A kind of estimator that is refused: its class, when, why, and what to do in model.py."""

    name: str
    why: str
    way_out: str
    applies: Callable[[Any], Any] = lambda _part: True


def _is_absent(value: Any, word: str) -> bool:
    return value is None or (isinstance(value, str) and value == word)


def _groups_rare(part: Any) -> bool:
    return bool(part.min_frequency or part.max_categories)


_RULES = (
    _Rule(
        "HistGradientBoostingClassifier",
        "(categorical_features=…) loses its categories in ONNX",
        "leave categorical_features out: the codes are numbers",
        lambda part: not _is_absent(part.categorical_features, "from_dtype"),
    ),
    _Rule(
        "HistGradientBoostingRegressor",
        "(categorical_features=…) loses its categories in ONNX",
        "leave categorical_features out: the codes are numbers",
        lambda part: not _is_absent(part.categorical_features, "from_dtype"),
    ),
    _Rule(
        "HistGradientBoostingRegressor",
        "(loss='poisson' or 'gamma') is served without its exponential in ONNX",
        "take loss='squared_error', or a PoissonRegressor or GammaRegressor",
        lambda part: part.loss in ("poisson", "gamma"),
    ),
    _Rule(
        "CalibratedClassifierCV",
        "(method other than 'sigmoid') is calibrated otherwise in ONNX",
        "take method='sigmoid'",
        lambda part: part.method != "sigmoid",
    ),
    _Rule(
        "CalibratedClassifierCV",
        " around a Pipeline is calibrated otherwise in ONNX",
        "calibrate the last step: Pipeline([…, CalibratedClassifierCV(estimator)])",
        lambda part: hasattr(part.estimator, "steps"),
    ),
    _Rule(
        "GradientBoostingClassifier",
        "(init=…) starts otherwise in ONNX",
        "leave init out",
        lambda part: not _is_absent(part.init, "zero"),
    ),
    _Rule(
        "LinearDiscriminantAnalysis",
        " answers two classes otherwise in ONNX",
        "take LogisticRegression or QuadraticDiscriminantAnalysis",
    ),
    _Rule(
        "KNNImputer",
        " fills nulls otherwise in ONNX",
        "take SimpleImputer, or trees, which need none",
    ),
    _Rule(
        "FunctionTransformer",
        " with a function has no form in ONNX",
        "leave it out, and compute it in features.py",
        lambda part: part.func is not None,
    ),
    _Rule(
        "SplineTransformer",
        " has no form in ONNX",
        "take KBinsDiscretizer(encode='onehot-dense') or PolynomialFeatures, or trees",
    ),
    _Rule(
        "KBinsDiscretizer",
        " with its sparse encoding has no form in ONNX",
        "give it encode='onehot-dense'",
        lambda part: part.encode == "onehot",
    ),
    *(
        _Rule(
            name,
            "(handle_unknown='error') cannot refuse a new value in ONNX",
            "give handle_unknown another value, such as 'ignore' or 'use_encoded_value'",
            lambda part: part.handle_unknown == "error",
        )
        for name in ("OneHotEncoder", "OrdinalEncoder")
    ),
    *(
        _Rule(
            name,
            " that groups rare values has no form in ONNX",
            "leave min_frequency and max_categories out, and group them in features.py",
            _groups_rare,
        )
        for name in ("OneHotEncoder", "OrdinalEncoder")
    ),
    *(
        _Rule(
            name,
            " decides by a threshold of its own",
            "take the estimator in it, and set training.decision_threshold in conf",
        )
        for name in ("TunedThresholdClassifierCV", "FixedThresholdClassifier")
    ),
)


def require_answers(model: Any, role: str, target: Target) -> None:
    """Refuse a fitted model that does not answer what the task asks.

    Args:
        model: a scikit-learn estimator.
        role: what it is called in the sentence: model or baseline.
        target: what is predicted.

    Raises:
        Refused: a classifier has no `predict_proba`, or knows its classes in another order; for a
            regression it is a classifier.
    """
    if target.task is Task.REGRESSION:
        _require_numbers(model, role)
        return
    if hasattr(model, "predict_proba"):
        _require_classes(model, role, len(target.classes) or 2)
        return
    raise Refused(
        f"the {role} ({name_of(model)}) has no predict_proba, and probabilities are what is judged "
        "and served",
        "in model.py take a classifier that has it, put CalibratedClassifierCV around this one, or "
        f"say voting='soft' ({_SEE})",
    )


def _require_numbers(model: Any, role: str) -> None:
    if hasattr(model, "predict") and not hasattr(model, "classes_"):
        return
    raise Refused(
        f"the {role} ({name_of(model)}) predicts classes, and TASK in model.py says that numbers "
        "are predicted",
        f"in model.py take a regressor, such as HistGradientBoostingRegressor ({_SEE})",
    )


def _require_classes(model: Any, role: str, count: int) -> None:
    """Check that the columns of the probabilities are the classes, in their order."""
    known = list(getattr(model, "classes_", range(count)))
    if known == list(range(count)):
        return
    raise Refused(
        f"the {role} ({name_of(model)}) answers {len(known)} classes in an order of its own, and "
        f"{count} are predicted",
        "in model.py fit on the labels as they are given: whole numbers from 0 on",
    )


def require_servable(model: Any) -> None:
    """Refuse a model, fitted or not, of a kind that ONNX is known to answer otherwise.

    Raises:
        Refused: the sentence names the estimator and a way out.
        ConfigError: the converter of LightGBM and XGBoost is not installed.
    """
    for part in parts(model):
        for rule in _RULES:
            if type(part).__name__ == rule.name and rule.applies(part):
                raise Refused(
                    f"{rule.name}{rule.why}: the served model would not be the one that was judged",
                    f"in model.py {rule.way_out} ({_SEE})",
                )
    require_servable_boosters(model)


def refused_names() -> frozenset[str]:
    """Return the classes of which some or all are refused."""
    return frozenset(rule.name for rule in _RULES)


def way_out(model: Any) -> tuple[str, str]:
    """Return which step of a model most likely makes the difference, and what to do about it."""
    steps = [step for _, step in getattr(model, "steps", [])]
    before = [name_of(step) for step in steps[:-1] if step != "passthrough"]
    last = name_of(model)
    if before and _has_trees(model):
        return (
            f"{' and '.join(before)} before {last}",
            "leave that step out, since trees need none, or compute it in features.py",
        )
    if before:
        return (
            f"{' and '.join(before)} before {last}",
            "put a StandardScaler first, or compute the step in features.py",
        )
    return last, "take another estimator in model.py"


def _has_trees(model: Any) -> bool:
    return any(
        hasattr(part, "tree_") or hasattr(part, "_predictors") or library_of(part)
        for part in parts(model)
    )
