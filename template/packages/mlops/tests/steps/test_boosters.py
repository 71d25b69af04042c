"""Boosted trees of LightGBM and XGBoost are served as they are judged."""

import io
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx as onnx_model
import pytest
import skops.io
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    BaggingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler, TargetEncoder
from xgboost import XGBClassifier, XGBRegressor

from fakes.boosted import CODES, LIGHTGBM_FIXED, codes_data
from fakes.close_values import close_values
from fakes.features import unnamed
from mlops.arrays import Matrix
from mlops.errors import ConfigError, Refused
from mlops.steps.boosters import CODES as MOST_CODES
from mlops.steps.boosters import number_splits
from mlops.steps.fit import fit_model
from mlops.steps.float32_model import settle
from mlops.steps.onnx_model import convert, predict
from mlops.steps.parity import Parity, measure, parity_gap, require_parity
from mlops.steps.probes import thresholds
from mlops.steps.servable import way_out
from mlops.tasks import Target, Task

GAP = 1e-6
LIBRARIES = ("lightgbm", "xgboost")


def boosted(library: str, **options: Any) -> Any:
    if library == "lightgbm":
        return LGBMClassifier(n_estimators=15, random_state=0, **LIGHTGBM_FIXED, **options)
    return XGBClassifier(n_estimators=15, random_state=0, **options)


def regression(library: str, **options: Any) -> Any:
    if library == "lightgbm":
        return LGBMRegressor(n_estimators=15, random_state=0, **LIGHTGBM_FIXED, **options)
    return XGBRegressor(n_estimators=15, random_state=0, **options)


def forest() -> RandomForestClassifier:
    return RandomForestClassifier(8, random_state=0)


def on_columns(library: str) -> Any:
    columns = [("scaled", StandardScaler(), [0, 1]), ("as is", "passthrough", [2])]
    return make_pipeline(ColumnTransformer(columns), boosted(library))


NESTED: dict[str, Callable[[str], Any]] = {
    "alone": boosted,
    "scaled": lambda library: make_pipeline(StandardScaler(), boosted(library)),
    "columns": on_columns,
    "filled": lambda library: make_pipeline(SimpleImputer(), boosted(library)),
    "voting": lambda library: VotingClassifier(
        [("boosted", boosted(library)), ("forest", forest())], voting="soft"
    ),
    "stacked": lambda library: StackingClassifier(
        [("boosted", boosted(library)), ("forest", forest())], cv=2
    ),
    "bagged": lambda library: BaggingClassifier(boosted(library), n_estimators=2, random_state=0),
    "searched": lambda library: GridSearchCV(boosted(library), {"max_depth": [2, 4]}, cv=2),
}


def show(text: str) -> None:
    """Say what was measured; `pytest -rP` shows it."""
    sys.stdout.write(f"{text}\n")


def parity_of(model: Any, inputs: Matrix, labels: np.ndarray) -> Parity:
    """Fit on two thirds as training does, convert, and compare as evaluation does."""
    some = len(inputs) * 2 // 3
    fitted = fit_model(model, inputs[:some], labels[:some])
    onnx = convert(fitted, inputs.shape[1])
    found = measure(fitted, onnx, inputs[:some], inputs[some:], 0.5, unnamed(inputs.shape[1]))
    show(f"gap {found.gap:.1e} on {found.place}, {found.probes} rows, {found.flips} flips")
    return found


@pytest.mark.parametrize("nulls", [False, True], ids=["known", "nulls"])
@pytest.mark.parametrize("name", NESTED)
@pytest.mark.parametrize("library", LIBRARIES)
def test_values_that_are_few_float32_apart_are_served_as_judged(
    library: str, name: str, nulls: bool
) -> None:
    found = parity_of(NESTED[name](library), *close_values(nulls))
    assert found.gap < GAP
    assert found.flips == 0
    assert found.single_gap == 0
    assert max(gap for gap in found.null_gaps if gap is not None) < GAP
    assert None not in found.null_gaps
    assert found.probes > 2_000
    require_parity(found, NESTED[name](library), tolerance=1e-4, max_load=10.0)


def test_calibration_around_xgboost_is_served_as_judged() -> None:
    found = parity_of(CalibratedClassifierCV(boosted("xgboost"), cv=2), *close_values())
    assert found.gap < GAP


@pytest.mark.parametrize(
    "options",
    [
        {"boosting_type": "dart"},
        {"data_sample_strategy": "goss"},
        {"class_weight": "balanced"},
        {"is_unbalance": True},
        {"use_missing": False},
        {"subsample": 0.7, "subsample_freq": 1, "colsample_bytree": 0.7},
        {"extra_trees": True},
    ],
    ids=str,
)
def test_what_lightgbm_can_do_besides_is_served_as_judged(options: dict[str, Any]) -> None:
    assert parity_of(boosted("lightgbm", **options), *close_values(nulls=True)).gap < GAP


@pytest.mark.parametrize(
    "options",
    [
        {"scale_pos_weight": 5},
        {"base_score": 0.2},
        {"tree_method": "exact"},
        {"tree_method": "approx"},
        {"grow_policy": "lossguide", "max_leaves": 8},
        {"n_estimators": 1, "subsample": 0.7},
    ],
    ids=str,
)
def test_what_xgboost_can_do_besides_is_served_as_judged(options: dict[str, Any]) -> None:
    model = XGBClassifier(**{"n_estimators": 15, **options})
    assert parity_of(model, *close_values(nulls=True)).gap < GAP


def test_without_settled_thresholds_lightgbm_is_served_wrongly() -> None:
    """Why they are settled: a threshold between two float32 is rounded to the upper one."""
    inputs, labels = close_values()
    model = boosted("lightgbm").fit(inputs, labels)
    gap = np.max(np.abs(predict(convert(model, 3), inputs) - model.predict_proba(inputs)[:, 1]))
    assert gap > 0.1


@pytest.mark.parametrize("moved_by", [0, 2])
def test_a_threshold_that_no_row_of_the_data_is_near_is_found(moved_by: int) -> None:
    """Counters in steps of eight float32, split in the middle: only a probe there tells."""
    steps = np.random.default_rng(0).integers(0, 60, 600)
    inputs = np.column_stack([2.0**24 + 16 * steps, steps % 7]).astype(np.float32)
    fitted = fit_model(boosted("lightgbm"), inputs, (steps // 3) % 2)
    onnx = onnx_model.load_from_string(convert(fitted, 2))
    (trees,) = (node for node in onnx.graph.node if node.op_type == "TreeEnsembleClassifier")
    (values,) = (each.floats for each in trees.attribute if each.name == "nodes_values")
    values[:] = [value + moved_by if value > 2.0**24 else value for value in values]
    moved = onnx.SerializeToString()
    assert np.max(np.abs(predict(moved, inputs) - fitted.predict_proba(inputs)[:, 1])) < GAP
    found = measure(fitted, moved, inputs[:400], inputs[400:], 0.5, unnamed(2))
    assert (found.gap > 0.01) == bool(moved_by)
    assert (found.place == "the thresholds of trees") == bool(moved_by)


@pytest.mark.parametrize("library", LIBRARIES)
def test_settling_changes_no_answer(library: str) -> None:
    inputs, labels = close_values(nulls=True)
    before = boosted(library).fit(inputs, labels)
    after = settle(boosted(library).fit(inputs, labels))
    assert (before.predict_proba(inputs) == after.predict_proba(inputs)).all()
    found = number_splits(after)[:, 1]
    assert len(found) > 50
    assert (found == found.astype(np.float32)).all()


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_splits_are_probed_as_the_data_say_them(library: str) -> None:
    inputs, labels = close_values()
    for model in (boosted(library), make_pipeline(StandardScaler(), boosted(library))):
        found = thresholds(fit_model(model, inputs, labels), inputs)
        assert len(found) > 50
        for column in range(3):
            values = found[found[:, 0] == column, 1]
            assert (inputs[:, column].min() <= values).all()
            assert (values <= inputs[:, column].max()).all()


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_same_model_is_fitted_again(library: str) -> None:
    inputs, labels = close_values(nulls=True)
    some = {"subsample": 0.7, "colsample_bytree": 0.7}
    answers = {
        fit_model(boosted(library, n_jobs=jobs, **some), inputs, labels)
        .predict_proba(inputs)
        .tobytes()
        for jobs in (1, 2, 2, 3)
    }
    assert len(answers) == 1


# --- categories


def with_categories(library: str, **options: Any) -> Any:
    if library == "lightgbm":
        return boosted(library, categorical_feature=[0], **options)
    return boosted(library, feature_types=["c", "q"], enable_categorical=True, **options)


@pytest.mark.parametrize("library", LIBRARIES)
def test_native_categories_are_served_as_judged(library: str) -> None:
    inputs, labels = codes_data()
    found = parity_of(with_categories(library), inputs, labels)
    assert found.gap < GAP
    assert found.flips == 0
    fitted = fit_model(with_categories(library), inputs, labels)
    odd = np.array([[-1], [CODES], [CODES + 7], [1000], [np.nan]], np.float32)
    rows = np.column_stack([odd, np.full(len(odd), 0.3, np.float32)])
    gap = np.max(np.abs(predict(convert(fitted, 2), rows) - fitted.predict_proba(rows)[:, 1]))
    assert gap < GAP
    plain = fit_model(boosted(library), inputs, labels)
    assert not np.allclose(plain.predict_proba(inputs), fitted.predict_proba(inputs))


@pytest.mark.parametrize("library", LIBRARIES)
def test_encoded_categories_are_served_as_judged(library: str) -> None:
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    for encoder in (one_hot, TargetEncoder(random_state=0)):
        columns = ColumnTransformer([("codes", encoder, [0])], remainder="passthrough")
        found = parity_of(make_pipeline(columns, boosted(library)), *codes_data())
        assert found.gap < GAP


def test_a_sparse_encoder_before_lightgbm_is_served_as_judged() -> None:
    encoder = OneHotEncoder(handle_unknown="ignore")
    columns = ColumnTransformer([("codes", encoder, [0])], remainder="passthrough")
    assert parity_of(make_pipeline(columns, boosted("lightgbm")), *codes_data()).gap < GAP


@pytest.mark.parametrize("library", LIBRARIES)
def test_too_many_codes_are_refused_before_the_fit(library: str) -> None:
    most = MOST_CODES[library]
    inputs, labels = codes_data(most, 8000)
    fit_model(with_categories(library, max_depth=2), inputs, labels)
    inputs, labels = codes_data(most + 1, 8000)
    with pytest.raises(Refused, match=rf"column 0 as a category with {most + 1} codes.*{most}"):
        fit_model(with_categories(library), inputs, labels)


@pytest.mark.parametrize("library", LIBRARIES)
def test_too_many_codes_after_other_steps_are_refused_before_the_conversion(library: str) -> None:
    inputs, labels = codes_data(MOST_CODES[library] + 40, 20_000)
    model = make_pipeline(SimpleImputer(), with_categories(library)).fit(inputs, labels)
    with pytest.raises(Refused, match=r"as a category with .* codes"):
        convert(model, 2)


@pytest.mark.parametrize("bad", [-1.0, 0.5])
@pytest.mark.parametrize("library", LIBRARIES)
def test_what_is_no_code_is_no_category(library: str, bad: float) -> None:
    inputs, labels = codes_data()
    inputs[0, 0] = bad
    with pytest.raises(Refused, match=r"told that feature 0 is a category.*no codes"):
        fit_model(with_categories(library), inputs, labels)


# --- several classes and numbers


OBJECTIVES = [
    *[("lightgbm", {"objective": name}) for name in ("l2", "l1", "huber", "quantile")],
    *[("lightgbm", {"objective": name}) for name in ("poisson", "gamma", "tweedie")],
    *[("xgboost", {"objective": f"reg:{name}error"}) for name in ("squared", "absolute")],
    ("xgboost", {"objective": "reg:pseudohubererror"}),
    ("xgboost", {"objective": "reg:squaredlogerror"}),
    ("xgboost", {"objective": "reg:quantileerror", "quantile_alpha": 0.9}),
    *[("xgboost", {"objective": name}) for name in ("count:poisson", "reg:gamma", "reg:tweedie")],
]


@pytest.mark.parametrize(("library", "options"), OBJECTIVES, ids=str)
def test_numbers_are_answered_alike(library: str, options: dict[str, Any]) -> None:
    """Within a hundred-thousandth of the label's standard deviation: amounts have no other size."""
    inputs, labels = close_values(nulls=True)
    amounts = 100 * (1 + labels + np.nan_to_num(inputs[:, 2] % 50))
    target = Target(Task.REGRESSION, scale=float(np.std(amounts)))
    fitted = fit_model(regression(library, **options), inputs, amounts, target)
    gap = parity_gap(fitted, convert(fitted, 3, target), inputs, target)
    show(f"{library} {options}: {gap:.1e} standard deviations")
    assert gap < 1e-5


@pytest.mark.parametrize("library", LIBRARIES)
def test_several_classes_are_answered_alike(library: str) -> None:
    inputs, labels = close_values(nulls=True)
    classes = labels + 2 * (np.nan_to_num(inputs[:, 2]) % 2 > 1)
    target = Target(Task.MULTICLASS, tuple(str(each) for each in np.unique(classes)))
    _, classes = np.unique(classes, return_inverse=True)
    fitted = fit_model(boosted(library), inputs, classes, target)
    assert parity_gap(fitted, convert(fitted, 3, target), inputs, target) < GAP


# --- what else a team meets


@pytest.mark.parametrize("library", LIBRARIES)
def test_what_cannot_be_fitted_is_one_sentence(library: str) -> None:
    inputs, labels = close_values()
    bad: dict[str, Any] = {"max_bin": -1} if library == "lightgbm" else {"max_depth": -1}
    with pytest.raises(
        Refused, match=r"the model \((LGBM|XGB)Classifier\) cannot be fitted"
    ) as said:
        fit_model(boosted(library, **bad), inputs, labels)
    assert "\n" not in str(said.value)


def test_what_lightgbm_tells_is_not_the_result_of_the_command(
    capfd: pytest.CaptureFixture[str],
) -> None:
    inputs, labels = close_values()
    fitted = fit_model(boosted("lightgbm").set_params(verbose=2), inputs, labels)
    convert(fitted, 3)
    stored = io.BytesIO()
    skops.io.dump(fitted, stored)
    said = capfd.readouterr()
    assert said.out == ""
    assert "[LightGBM] [Info]" in said.err


def test_a_missing_converter_is_named_before_the_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlops.steps.boosters.find_spec", lambda _name: None)
    with pytest.raises(ConfigError, match="LGBMClassifier needs onnxmltools") as said:
        fit_model(make_pipeline(boosted("lightgbm")), *close_values())
    assert "uv add --group machinery 'mlops-machinery[boosting]'" in said.value.remedy


@pytest.mark.parametrize("library", LIBRARIES)
def test_what_makes_a_difference_is_called_a_step_before_trees(library: str) -> None:
    step, remedy = way_out(make_pipeline(StandardScaler(), boosted(library)))
    assert step.startswith("StandardScaler before ")
    assert "trees need none" in remedy
