"""Several classes and amounts, with categories: what is judged is what scikit-learn fitted."""

from typing import Any

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    AdaBoostRegressor,
    BaggingRegressor,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    ElasticNet,
    GammaRegressor,
    HuberRegressor,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    QuantileRegressor,
    Ridge,
    TweedieRegressor,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from mlops.arrays import Labels, Matrix
from mlops.errors import Refused
from mlops.features import Feature, Features, Kind
from mlops.steps.fit import fit_baseline, fit_model
from mlops.steps.onnx_model import convert
from mlops.steps.parity import measure, require_parity
from mlops.tasks import Target, Task

FEATURES = Features(
    (
        Feature("height", False, 1.0),
        Feature("cents", True, 1.0),
        Feature("colour", False, "red", kind=Kind.CATEGORY, categories=("red", "green", "blue")),
    )
)
CLASSES = Target(Task.MULTICLASS, ("cat", "dog", "eel"))


def data(*, nulls: bool = True) -> tuple[Matrix, Labels, Labels]:
    """Return features (an amount near 100,000 with cents, a colour), classes and amounts."""
    random = np.random.default_rng(3)
    height, cents = random.normal(size=900), 100_000 + random.integers(0, 5_000, 900) / 100
    colour = random.integers(0, 5, 900)
    inputs = np.column_stack([height, cents, colour]).astype(np.float32)
    amounts = 40 + 20 * height + (cents - 100_000) / 2 + 9 * (colour == 1)
    amounts = np.maximum(amounts + random.normal(0, 2, 900), 0.5)
    classes = np.digitize(amounts, np.quantile(amounts, [0.4, 0.8]))
    if nulls:
        inputs[random.random(900) < 0.1, 1] = np.nan
    return inputs, classes, amounts


def encoded(estimator: Any) -> Any:
    """Return the estimator behind one-hot colours, nulls filled and numbers scaled."""
    encoder = OneHotEncoder(
        categories=FEATURES.category_codes, handle_unknown="ignore", sparse_output=False
    )
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    columns = [("colour", encoder, FEATURES.categories), ("number", numbers, FEATURES.numbers)]
    return make_pipeline(ColumnTransformer(columns), estimator)


def named(model: Any) -> str:
    """Return what a case is called: the last step's kind, and how it differs from the usual."""
    last = model[-1] if hasattr(model, "steps") else model
    return f"{type(last).__name__}-{getattr(last, 'loss', '')}"


CLASSIFIERS = [
    HistGradientBoostingClassifier(max_iter=20, random_state=0),
    RandomForestClassifier(20, random_state=0),
    DecisionTreeClassifier(max_depth=5, random_state=0),
    encoded(GradientBoostingClassifier(n_estimators=10, random_state=0)),
    encoded(LogisticRegression()),
    encoded(GaussianNB()),
    encoded(KNeighborsClassifier(5)),
    encoded(MLPClassifier((8,), max_iter=50, random_state=0)),
    encoded(SVC(probability=True, random_state=0)),
    encoded(CalibratedClassifierCV(RandomForestClassifier(9, random_state=0), cv=2)),
    encoded(
        VotingClassifier(
            [("a", LogisticRegression()), ("b", DecisionTreeClassifier(max_depth=3))],
            voting="soft",
        )
    ),
]
REGRESSORS = [
    HistGradientBoostingRegressor(max_iter=20, random_state=0),
    HistGradientBoostingRegressor(loss="absolute_error", max_iter=20, random_state=0),
    HistGradientBoostingRegressor(loss="quantile", quantile=0.7, max_iter=20, random_state=0),
    RandomForestRegressor(20, random_state=0),
    ExtraTreesRegressor(20, random_state=0),
    DecisionTreeRegressor(max_depth=5, random_state=0),
    BaggingRegressor(n_estimators=5, random_state=0),
    encoded(GradientBoostingRegressor(n_estimators=20, random_state=0)),
    encoded(AdaBoostRegressor(n_estimators=5, random_state=0)),
    encoded(LinearRegression()),
    encoded(Ridge()),
    encoded(ElasticNet()),
    encoded(HuberRegressor()),
    encoded(QuantileRegressor(quantile=0.5, alpha=0.0)),
    encoded(PoissonRegressor()),
    encoded(GammaRegressor()),
    encoded(TweedieRegressor(power=1.5)),
    encoded(KNeighborsRegressor(5)),
    encoded(MLPRegressor(hidden_layer_sizes=(8,), max_iter=50, random_state=0)),
    encoded(SVR()),
    encoded(StackingRegressor([("a", Ridge()), ("b", DecisionTreeRegressor(max_depth=3))], cv=2)),
    encoded(VotingRegressor([("a", Ridge()), ("b", DecisionTreeRegressor(max_depth=3))])),
]


def gap_of(model: Any, inputs: Matrix, labels: Labels, target: Target) -> float:
    fitted = fit_model(model, inputs[:600], labels[:600], target)
    onnx = convert(fitted, inputs.shape[1], target)
    found = measure(fitted, onnx, inputs[:600], inputs[600:], 0.5, FEATURES, target)
    require_parity(found, fitted, target, tolerance=1e-5, max_load=10)
    assert found.flips == 0
    return found.gap


@pytest.mark.parametrize("model", CLASSIFIERS, ids=named)
def test_a_classifier_of_several_classes_is_served_as_it_is_judged(model: Any) -> None:
    inputs, classes, _ = data()
    assert gap_of(model, inputs, classes, CLASSES) < 5e-6


@pytest.mark.parametrize("model", REGRESSORS, ids=named)
def test_a_regressor_is_served_as_it_is_judged(model: Any) -> None:
    inputs, _, amounts = data()
    target = Target(Task.REGRESSION, scale=float(np.std(amounts)))
    assert gap_of(model, inputs, amounts, target) < 5e-6


@pytest.mark.parametrize("loss", ["poisson", "gamma"])
def test_a_loss_whose_exponential_is_lost_is_refused(loss: str) -> None:
    inputs, _, amounts = data()
    with pytest.raises(Refused, match=r"HistGradientBoostingRegressor.*exponential"):
        fit_model(
            HistGradientBoostingRegressor(loss=loss), inputs, amounts, Target(Task.REGRESSION)
        )


def test_a_classifier_is_no_model_of_amounts_and_the_reverse() -> None:
    inputs, classes, amounts = data(nulls=False)
    with pytest.raises(Refused, match=r"predicts classes, and TASK in model\.py says"):
        fit_model(DecisionTreeClassifier(), inputs, classes, Target(Task.REGRESSION))
    with pytest.raises(Refused, match="has no predict_proba"):
        fit_model(DecisionTreeRegressor(), inputs, amounts, CLASSES)


def test_classes_in_another_order_are_refused() -> None:
    inputs, classes, _ = data(nulls=False)
    fitted = DecisionTreeClassifier().fit(inputs, classes)
    fitted.classes_ = fitted.classes_[::-1]
    with pytest.raises(Refused, match="in an order of its own"):
        convert(fitted, 3, CLASSES)


def test_a_class_that_the_training_part_lacks_does_not_move_the_others() -> None:
    inputs, classes, _ = data(nulls=False)
    known = classes != 1
    with pytest.raises(Refused, match="answers 2 classes"):
        fit_model(DecisionTreeClassifier(), inputs[known], classes[known], CLASSES)


@pytest.mark.parametrize(
    ("baseline", "target"),
    [
        (DummyClassifier(strategy="most_frequent"), CLASSES),
        (DummyRegressor(strategy="median"), Target(Task.REGRESSION)),
    ],
)
def test_the_simplest_baselines_need_not_convert(baseline: Any, target: Target) -> None:
    inputs, classes, amounts = data()
    labels = classes if target.task.classifies else amounts
    assert fit_baseline(baseline, inputs, labels, target) is baseline
