import json
from pathlib import Path

import pytest
from sklearn.metrics import roc_auc_score
from sklearn.tree import DecisionTreeClassifier

from mlops.artifacts.prepared import load_prepared
from mlops.artifacts.run_folder import RunFolder
from mlops.errors import Refused
from mlops.governance.champion import compare
from mlops.governance.gate import judge_run
from mlops.metrics import measured
from mlops.platforms.local.platform import LocalPlatform
from mlops.settings.loading import load_settings
from mlops.steps import evaluate
from mlops.steps.bootstrap import Answers
from mlops.steps.onnx_model import convert, predict
from mlops.steps.register import register_run
from mlops.steps.scoring import load_model
from mlops.steps.slices import Question, slice_results
from mlops.tasks import BINARY_TARGET


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


def test_what_is_measured_are_the_answers_of_the_graph_that_serves(
    trained: tuple[LocalPlatform, str], tmp_path: Path
) -> None:
    """Metrics, slices and the comparison with the champion, where ONNX answers something else."""
    platform, run_id = trained
    run = platform.run(run_id)
    folder = RunFolder(run.folder)
    judge_run(platform, run, platform.settings)
    version = register_run(platform, run, platform.settings)
    prepared = folder.prepared()
    holdout, train = prepared.holdout(), prepared.train()
    inputs, labels = prepared.features.matrix(holdout), holdout["label"].to_numpy()
    other = DecisionTreeClassifier(max_depth=1, random_state=0).fit(
        prepared.features.matrix(train), train["label"].to_numpy()
    )
    folder.model.onnx.write_bytes(convert(other, 3))
    with pytest.raises(Refused, match="ONNX and scikit-learn differ"):
        evaluate.run(folder.prepared_path, folder.model.path, tmp_path / "e", platform.settings)
    lax = load_settings(
        platform.settings.project, overrides={"gate.parity_tolerance": 2.0}, variables={}
    )
    found = evaluate.run(folder.prepared_path, folder.model.path, folder.evaluation.path, lax)
    served = predict(folder.model.onnx, inputs)
    expected = measured(BINARY_TARGET, labels, served, 0.5)
    judged = load_model(folder.model.model).predict_proba(inputs)[:, 1]
    assert found["model"] == expected != measured(BINARY_TARGET, labels, judged, 0.5)
    asked = Question("f1", BINARY_TARGET, labels, Answers(served, 0.5), None, 50)
    names, slices = prepared.feature_names, lax.use_case.slices()
    told = slice_results(holdout.select(names), train.select(names), slices, asked)
    assert {name: found[name] for name in told} == told
    assert found["parity"]["flips"] > 0
    assert compare(version, run, lax.values.gate).challenger == expected
    assert compare(version, run, lax.values.gate).champion != expected


def test_the_metrics_are_those_on_the_holdout(trained: tuple[LocalPlatform, str]) -> None:
    platform, run_id = trained
    folder = platform.run(run_id).folder
    prepared = load_prepared(folder / "prepared")
    holdout = prepared.holdout()
    model = load_model(folder / "model" / "model.skops")
    probabilities = model.predict_proba(prepared.features.matrix(holdout))[:, 1]
    found = json.loads((folder / "evaluation" / "evaluation.json").read_text())
    assert found["rows"] == holdout.height
    assert found["model"]["roc_auc"] == pytest.approx(
        roc_auc_score(holdout["label"], probabilities)
    )
