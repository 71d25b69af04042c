"""A threshold that is chosen when a model is fitted, and where it goes from there."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import f1_score
from sklearn.naive_bayes import GaussianNB

from fakes.tiny_use_case import model
from mlops.artifacts.prepared import Prepared, holdout_file, load_prepared
from mlops.artifacts.run_folder import ModelFolder, RunFolder
from mlops.errors import ConfigError, Refused
from mlops.governance.gate import judge_run
from mlops.platforms.local.platform import LocalPlatform
from mlops.settings.loading import LoadedSettings, load_settings
from mlops.steps import evaluate, fit
from mlops.steps.choices import choose, threshold_of
from mlops.steps.onnx_model import predict
from mlops.steps.register import register_run

BEST = {"training.decision_threshold": "best-f1"}


@pytest.fixture(autouse=True)
def _scores_of_many_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "make_model", lambda _params, _seed: GaussianNB(var_smoothing=0.5))


@pytest.fixture
def run(trained: tuple[LocalPlatform, str]) -> RunFolder:
    platform, run_id = trained
    return RunFolder(platform.run(run_id).folder)


@pytest.fixture
def settings(trained: tuple[LocalPlatform, str]) -> Callable[..., LoadedSettings]:
    platform, _ = trained

    def load(**more: Any) -> LoadedSettings:
        return load_settings(platform.settings.project, overrides={**BEST, **more}, variables={})

    return load


def test_the_threshold_is_chosen_without_the_holdout(
    run: RunFolder,
    settings: Callable[..., LoadedSettings],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody can read the holdout, and one in which all labels are turned changes nothing."""
    prepared = run.prepared()
    first = fit.run(run.prepared_path, tmp_path / "a", settings(), {})["threshold"]
    assert (first["rule"], first["folds"], first["rows"]) == ("best-f1", 5, prepared.rows["train"])
    assert 0 < first["value"] < 1

    turned = prepared.holdout().with_columns(label=(1 - pl.col("label")).cast(pl.Int8))
    turned.write_parquet(holdout_file(run.prepared_path))
    assert fit.run(run.prepared_path, tmp_path / "b", settings(), {})["threshold"] == first

    def refuse(_prepared: Prepared) -> None:
        raise AssertionError("the holdout was read")

    monkeypatch.setattr(Prepared, "holdout", refuse)
    assert fit.run(run.prepared_path, tmp_path / "c", settings(), {})["threshold"] == first


def test_the_chosen_threshold_decides_everywhere(
    trained: tuple[LocalPlatform, str],
    settings: Callable[..., LoadedSettings],
) -> None:
    _, run_id = trained
    chosen = settings()
    platform = LocalPlatform(chosen)
    record = platform.run(run_id)
    run = RunFolder(record.folder)
    git = {"commit": "c0ffee", "branch": "main", "dirty": False}
    training = fit.run(run.prepared_path, run.model.path, chosen, git)
    found = evaluate.run(run.prepared_path, run.model.path, run.evaluation.path, chosen)
    threshold = training["threshold"]["value"]
    assert found["decision_threshold"] == threshold != 0.5
    assert found["threshold"] == training["threshold"]

    prepared = load_prepared(run.prepared_path)
    holdout = prepared.holdout()
    scores = predict(run.model.onnx, prepared.features.matrix(holdout))
    expected = f1_score(holdout["label"], scores >= np.float32(threshold))
    assert found["model"]["f1"] == pytest.approx(expected)

    judge_run(platform, record, chosen)
    version = register_run(platform, record, chosen)
    signature = json.loads((version.folder / "signature.json").read_text())
    assert signature["decision_threshold"] == threshold
    card = (version.folder / "MODEL_CARD.md").read_text()
    assert "was chosen by cross-validation on the training part (best-f1, 5 folds)" in card
    assert "This holdout was looked at by 1 run" in card
    assert "95 % interval of f1" in card


def test_a_number_needs_no_cross_validation_and_says_nothing_of_one(
    run: RunFolder, trained: tuple[LocalPlatform, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not {"threshold", "cross_validation"} & set(run.model.training())
    assert "threshold" not in run.evaluation.results()
    values = trained[0].settings.values.training
    assert threshold_of(values, {"threshold": {"value": 0.1}}) == 0.5
    monkeypatch.setattr("mlops.steps.choices.cross_validate", None)
    assert choose(values, run.prepared(), run.prepared().train(), lambda *_: b"") == {}


def test_a_model_without_a_choice_cannot_be_evaluated_by_one(
    run: RunFolder, settings: Callable[..., LoadedSettings], tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="was fitted without a choice; fit it again"):
        evaluate.run(run.prepared_path, run.model.path, tmp_path / "e", settings())


def test_too_few_positives_are_refused_before_anything_is_fitted(
    run: RunFolder, settings: Callable[..., LoadedSettings]
) -> None:
    prepared = run.prepared()
    train = prepared.train()
    few = [1] * 9 + [0] * (train.height - 9)
    part = train.with_columns(label=pl.Series(few, dtype=pl.Int8))

    def never(*_parts: Any) -> bytes:
        raise AssertionError("a model was fitted")

    with pytest.raises(Refused, match="best-f1 needs at least 10 rows of each label, and 9 of"):
        choose(settings().values.training, prepared, part, never)


def test_metrics_of_folds_are_computed_only_if_asked(
    run: RunFolder, settings: Callable[..., LoadedSettings], tmp_path: Path
) -> None:
    asked = settings(**{"training.cross_validation": 3})
    training = fit.run(run.prepared_path, tmp_path / "m", asked, {})
    found = training["cross_validation"]
    assert (found["folds"], training["threshold"]["folds"]) == (3, 3)
    assert found["metrics"]["f1"]["value"] > 0.75
    low, high = found["metrics"]["f1"]["interval"]
    assert low < found["metrics"]["f1"]["value"] < high
    assert ModelFolder(tmp_path / "m").training()["cross_validation"] == found
