"""Every field of what the steps write, against its source: files, settings and arguments."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import skops.io

from fakes.project import TODAY
from fakes.tiny_use_case.labels import WINDOW_DAYS
from mlops.artifacts.data_source import DataSource
from mlops.artifacts.documents import EVALUATION
from mlops.artifacts.prepared import Prepared
from mlops.artifacts.run_folder import RunFolder
from mlops.artifacts.version_folder import VersionFolder
from mlops.data.fingerprint import fingerprint, matches
from mlops.features import Feature, Features
from mlops.files import file_sha256
from mlops.governance.champion import Comparison, compare
from mlops.governance.gate import Verdict, judge_run
from mlops.metrics import measured
from mlops.platforms.base import Run
from mlops.platforms.local.platform import LocalPlatform
from mlops.settings.loading import load_settings
from mlops.steps import evaluate, fit
from mlops.steps.bootstrap import Answers, intervals
from mlops.steps.calibration import calibration
from mlops.steps.importance import importance
from mlops.steps.onnx_model import predict
from mlops.steps.parity import described, measure
from mlops.steps.provenance import effective_settings, environment_state
from mlops.steps.register import build_signature, package_run, register_run
from mlops.steps.scoring import load_model
from mlops.steps.slices import Question, slice_results
from mlops.tasks import BINARY_TARGET

FEATURES = Features((Feature("height", False, 1.5), Feature("width", True, 2.5, optional=True)))


@pytest.fixture
def run(trained: tuple[LocalPlatform, str]) -> Run:
    platform, run_id = trained
    return platform.run(run_id)


@pytest.fixture
def platform(trained: tuple[LocalPlatform, str]) -> LocalPlatform:
    return trained[0]


@pytest.fixture
def folder(run: Run) -> RunFolder:
    return RunFolder(run.folder)


def test_prepared_describes_its_two_parts_and_what_they_were_made_of(folder: RunFolder) -> None:
    results, prepared = folder.validated.results(), folder.prepared()
    train, holdout = prepared.train(), prepared.holdout()
    data = pl.read_parquet(folder.validated.data)
    assert prepared == Prepared(
        folder=folder.prepared_path,
        key="machine",
        features=Features(
            tuple(
                Feature(name, False, float(f"{train[name].quantile(0.5, 'nearest'):.6g}"))
                for name in ("highest", "lowest", "count")
            )
        ),
        cutoff=(TODAY - timedelta(days=WINDOW_DAYS)).isoformat(),
        reference_date=TODAY.isoformat(),
        data_hash=fingerprint(data),
        data_hash_schema=2,
        data_rows=data.height,
        data_days=results["days"],
        split={
            "by": "key",
            "holdout_fraction": 0.25,
            "salt": "holdout",
            "key": "machine",
            "grouped": False,
        },
        rows={"train": train.height, "holdout": holdout.height},
        holdout_sha256=file_sha256(prepared.holdout_file),
        source=DataSource(
            kind="sample",
            name="size 300, seed 1, drift 0",
            made_up=True,
            files=prepared.source.files,
            fraction=1.0,
        ),
    )
    (digest,) = prepared.source.files.values()
    assert len(digest) == 64
    assert train.height > holdout.height
    assert results["rows"] == data.height
    assert results["days"] == [str(data["day"].min()), str(data["day"].max())]


def test_training_says_how_the_model_was_fitted(
    folder: RunFolder, platform: LocalPlatform, tmp_path: Path
) -> None:
    git = {"commit": "c0ffee", "branch": "main", "dirty": False}
    settings = load_settings(
        platform.settings.project, overrides={"training.seed": 7}, variables={}
    )
    output = tmp_path / "fitted"
    written = fit.run(folder.prepared_path, output, settings, git)
    assert written == json.loads((output / "training.json").read_text())
    assert written.pop("seconds") >= 0
    assert written == {
        "schema": 1,
        "task": "binary",
        "model_type": "DecisionTreeClassifier",
        "baseline_type": "LogisticRegression",
        "model_sha256": file_sha256(output / "model.skops"),
        "params": {},
        "seed": 7,
        "rows": folder.prepared().train().height,
        "class_weights": [],
        "warnings": [],
        "types": skops.io.get_untrusted_types(file=output / "model.skops"),
        "git": git,
        "environment": environment_state(settings.project.root),
        "settings": effective_settings(settings.values, folder.prepared().source),
    }
    assert file_sha256(output / "model.skops") != file_sha256(output / "baseline.skops")


def test_the_comparison_measures_each_on_its_own_probabilities() -> None:
    labels = np.array([0, 1, 1, 1])
    model, baseline = np.array([0.1, 0.4, 0.7, 0.9]), np.array([0.6, 0.2, 0.5, 0.8])
    assert evaluate.evaluate(labels, model, baseline, 0.45) == {
        "rows": 4,
        "positive_rate": 0.75,
        "decision_threshold": 0.45,
        "model": measured(BINARY_TARGET, labels, model, 0.45),
        "baseline": measured(BINARY_TARGET, labels, baseline, 0.45),
    }
    assert measured(BINARY_TARGET, labels, model, 0.45) != measured(
        BINARY_TARGET, labels, baseline, 0.45
    )


def test_the_evaluation_names_the_files_it_measured(
    folder: RunFolder, platform: LocalPlatform, tmp_path: Path
) -> None:
    overrides = {"training.decision_threshold": 0.3}
    settings = load_settings(platform.settings.project, overrides=overrides, variables={})
    output = tmp_path / "measured"
    written = evaluate.run(folder.prepared_path, folder.model.path, output, settings)
    assert written == json.loads((output / "evaluation.json").read_text())
    prepared = folder.prepared()
    holdout = prepared.holdout()
    labels, inputs = holdout["label"].to_numpy(), prepared.features.matrix(holdout)
    reference, onnx = load_model(folder.model.model), folder.model.onnx.read_bytes()
    model = predict(onnx, inputs)
    baseline = load_model(folder.model.baseline).predict_proba(inputs)[:, 1]
    train = prepared.features.matrix(prepared.train())
    found = measure(reference, onnx, train, inputs, 0.3, prepared.features)
    written["parity"]["load_seconds"] = round(found.load_seconds, 3)
    assert written == {
        "schema": 1,
        "model_sha256": file_sha256(folder.model.model),
        "onnx_sha256": file_sha256(folder.model.onnx),
        "holdout_sha256": file_sha256(prepared.holdout_file),
        "parity": described(found, prepared.feature_names),
        "task": "binary",
        **evaluate.evaluate(
            labels, model, baseline, 0.3, known=prepared.train()["label"].to_numpy()
        ),
        "class_weights": [],
        "intervals": intervals(
            "f1", BINARY_TARGET, labels, Answers(model, 0.3), Answers(baseline, 0.3), None
        ),
        **slice_results(
            holdout.select(prepared.feature_names),
            prepared.train().select(prepared.feature_names),
            settings.use_case.slices(),
            Question("f1", BINARY_TARGET, labels, Answers(model, 0.3), None, 50),
        ),
        "calibration": calibration(BINARY_TARGET, labels, model),
        "importance": importance(reference, inputs, labels, prepared.feature_names, BINARY_TARGET),
    }


def test_the_verdict_names_what_was_judged(run: Run, platform: LocalPlatform) -> None:
    folder = RunFolder(run.folder)
    judge_run(platform, run, platform.settings)
    register_run(platform, run, platform.settings)
    (run.folder / "verdict.json").unlink()
    before = datetime.now(UTC) - timedelta(seconds=1)
    verdict = judge_run(platform, run, platform.settings)
    assert before <= datetime.fromisoformat(verdict.judged_at) <= datetime.now(UTC)
    assert verdict == Verdict(
        run_id=run.run_id,
        model_sha256=file_sha256(folder.model.model),
        onnx_sha256=file_sha256(folder.model.onnx),
        holdout_sha256=file_sha256(folder.prepared().holdout_file),
        evaluation_sha256=file_sha256(folder.evaluation.results_file),
        champion_version=1,
        checks=verdict.checks,
        judged_at=verdict.judged_at,
        champion_difference=(0.0, 0.0),
    )
    assert [check.name for check in verdict.checks] == [
        "f1",
        "roc_auc",
        "f1 against the baseline",
        "f1 against champion 1",
    ]
    assert folder.verdict() == {
        "schema": 1,
        "passed": True,
        "run_id": run.run_id,
        "model_sha256": verdict.model_sha256,
        "onnx_sha256": verdict.onnx_sha256,
        "holdout_sha256": verdict.holdout_sha256,
        "evaluation_sha256": verdict.evaluation_sha256,
        "champion_version": 1,
        "checks": [vars(check) for check in verdict.checks],
        "judged_at": verdict.judged_at,
        "warnings": [],
        "champion_note": "",
        "champion_difference": [0.0, 0.0],
    }


def test_champion_and_challenger_are_each_read_at_their_own_threshold(
    run: Run, platform: LocalPlatform
) -> None:
    folder = RunFolder(run.folder)
    judge_run(platform, run, platform.settings)
    version = register_run(platform, run, platform.settings)
    never = {**folder.evaluation.results(), "decision_threshold": 1.5}
    EVALUATION.write(folder.evaluation.path, never)
    found = compare(version, run, platform.settings.values.gate)

    prepared = folder.prepared()
    holdout = prepared.holdout()
    labels, inputs = holdout["label"].to_numpy(), prepared.features.matrix(holdout)
    probabilities = predict(VersionFolder(version.folder).onnx, inputs)
    assert found == Comparison(
        version.version,
        champion=measured(BINARY_TARGET, labels, probabilities, 0.5),
        challenger=measured(BINARY_TARGET, labels, probabilities, 1.5),
        difference=found.difference,
    )
    assert found.champion != found.challenger


def test_the_signature_says_what_callers_send(tmp_path: Path) -> None:
    prepared = Prepared(tmp_path, "machine", FEATURES, "c", "r", "h", 9, {}, {}, "s")
    assert build_signature("tiny", 4, 0.45, prepared, ["width"]) == {
        "schema": 2,
        "model_name": "tiny",
        "model_version": 4,
        "task": "binary",
        "decision_threshold": 0.45,
        "features": [
            {
                "name": "height",
                "kind": "number",
                "nullable": False,
                "optional": False,
                "example": 1.5,
            },
            {
                "name": "width",
                "kind": "number",
                "nullable": True,
                "optional": True,
                "example": 2.5,
            },
        ],
    }


def test_the_package_names_the_model_and_its_files(run: Run, platform: LocalPlatform) -> None:
    judge_run(platform, run, platform.settings)
    package_run(run, platform.settings)
    folder = RunFolder(run.folder)
    prepared, parity = folder.prepared(), folder.evaluation.results()["parity"]
    assert folder.package.description() == {
        "schema": 1,
        "model_sha256": file_sha256(folder.model.model),
        "parity_gap": parity["gap"],
        "nullable": prepared.feature_names,
        "files": {
            "baseline.parquet": file_sha256(folder.package.drift_baseline),
            "model.onnx": file_sha256(folder.model.onnx),
            "probes.json": file_sha256(folder.package.probes),
        },
    }


def test_a_version_says_the_same_as_the_run_that_it_was_made_of(
    run: Run, platform: LocalPlatform
) -> None:
    package = {"parity_gap": 3.5e-6, "nullable": ["lowest"]}
    folder = RunFolder(run.folder)
    judge_run(platform, run, platform.settings)
    description = package_run(run, platform.settings) / "package.json"
    description.write_text(json.dumps({**json.loads(description.read_text()), **package}))
    version = VersionFolder(register_run(platform, run, platform.settings).folder)
    evaluation, lineage = folder.evaluation.results(), version.lineage()
    features = [
        {
            "name": each.name,
            "kind": "number",
            "nullable": each.name == "lowest",
            "optional": False,
            "example": each.example,
        }
        for each in folder.prepared().features
    ]
    assert version.signature() == {
        "schema": 2,
        "model_name": "tiny",
        "model_version": 1,
        "task": "binary",
        "decision_threshold": evaluation["decision_threshold"],
        "features": features,
    }
    training = folder.model.training()
    assert {name: lineage[name] for name in ("run_id", "git", "settings", "verdict")} == {
        "run_id": run.run_id,
        "git": training["git"],
        "settings": training["settings"],
        "verdict": folder.verdict(),
    }
    data = lineage["data"]
    assert data["hash"] == folder.prepared().data_hash
    assert matches(pl.read_parquet(folder.validated.data), data["hash"], data["hash_schema"])
    card = version.card()
    expected: dict[str, Any] = {
        "title": "Tiny",
        "description": "Predicts alarms.",
        "team": "Testers",
        "contact": "testers@example.com",
        "model": {"name": "tiny", "version": 1},
        "created_at": lineage["created_at"],
        "metric": platform.settings.values.gate.metric,
        "features": features,
        "evaluation": evaluation,
        "verdict": folder.verdict(),
        "parity_gap": package["parity_gap"],
    }
    assert {name: card[name] for name in expected} == expected
    for copied, source in (
        (version.skops, folder.model.model),
        (version.onnx, folder.model.onnx),
        (version.probes, folder.package.probes),
        (version.drift_baseline, folder.package.drift_baseline),
        (version.plots / "quality.png", folder.evaluation.quality_plot),
        (version.plots / "importance.png", folder.evaluation.importance_plot),
    ):
        assert file_sha256(copied) == file_sha256(source)
