"""What is served is what was judged, decision by decision, on values that are few float32 apart."""

from typing import Any

import numpy as np
import onnxruntime
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import TunedThresholdClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
)
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from fakes.close_values import close_values
from fakes.features import unnamed
from fakes.places import PROJECT
from mlops.errors import Refused
from mlops.steps.fit import fit_baseline, fit_model
from mlops.steps.float32_model import not_above
from mlops.steps.onnx_model import convert, open_session, predict
from mlops.steps.parity import measure, null_gaps, reference, require_parity
from mlops.steps.probes import mixed, server_probes, spread, thresholds
from mlops.steps.servable import refused_names


def trees(**options: Any) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(max_iter=15, random_state=0, **options)


def forest() -> RandomForestClassifier:
    return RandomForestClassifier(8, random_state=0)


NESTED = {
    "boosted": trees(),
    "boosted-one-sided": trees(max_leaf_nodes=4, learning_rate=0.5),
    "forest": forest(),
    "extra-trees": ExtraTreesClassifier(8, random_state=0),
    "tree": DecisionTreeClassifier(random_state=0),
    "gradient-boosting": GradientBoostingClassifier(n_estimators=8, random_state=0),
    "ada-boost": AdaBoostClassifier(DecisionTreeClassifier(max_depth=3), n_estimators=5),
    "bagged": BaggingClassifier(trees(), n_estimators=2, random_state=0),
    "voting": VotingClassifier([("trees", trees()), ("forest", forest())], voting="soft"),
    "stacked": StackingClassifier([("trees", trees()), ("forest", forest())], cv=2),
    "calibrated": CalibratedClassifierCV(trees(), cv=2),
    "columns": make_pipeline(
        ColumnTransformer([("a", StandardScaler(), [0, 1]), ("b", "passthrough", [2])]), trees()
    ),
    **{
        type(scaler).__name__: make_pipeline(scaler, trees())
        for scaler in (StandardScaler(), RobustScaler(), MinMaxScaler(), MaxAbsScaler())
    },
}


@pytest.mark.parametrize("name", NESTED)
def test_values_that_are_few_float32_apart_are_served_as_judged(name: str) -> None:
    inputs, labels = close_values()
    train, holdout = inputs[:600], inputs[600:]
    model = fit_model(NESTED[name], train, labels[:600])
    found = measure(model, convert(model, 3), train, holdout, 0.5, unnamed(train.shape[1]))
    assert found.gap < 2e-6
    assert found.flips == 0
    assert found.single_gap == 0
    assert found.probes > 2_000
    require_parity(found, model, tolerance=1e-4, max_load=10.0)


@pytest.mark.parametrize(
    "name",
    ["boosted", "forest", "extra-trees", "bagged", "voting", "stacked", "calibrated"],
)
def test_nulls_in_the_training_part_only_are_served_as_judged(name: str) -> None:
    """Tried: a random forest was registered with parity 3e-07 and half of its answers flipped."""
    train, labels = close_values(nulls=True)
    holdout, _ = close_values()
    model = fit_model(NESTED[name], train, labels)
    onnx = convert(model, 3)
    found = measure(model, onnx, train, holdout[:200], 0.5, unnamed(train.shape[1]))
    assert found.gap < 2e-6
    assert found.flips == 0
    assert max(gap for gap in found.null_gaps if gap is not None) < 2e-6
    assert None not in null_gaps(model, open_session(onnx), holdout[:50], unnamed(holdout.shape[1]))


def test_a_model_is_loaded_once_however_many_features_it_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inputs, labels = close_values()
    model = forest().fit(inputs, labels)
    onnx, loads = convert(model, 3), []
    opened = onnxruntime.InferenceSession

    def counted(*arguments: Any, **options: Any) -> Any:
        loads.append(1)
        return opened(*arguments, **options)

    monkeypatch.setattr(onnxruntime, "InferenceSession", counted)
    assert (
        None
        not in measure(model, onnx, inputs, inputs[:50], 0.5, unnamed(inputs.shape[1])).null_gaps
    )
    assert len(loads) == 1


@pytest.mark.parametrize(("features", "nullable"), [(60, 60), (3, 0), (9, 4)])
def test_a_server_is_asked_every_null_and_both_sides_of_thresholds(
    features: int, nullable: int
) -> None:
    """Tried: of 60 features that may be null, 7 were asked as null."""
    inputs = np.random.default_rng(0).normal(size=(300, features)).astype(np.float32)
    model = forest().fit(inputs, inputs[:, 0] * inputs[:, -1] > 0)
    probes = server_probes(model, inputs, np.arange(features) < nullable, unnamed(features))
    assert len(probes) == 200
    assert np.flatnonzero(np.isnan(probes).any(axis=0)).tolist() == list(range(nullable))
    for column, value in spread(thresholds(model, mixed(inputs)), 200 // 12):
        asked, at = probes[:, int(column)], np.float32(value)
        assert {at, np.nextafter(at, np.float32(9)), np.nextafter(at, np.float32(-9))} <= set(asked)


def test_a_server_is_asked_usual_rows_however_many_features_may_be_null() -> None:
    inputs = np.random.default_rng(0).normal(size=(300, 300)).astype(np.float32)
    probes = server_probes(LogisticRegression(), inputs, np.ones(300, bool), unnamed(300))
    assert (np.isnan(probes).sum(axis=1) == 1).sum() == 300
    assert (~np.isnan(probes).any(axis=1)).sum() == 50


def test_a_threshold_that_is_no_float32_changes_no_prediction_when_it_becomes_one() -> None:
    inputs, labels = close_values()
    before = trees().fit(inputs, labels)
    after = fit_model(trees(), inputs, labels)
    thresholds = before._predictors[0][0].nodes["num_threshold"]
    assert (thresholds != thresholds.astype(np.float32)).any()
    assert (before.predict_proba(inputs) == after.predict_proba(inputs)).all()
    settled = after._predictors[0][0].nodes["num_threshold"]
    assert (settled == settled.astype(np.float32)).all()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.5, 0.5),
        (2.0**24 + 1, 2.0**24),
        (2.0**24 + 3, 2.0**24 + 2),
        (-(2.0**24) - 1, -(2.0**24) - 2),
        (1e300, float(np.finfo(np.float32).max)),
        (np.inf, np.inf),
    ],
)
def test_the_largest_float32_not_above_a_number(value: float, expected: float) -> None:
    assert not_above(np.array([value])).tolist() == [expected]


def test_codes_are_probed_with_other_codes_and_never_with_fractions() -> None:
    """ONNX takes 3.5 for the code 3, scikit-learn for none: only whole numbers are codes."""
    random = np.random.default_rng(0)
    codes = random.integers(0, 5, (300, 2)).astype(np.float32)
    labels = (codes.sum(axis=1) > 4).astype(int)
    encoder = OneHotEncoder(handle_unknown="ignore")
    model = fit_model(make_pipeline(encoder, LogisticRegression()), codes, labels)
    found = measure(
        model, convert(model, 2), codes[:200], codes[200:], 0.5, unnamed(codes.shape[1])
    )
    assert found.gap < 2e-6
    model = fit_model(make_pipeline(encoder, LogisticRegression()), codes + 0.5, labels)
    with pytest.raises(Refused, match=r"cannot be converted to ONNX.*is not an int64"):
        convert(model, 2)


def test_what_cannot_be_mended_is_found_at_the_thresholds_and_says_the_step() -> None:
    inputs, labels = close_values()
    model = fit_model(make_pipeline(PCA(2, random_state=0), trees()), inputs[:600], labels[:600])
    found = measure(
        model, convert(model, 3), inputs[:600], inputs[600:], 0.5, unnamed(inputs.shape[1])
    )
    assert found.gap > 1e-4
    with pytest.raises(Refused, match=r"because of PCA before HistGradient.*; leave that step out"):
        require_parity(found, model, tolerance=1e-4, max_load=10.0)


def test_a_threshold_that_no_row_of_the_data_is_near_is_found() -> None:
    """Why rows at thresholds are tried: counters in steps of three float32, split in the middle."""
    steps = np.random.default_rng(0).integers(0, 60, 600)
    inputs = np.column_stack([2.0**24 + 6 * steps, steps % 7]).astype(np.float32)
    labels = (steps // 3) % 2
    model = trees().fit(inputs, labels)  # as scikit-learn leaves it
    onnx = convert(model, 2)
    assert np.max(np.abs(predict(onnx, inputs) - model.predict_proba(inputs)[:, 1])) < 1e-6
    found = measure(model, onnx, inputs[:400], inputs[400:], 0.5, unnamed(inputs.shape[1]))
    assert found.gap > 0.01
    assert found.place == "the thresholds of trees"
    assert found.flips > 0


REFUSED = {
    "categorical_features": trees(categorical_features=[0]),
    "method other than 'sigmoid'": CalibratedClassifierCV(trees(), method="isotonic"),
    "around a Pipeline": CalibratedClassifierCV(make_pipeline(StandardScaler(), trees())),
    "GradientBoostingClassifier.*init": GradientBoostingClassifier(init=LogisticRegression()),
    "LinearDiscriminantAnalysis": make_pipeline(LinearDiscriminantAnalysis()),
    "KNNImputer": make_pipeline(KNNImputer(), trees()),
    "FunctionTransformer": make_pipeline(FunctionTransformer(np.log1p), trees()),
    "SplineTransformer": make_pipeline(SplineTransformer(), LogisticRegression()),
    "KBinsDiscretizer": make_pipeline(KBinsDiscretizer(), LogisticRegression()),
    "OneHotEncoder.*handle_unknown": make_pipeline(OneHotEncoder(), LogisticRegression()),
    "OneHotEncoder that groups rare": make_pipeline(
        OneHotEncoder(handle_unknown="ignore", min_frequency=3), LogisticRegression()
    ),
    "TunedThresholdClassifierCV": TunedThresholdClassifierCV(trees()),
    r"the model \(SVC\) has no predict_proba": SVC(),
    "VotingClassifier.* has no predict_proba": VotingClassifier([("trees", trees())]),
    "HistGradientBoostingClassifier.*loses": VotingClassifier(
        [("trees", trees(categorical_features=[0]))], voting="soft"
    ),
}


@pytest.mark.parametrize("said", REFUSED)
def test_an_estimator_that_onnx_answers_otherwise_is_refused_by_name(said: str) -> None:
    inputs, labels = close_values()
    with pytest.raises(Refused, match=said) as refusal:
        fit_model(REFUSED[said], inputs, labels)
    assert refusal.value.exit_code == 1
    assert "model.py" in refusal.value.remedy
    assert "\n" not in str(refusal.value)


def test_the_page_on_models_names_what_is_refused_and_the_settings() -> None:
    page = (PROJECT / "docs" / "models.md").read_text(encoding="utf-8")
    assert {name for name in refused_names() if f"`{name}" not in page} == set()
    for setting in ("gate.parity_tolerance", "gate.max_load_seconds"):
        assert setting in page


def test_a_baseline_that_takes_no_nulls_is_named() -> None:
    inputs, labels = close_values(nulls=True)
    with pytest.raises(Refused, match=r"the baseline \(LogisticRegression\) cannot be fitted.*NaN"):
        fit_baseline(LogisticRegression(), inputs, labels)
    with pytest.raises(Refused, match=r"the baseline \(SVC\) has no predict_proba"):
        fit_baseline(SVC(), *close_values())
    model = fit_baseline(LogisticRegression(), *close_values())
    with pytest.raises(Refused, match=r"the baseline .* cannot answer rows .* where features are"):
        reference(model, inputs, "baseline")


def test_a_graph_that_does_not_load_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs, labels = close_values()

    def broken(*_arguments: Any) -> None:
        raise RuntimeError("Fail: type mismatch\nmore lines")

    monkeypatch.setattr("mlops.steps.onnx_model.open_session", broken)
    model = make_pipeline(SimpleImputer(), forest()).fit(inputs, labels)
    with pytest.raises(Refused, match=r"cannot load the model \(RandomForest.*type mismatch; use"):
        convert(model, 3)
