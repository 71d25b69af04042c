"""A registered version is complete, relocatable and says where it comes from."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml
from mlflow import MlflowClient

from mlops.artifacts.signature import features_of
from mlops.errors import ConfigError, Refused
from mlops.features import Feature
from mlops.files import file_sha256
from mlops.governance.gate import judge_run
from mlops.platforms.base import ModelVersion
from mlops.platforms.local.platform import LocalPlatform
from mlops.settings.loading import load_settings
from mlops.steps import evaluate, fit
from mlops.steps.onnx_model import predict
from mlops.steps.parity import answered_nulls
from mlops.steps.register import package_run, register_run
from mlops.steps.scoring import load_model

Trained = tuple[LocalPlatform, str]


def register(trained: Trained) -> ModelVersion:
    platform, run_id = trained
    run = platform.run(run_id)
    judge_run(platform, run, platform.settings)
    return register_run(platform, run, platform.settings)


def registered_in_mlflow(platform: LocalPlatform) -> list[int]:
    found = MlflowClient(platform.tracking.uri, platform.tracking.uri).search_model_versions(
        "name='tiny'"
    )
    return [int(version.version) for version in found]


def read(folder: Path, name: str) -> dict[str, Any]:
    return dict(json.loads((folder / name).read_text(encoding="utf-8")))


def test_the_folder_is_complete_and_agrees_on_the_version(trained: Trained) -> None:
    version = register(trained)
    names = {path.relative_to(version.folder).as_posix() for path in version.folder.rglob("*.*")}
    assert names == {
        "MODEL_CARD.html",
        "MODEL_CARD.md",
        "baseline.parquet",
        "card.json",
        "lineage.json",
        "model.onnx",
        "model.sig",
        "model.skops",
        "plots/importance.png",
        "plots/quality.png",
        "probes.json",
        "signature.json",
    }
    assert version.version == 1
    assert version.folder.name == "1"
    assert read(version.folder, "signature.json")["model_version"] == 1
    assert read(version.folder, "lineage.json")["model"] == {"name": "tiny", "version": 1}
    assert read(version.folder, "card.json")["model"]["version"] == 1
    assert "# Tiny, version 1" in (version.folder / "MODEL_CARD.md").read_text()


def test_the_next_version_is_the_next_number_also_after_nine(trained: Trained) -> None:
    platform, _ = trained
    first = register(trained)
    for number in (2, 9, 10):
        copy = first.folder.with_name(str(number))
        shutil.copytree(first.folder, copy)
        lineage = read(copy, "lineage.json")
        (copy / "lineage.json").write_text(json.dumps({**lineage, "run_id": "other"}))
    shutil.rmtree(first.folder)
    again = register(trained)
    assert again.version == 11
    assert platform.versions()[-1].version == 11
    assert read(again.folder, "signature.json")["model_version"] == 11


def test_lineage_names_data_code_run_and_every_file(trained: Trained) -> None:
    platform, run_id = trained
    version = register(trained)
    lineage = read(version.folder, "lineage.json")
    prepared = read(platform.run(run_id).folder / "prepared", "prepared.json")
    assert lineage["run_id"] == run_id
    assert lineage["data"]["hash"] == prepared["data_hash"]
    assert lineage["verdict"]["passed"] is True
    assert lineage["settings"]["data.sample.size"] == 300
    for name, expected in lineage["files"].items():
        assert file_sha256(version.folder / name) == expected
    everything = {p.relative_to(version.folder).as_posix() for p in version.folder.rglob("*.*")}
    assert set(lineage["files"]) == everything - {"lineage.json", "model.sig"}
    assert lineage["seal"] == "model.sig"


def test_the_onnx_model_is_the_model_that_was_judged(trained: Trained) -> None:
    platform, run_id = trained
    version = register(trained)
    signature = read(version.folder, "signature.json")
    holdout = pl.read_parquet(platform.run(run_id).folder / "prepared" / "holdout.parquet")
    inputs = features_of(signature).matrix(holdout)
    model = load_model(platform.run(run_id).folder / "model" / "model.skops")
    served = predict(version.folder / "model.onnx", inputs)
    assert served == pytest.approx(model.predict_proba(inputs)[:, 1], abs=1e-6)


def test_the_card_has_metadata_that_other_tools_read(trained: Trained) -> None:
    text = (register(trained).folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    _, head, body = text.split("---\n", 2)
    metadata = yaml.safe_load(head)
    assert metadata["model-index"][0]["name"] == "tiny"
    values = {m["type"]: m["value"] for m in metadata["model-index"][0]["results"][0]["metrics"]}
    assert values["f1"] > 0.75
    assert "| level | high |" in body
    assert "\nPredicts alarms.\n" in body
    assert "Testers (testers@example.com)" in body


def test_registering_a_run_twice_gives_the_same_version(trained: Trained) -> None:
    platform, _ = trained
    assert register(trained) == register(trained)
    assert len(platform.versions()) == 1


def test_a_parity_that_is_not_allowed_any_more_is_refused_and_leaves_nothing(
    trained: Trained,
) -> None:
    platform, run_id = trained
    run = platform.run(run_id)
    judge_run(platform, run, platform.settings)
    package = package_run(run, platform.settings)
    content = read(package, "package.json")
    (package / "package.json").write_text(json.dumps({**content, "parity_gap": 0.01}))
    with pytest.raises(Refused, match=r"ONNX and scikit-learn differ by 1\.00e-02"):
        register_run(platform, run, platform.settings)
    assert platform.versions() == []
    assert registered_in_mlflow(platform) == []


def test_a_version_holds_probes_with_the_answers_of_the_judged_model(trained: Trained) -> None:
    version = register(trained)
    probes = read(version.folder, "probes.json")
    rows = np.array(probes["rows"], np.float32)
    assert rows.shape == (200, 3)
    assert predict(version.folder / "model.onnx", rows).tolist() == probes["probabilities"]
    assert probes["tolerance"] == 1e-4
    assert np.ptp(probes["probabilities"]) > 0.9
    assert np.isnan(rows).any(axis=0).all()
    assert len(np.unique(rows, axis=0)) > 100


def test_no_probe_is_the_row_of_anybody(trained: Trained) -> None:
    platform, run_id = trained
    probes = read(register(trained).folder, "probes.json")
    prepared = platform.run(run_id).folder / "prepared"
    known = pl.read_parquet(prepared / "train.parquet").select("highest", "lowest", "count")
    assert {tuple(row) for row in probes["rows"]}.isdisjoint(known.rows())


def test_the_card_mentions_missing_slices(trained: Trained) -> None:
    platform, run_id = trained
    path = platform.run(run_id).folder / "evaluation" / "evaluation.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "slices": []}))
    text = (register(trained).folder / "MODEL_CARD.md").read_text()
    assert "differences between groups were not assessed" in text


def test_lineage_says_what_held_when_the_model_was_trained(trained: Trained) -> None:
    platform, run_id = trained
    overrides = {"training.seed": 999, "data.sample.size": 77}
    project = platform.settings.project
    later = LocalPlatform(load_settings(project, overrides=overrides, variables={}))
    judge_run(later, later.run(run_id), later.settings)
    version = register_run(later, later.run(run_id), later.settings)
    lineage = read(version.folder, "lineage.json")
    assert lineage["settings"]["training.seed"] == lineage["training"]["seed"] == 42
    assert lineage["settings"]["data.sample.size"] == 300
    training = read(platform.run(run_id).folder / "model", "training.json")
    assert lineage["environment"] == training["environment"]


def test_a_refitted_run_gets_a_version_of_its_own(trained: Trained) -> None:
    platform, run_id = trained
    first = register(trained)
    folder = platform.run(run_id).folder
    fit.run(folder / "prepared", folder / "model", platform.settings, {"commit": "", "dirty": True})
    evaluate.run(folder / "prepared", folder / "model", folder / "evaluation", platform.settings)
    assert register(trained).version == first.version + 1


def test_a_number_that_mlflow_gave_and_took_back_is_skipped(trained: Trained) -> None:
    platform, run_id = trained
    platform.tracking.delete_version(platform.tracking.create_version(run_id))
    version = register(trained)
    assert registered_in_mlflow(platform) == [version.version]


def test_slices_and_checks_cannot_break_the_cards_tables(trained: Trained) -> None:
    platform, run_id = trained
    path = platform.run(run_id).folder / "evaluation" / "evaluation.json"
    content = json.loads(path.read_text())
    content["slices"][0]["value"] = "a|b\nc"
    path.write_text(json.dumps(content))
    text = (register(trained).folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert r"| a\|b c |" in text


def test_names_and_descriptions_stand_in_the_card_as_they_are(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform, _ = trained
    project = platform.settings.project
    named = replace(project, facts=project.facts.model_copy(update={"title": "*Fast* <b>1</b>"}))
    monkeypatch.setattr(platform, "settings", replace(platform.settings, project=named))
    text = (register(trained).folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "# \\*Fast\\* \\<b>1\\</b>, version 1" in text


def without_data(trained: Trained) -> None:
    """Take away what the pipeline does not hand from job to job."""
    platform, run_id = trained
    for name in ("validated", "prepared"):
        for path in (platform.run(run_id).folder / name).glob("*.parquet"):
            path.unlink()


def test_a_packaged_run_is_registered_without_its_data(trained: Trained) -> None:
    platform, run_id = trained
    run = platform.run(run_id)
    judge_run(platform, run, platform.settings)
    package_run(run, platform.settings)
    without_data(trained)
    version = register_run(platform, run, platform.settings)
    assert read(version.folder, "card.json")["model"]["version"] == 1
    files = read(version.folder, "lineage.json")["files"]
    assert {"model.onnx", "baseline.parquet"} < set(files)
    assert "package.json" not in files


def test_a_run_without_data_and_package_says_what_to_do(trained: Trained) -> None:
    platform, run_id = trained
    run = platform.run(run_id)
    judge_run(platform, run, platform.settings)
    without_data(trained)
    with pytest.raises(ConfigError, match=f"mlops package --run-id {run_id}"):
        register_run(platform, run, platform.settings)
    assert platform.versions() == []


def test_a_run_is_packaged_only_with_a_passing_verdict(trained: Trained) -> None:
    platform, run_id = trained
    with pytest.raises(Refused, match="has no verdict"):
        package_run(platform.run(run_id), platform.settings)


@pytest.mark.parametrize("name", ["model.onnx", "probes.json", "baseline.parquet"])
def test_a_package_that_was_changed_is_refused(trained: Trained, name: str) -> None:
    platform, run_id = trained
    run = platform.run(run_id)
    judge_run(platform, run, platform.settings)
    (package_run(run, platform.settings) / name).write_bytes(b"other")
    with pytest.raises(Refused, match=f"package/{name} was changed"):
        register_run(platform, run, platform.settings)
    assert platform.versions() == []


def test_a_package_of_another_model_is_made_anew(trained: Trained) -> None:
    platform, run_id = trained
    run = platform.run(run_id)
    judge_run(platform, run, platform.settings)
    path = package_run(run, platform.settings) / "package.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "model_sha256": "0" * 64}))
    version = register_run(platform, run, platform.settings)
    assert read(path.parent, "package.json")["model_sha256"] == file_sha256(
        version.folder / "model.skops"
    )


@pytest.mark.parametrize(
    ("gaps", "nullable"),
    [
        ([0.0, 1e-5, 0.0], ["highest", "lowest", "count"]),
        ([0.0, None, 0.0], ["highest", "count"]),
        ([None, None, None], []),
        ([0.0, 0.3, 0.0], []),
    ],
)
def test_whether_null_is_answered_follows_from_the_model_not_from_the_data(
    gaps: list[float | None], nullable: list[str]
) -> None:
    features = [Feature(name, False, 1.0) for name in ("highest", "lowest", "count")]
    assert answered_nulls(features, gaps, 1e-4) == nullable


@pytest.mark.parametrize("gaps", [[0.0, 0.3, 0.0], [0.0, None, 0.0]])
def test_nulls_of_the_data_that_the_served_model_answers_otherwise_are_refused(
    gaps: list[float | None],
) -> None:
    features = [Feature(name, name == "lowest", 1.0) for name in ("highest", "lowest", "count")]
    with pytest.raises(Refused, match=r"nulls in lowest.*; fill them in features\.py"):
        answered_nulls(features, gaps, 1e-4)
