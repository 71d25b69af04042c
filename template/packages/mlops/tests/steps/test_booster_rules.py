"""What ONNX answers otherwise than LightGBM and XGBoost is refused by name, before the fit."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import sklearn
from lightgbm import LGBMClassifier, LGBMRanker, LGBMRegressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from xgboost import XGBClassifier, XGBRegressor, XGBRFClassifier
from xgboost.callback import EarlyStopping

from fakes.boosted import LIGHTGBM_FIXED
from fakes.close_values import close_values
from fakes.places import PROJECT
from mlops.errors import Refused
from mlops.steps.booster_rules import OBJECTIVES, refused_parameters
from mlops.steps.boosters import ADD, CODES
from mlops.steps.fit import fit_model
from mlops.steps.servable import require_servable


def light(**options: Any) -> LGBMClassifier:
    return LGBMClassifier(**{**LIGHTGBM_FIXED, **options})


def light_regression(**options: Any) -> LGBMRegressor:
    return LGBMRegressor(**{**LIGHTGBM_FIXED, **options})


def own_objective(_labels: Any, answers: Any) -> Any:
    return answers, answers


SPARSE = OneHotEncoder(handle_unknown="ignore")
ON_COLUMNS = ColumnTransformer([("codes", SPARSE, [0])], remainder="passthrough")

REFUSED = [
    (light(boosting_type="rf"), "boosting_type='rf'"),
    (light(boosting="rf"), "boosting_type='rf'"),
    (light(boost="random_forest"), "boosting_type='rf'"),
    (light(linear_tree=True), "linear_tree=True"),
    (light(linear_trees=True), "linear_tree=True"),
    (light(zero_as_missing=True), "zero_as_missing=True"),
    (light_regression(reg_sqrt=True), "reg_sqrt=True"),
    (light(sigmoid=2), "sigmoid other than 1"),
    (light(objective="multiclassova"), "objective='multiclassova'"),
    (light(objective="cross_entropy"), "objective='cross_entropy'"),
    (light(application="cross_entropy"), "objective='cross_entropy'"),
    (light_regression(objective="fair"), "objective='fair'"),
    (light_regression(objective="mape"), "objective='mape'"),
    (light_regression(objective="binary"), "objective='binary'"),
    (light_regression(objective=own_objective), "objective=a function"),
    (light(early_stopping_round=5), "early_stopping_round"),
    (light(n_iter_no_change=5), "early_stopping_round"),
    (light(early_stopping=True), "early_stopping_round"),
    (light(categorical_feature="0,1"), "categorical_feature"),
    (light(cat_feature=["name"]), "categorical_feature"),
    (LGBMClassifier(), "without deterministic=True"),
    (LGBMClassifier(deterministic=True), "without deterministic=True"),
    (LGBMClassifier(force_row_wise=True), "without deterministic=True"),
    (LGBMRanker(), "LGBMRanker"),
    (CalibratedClassifierCV(light()), "CalibratedClassifierCV around LGBMClassifier"),
    (XGBClassifier(booster="dart"), "booster='dart'"),
    (XGBClassifier(booster="gblinear"), "'gblinear'"),
    (XGBClassifier(num_parallel_tree=3), "num_parallel_tree above 1"),
    (XGBClassifier(multi_strategy="multi_output_tree"), "multi_output_tree"),
    (XGBClassifier(objective="multi:softmax"), "objective='multi:softmax'"),
    (XGBClassifier(objective="binary:logitraw"), "objective='binary:logitraw'"),
    (XGBRegressor(objective="reg:logistic"), "objective='reg:logistic'"),
    (XGBRegressor(objective="binary:logistic"), "objective='binary:logistic'"),
    (XGBRegressor(objective="survival:cox"), "objective='survival:cox'"),
    (XGBRegressor(objective="survival:aft"), "objective='survival:aft'"),
    (XGBRegressor(objective=own_objective), "objective=a function"),
    (
        XGBRegressor(objective="reg:quantileerror", quantile_alpha=[0.1, 0.9]),
        "quantile_alpha with several",
    ),
    (XGBClassifier(missing=0.0), "missing other than nan"),
    (XGBClassifier(missing=None), "missing other than nan"),
    (XGBClassifier(early_stopping_rounds=5), "early_stopping_rounds"),
    (XGBClassifier(callbacks=[EarlyStopping(rounds=5)]), "callbacks"),
    (XGBClassifier(eval_metric=own_objective), "function as eval_metric"),
    (XGBRFClassifier(), "XGBRFClassifier"),
    (make_pipeline(SPARSE, XGBClassifier()), "after OneHotEncoder"),
    (make_pipeline(ON_COLUMNS, XGBClassifier()), "after OneHotEncoder"),
    (
        make_pipeline(StandardScaler().set_output(transform="pandas"), XGBClassifier()),
        "set_output",
    ),
    (make_pipeline(StandardScaler().set_output(transform="polars"), light()), "set_output"),
    (
        VotingClassifier(
            [("a", LogisticRegression()), ("b", make_pipeline(light(linear_tree=True)))],
            voting="soft",
        ),
        "linear_tree=True",
    ),
]


@pytest.mark.parametrize(("model", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_what_onnx_answers_otherwise_is_refused_before_the_fit(model: Any, said: str) -> None:
    inputs, labels = close_values()
    with pytest.raises(Refused) as refusal:
        fit_model(model, inputs, labels)
    assert said in str(refusal.value)
    assert refusal.value.exit_code == 1
    assert refusal.value.remedy.startswith("in model.py ")
    assert "docs/models.md" in refusal.value.remedy
    assert "\n" not in str(refusal.value)
    assert not hasattr(model, "classes_")


@pytest.mark.parametrize(
    "model",
    [
        light(),
        light(boosting_type="dart", sigmoid=1, early_stopping_round=0, linear_tree=False),
        LGBMClassifier(deterministic=True, force_col_wise=True),
        light(objective="binary", categorical_feature=[0, np.int64(2)]),
        XGBClassifier(),
        XGBClassifier(booster="gbtree", num_parallel_tree=1, missing=np.nan, callbacks=[]),
        XGBClassifier(eval_metric="auc"),
        XGBRegressor(objective="reg:quantileerror", quantile_alpha=[0.5]),
        make_pipeline(SPARSE, light()),
        make_pipeline(StandardScaler().set_output(transform="default"), light()),
    ],
    ids=str,
)
def test_what_converts_is_not_refused(model: Any) -> None:
    require_servable(model)


@pytest.fixture
def _tables_everywhere() -> Iterator[None]:
    with sklearn.config_context(transform_output="pandas"):
        yield


@pytest.mark.usefixtures("_tables_everywhere")
def test_tables_that_scikit_learn_is_told_to_give_are_refused() -> None:
    with pytest.raises(Refused, match=r"set_output\(transform='pandas'\)"):
        require_servable(make_pipeline(StandardScaler(), light()))


def test_the_page_on_models_names_what_is_refused_and_the_extra() -> None:
    page = (PROJECT / "docs" / "models.md").read_text(encoding="utf-8")
    assert {name for name in refused_parameters() if f"`{name}`" not in page} == set()
    assert {name for each in OBJECTIVES.values() for name in each if f"`{name}`" not in page} == (
        {"regression_l2", "mean_squared_error", "mse", "l2_root", "root_mean_squared_error"}
        | {"rmse", "regression_l1", "mean_absolute_error", "mae", "softmax"}
    )
    assert all(f"up to {most} codes" in page for most in CODES.values())
    assert ADD in page
