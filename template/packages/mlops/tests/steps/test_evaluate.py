import json

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from mlops.artifacts.prepared import load_prepared
from mlops.platforms.local.platform import LocalPlatform
from mlops.steps.evaluate import slice_metrics
from mlops.steps.scoring import load_model, matrix


def test_each_value_of_a_slice_is_measured_on_its_own() -> None:
    holdout = pl.DataFrame({"group": ["a", "a", "b", None], "label": [1, 0, 1, 1]})
    found = slice_metrics(holdout, np.array([0.9, 0.1, 0.1, 0.9]), 0.5, {"group": pl.col("group")})
    accuracy = {part["value"]: part["metrics"]["accuracy"] for part in found}
    assert accuracy == {"a": 1.0, "b": 0.0, "null": 1.0}
    assert [part["rows"] for part in found] == [2, 1, 1]


def test_the_evaluation_holds_model_baseline_slices_and_pictures(
    trained: tuple[LocalPlatform, str],
) -> None:
    platform, run_id = trained
    folder = platform.run(run_id).folder / "evaluation"
    found = json.loads((folder / "evaluation.json").read_text())
    assert found["model"]["f1"] > found["baseline"]["f1"]
    assert {part["value"] for part in found["slices"]} == {"low", "high"}
    assert 0 < found["positive_rate"] < 1
    for name in ("quality.png", "importance.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")


def test_the_metrics_are_those_on_the_holdout(trained: tuple[LocalPlatform, str]) -> None:
    platform, run_id = trained
    folder = platform.run(run_id).folder
    prepared = load_prepared(folder / "prepared")
    holdout = prepared.holdout()
    model = load_model(folder / "model" / "model.skops")
    probabilities = model.predict_proba(matrix(holdout, prepared.feature_names))[:, 1]
    found = json.loads((folder / "evaluation" / "evaluation.json").read_text())
    assert found["rows"] == holdout.height
    assert found["model"]["roc_auc"] == pytest.approx(
        roc_auc_score(holdout["label"], probabilities)
    )
