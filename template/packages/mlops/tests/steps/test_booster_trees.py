"""What LightGBM and XGBoost say of their trees is read as they mean it."""

from typing import Any

import numpy as np
import pytest
from lightgbm import LGBMClassifier
from xgboost import XGBClassifier

from fakes.boosted import LIGHTGBM_FIXED, codes_data
from fakes.close_values import close_values
from mlops.steps.booster_trees import lightgbm_splits, with_thresholds, xgboost_splits

SAME: dict[str, Any] = {"n_estimators": 12, "random_state": 0}


def lightgbm_text(model: Any) -> str:
    text: str = model.booster_.model_to_string()
    return text


def test_the_splits_of_lightgbm_are_those_of_its_own_table() -> None:
    inputs, labels = codes_data()
    model = LGBMClassifier(categorical_feature=[0], **LIGHTGBM_FIXED, **SAME).fit(inputs, labels)
    table = model.booster_.trees_to_dataframe().dropna(subset=["split_feature"])
    by_codes = table["decision_type"] == "=="
    found = lightgbm_splits(lightgbm_text(model))
    columns = table["split_feature"].str.removeprefix("Column_").astype(int)
    expected = table["threshold"][~by_codes].astype(float)
    assert sorted(found.numbers[:, 1]) == pytest.approx(sorted(expected))
    assert sorted(found.numbers[:, 0]) == sorted(columns[~by_codes])
    sets = table["threshold"][by_codes].str.split("||", regex=False)
    assert len(sets) > 5
    assert sorted(found.codes[:, 1]) == sorted(float(code) for each in sets for code in each)
    assert set(found.codes[:, 0]) == {0}


def test_the_splits_of_xgboost_are_those_of_its_own_table() -> None:
    inputs, labels = codes_data()
    model = XGBClassifier(feature_types=["c", "q"], enable_categorical=True, **SAME)
    booster = model.fit(inputs, labels).get_booster()
    table = booster.trees_to_dataframe()
    table = table[table["Feature"] != "Leaf"]
    numbers = table[table["Category"].isna()]
    found = xgboost_splits(booster.save_raw("json"))
    assert sorted(found.numbers[:, 1]) == pytest.approx(sorted(numbers["Split"]))
    assert set(found.numbers[:, 0]) == {1}
    sets = table["Category"].dropna()
    assert len(sets) > 5
    assert sorted(found.codes[:, 1]) == sorted(float(code) for each in sets for code in each)
    assert set(found.codes[:, 0]) == {0}


def test_trees_that_are_one_leaf_split_nowhere() -> None:
    inputs, labels = np.zeros((50, 2), np.float32), np.arange(50) % 2
    text = lightgbm_text(LGBMClassifier(**LIGHTGBM_FIXED, **SAME).fit(inputs, labels))
    assert lightgbm_splits(text).numbers.shape == (0, 2)
    booster = XGBClassifier(**SAME).fit(inputs, labels).get_booster()
    assert xgboost_splits(booster.save_raw("json")).numbers.shape == (0, 2)


def test_other_thresholds_change_nothing_else() -> None:
    inputs, labels = codes_data()
    model = LGBMClassifier(categorical_feature=[0], **LIGHTGBM_FIXED, **SAME).fit(inputs, labels)
    text = lightgbm_text(model)
    before, after = (
        lightgbm_splits(text),
        lightgbm_splits(with_thresholds(text, lambda old: old + 1)),
    )
    assert (after.numbers[:, 1] == before.numbers[:, 1] + 1).all()
    assert (after.codes == before.codes).all()
    same = with_thresholds(text, lambda old: old).split("\n")
    assert [line for line in text.split("\n") if not line.startswith("tree_sizes=")] == same


def test_a_threshold_is_kept_to_its_last_digit() -> None:
    inputs, labels = close_values()
    text = lightgbm_text(LGBMClassifier(**LIGHTGBM_FIXED, **SAME).fit(inputs, labels))
    moved = with_thresholds(text, lambda old: np.nextafter(old, np.inf))
    expected = np.nextafter(lightgbm_splits(text).numbers[:, 1], np.inf)
    assert (lightgbm_splits(moved).numbers[:, 1] == expected).all()
