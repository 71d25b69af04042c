"""Training on the local platform, MLflow's records of it, and the registry."""

import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from mlflow import MlflowClient

from fakes.platform import FakePlatform
from mlops.errors import ConfigError, Refused
from mlops.governance.gate import judge_run
from mlops.platforms.local.platform import LocalPlatform
from mlops.progress import Stage, silent
from mlops.settings.loading import LoadedSettings, load_settings
from mlops.settings.project import find_project
from mlops.steps import fit
from mlops.steps.register import register_run

Trained = tuple[LocalPlatform, str]


def client(platform: LocalPlatform) -> MlflowClient:
    return MlflowClient(platform.tracking.uri, platform.tracking.uri)


def test_a_run_carries_parameters_metrics_plots_hashes_and_commit(trained: Trained) -> None:
    platform, run_id = trained
    run = client(platform).get_run(run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params["data.sample.size"] == "300"
    assert run.data.params["model_type"] == "DecisionTreeClassifier"
    assert run.data.metrics["f1"] > run.data.metrics["baseline_f1"]
    assert len(run.data.tags["data.hash"]) == 64
    assert len(run.data.tags["model.sha256"]) == 64
    assert run.data.tags["git.dirty"] in ("true", "false")
    assert "mlflow.source.git.commit" in run.data.tags
    artifacts = {item.path for item in client(platform).list_artifacts(run_id, "evaluation")}
    assert "evaluation/quality.png" in artifacts


def test_the_logged_model_can_be_loaded_by_mlflow(trained: Trained) -> None:
    import mlflow.sklearn

    platform, run_id = trained
    root = platform.tracking.artifacts / run_id / "artifacts" / "model"
    assert mlflow.sklearn.load_model(str(root)).get_depth() <= 3


def test_raw_data_are_not_copied_into_the_tracking_store(trained: Trained, tmp_path: Path) -> None:
    platform, run_id = trained
    data = pl.read_parquet(platform.run(run_id).folder / "validated" / "data.parquet")
    (tmp_path / "raw").mkdir()
    repeated = data.filter(machine="m00001").head(1)
    pl.concat([data, repeated]).write_parquet(tmp_path / "raw" / "data.parquet")
    run = platform.train(tmp_path / "raw", silent)
    assert b"m00001" in (run.folder / "validated" / "validation-results.json").read_bytes()
    kept = [path for path in platform.tracking.artifacts.rglob("*") if path.is_file()]
    assert any(path.name == "validation-results.json" for path in kept)
    assert not any(b"m00001" in path.read_bytes() for path in kept)


@pytest.mark.parametrize("error", [Refused("no"), KeyboardInterrupt()])
def test_a_broken_run_is_marked_in_mlflow(
    settings: LoadedSettings,
    trained_once: tuple[Any, str],
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
) -> None:
    shutil.copytree(trained_once[0] / ".mlops", settings.project.state_dir)
    platform = LocalPlatform(settings)

    def fail(*_args: object) -> None:
        raise error

    monkeypatch.setattr(fit, "run", fail)
    with pytest.raises(type(error)):
        platform.train(None, silent)
    experiment = client(platform).get_experiment_by_name("tiny")
    assert experiment
    latest = client(platform).search_runs([experiment.experiment_id])[0]
    expected = "KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED"
    assert latest.info.status == expected


def test_refused_data_stop_the_training_and_keep_the_results(
    trained: Trained,
) -> None:
    platform, run_id = trained
    settings = load_settings(
        platform.settings.project, overrides={"data.max_age_days": 0}, variables={}
    )
    old = settings.project.root / "old"
    old.mkdir()
    source = platform.run(run_id).folder / "validated" / "data.parquet"
    pl.read_parquet(source).with_columns(pl.col("day").dt.offset_by("-5d")).write_parquet(
        old / "data.parquet"
    )
    with pytest.raises(Refused, match="the data is not fresh"):
        LocalPlatform(settings).train(old, silent)
    newest = LocalPlatform(settings).runs()[0]
    assert newest.run_id != run_id
    assert [path.name for path in newest.folder.iterdir()] == ["validated"]


def test_an_unknown_run_is_an_error(trained: Trained) -> None:
    platform, _ = trained
    for run_id in ("nothing", "../runs", ""):
        with pytest.raises(ConfigError, match="there is no run"):
            platform.run(run_id)


def test_an_unknown_version_is_refused_and_the_registered_ones_are_named(
    trained: Trained,
) -> None:
    platform, run_id = trained
    with pytest.raises(ConfigError, match="registered: none"):
        platform.version(1)
    run = platform.run(run_id)
    judge_run(platform, run, platform.settings)
    register_run(platform, run, platform.settings)
    with pytest.raises(ConfigError, match=r"has no version 2 \(registered: 1\)"):
        platform.version(2)


def test_the_version_in_mlflow_carries_hashes_and_the_same_number(trained: Trained) -> None:
    platform, run_id = trained
    run = platform.run(run_id)
    judge_run(platform, run, platform.settings)
    version = register_run(platform, run, platform.settings)
    found = client(platform).get_model_version("tiny", str(version.version))
    assert found.run_id == run_id
    assert found.source == f"runs:/{run_id}/model"
    assert len(found.tags["model.sha256"]) == 64
    assert client(platform).get_run(run_id).data.tags["gate.passed"] == "true"


def test_a_folder_of_a_version_that_mlflow_forgot_is_left_alone(trained: Trained) -> None:
    platform, run_id = trained
    run = platform.run(run_id)
    judge_run(platform, run, platform.settings)
    forgotten = platform.settings.project.state_dir / "registry" / "tiny" / "7"
    forgotten.mkdir(parents=True)
    (forgotten / "lineage.json").write_text('{"schema": 1, "run_id": "other"}')
    assert register_run(platform, run, platform.settings).version == 8
    assert [known.version for known in platform.versions()] == [7, 8]
    found = client(platform).search_model_versions("name='tiny'")
    assert [int(version.version) for version in found] == [8]


def test_a_moved_project_trains_on_and_still_reads_its_runs(trained: Trained) -> None:
    platform, run_id = trained
    root = platform.settings.project.root
    moved = root.with_name("moved")
    root.rename(moved)
    there = LocalPlatform(load_settings(find_project(moved), variables={}))
    told: list[Stage | None] = []
    second = there.train(None, lambda _line, stage=None, /: told.append(stage))
    assert [*dict.fromkeys(told)] == [Stage.DATA, Stage.VALIDATE, Stage.TRAIN, Stage.EVALUATE]
    assert not root.exists()
    for one in (run_id, second.run_id):
        location = client(there).get_run(one).info.artifact_uri
        assert location.startswith(there.tracking.artifacts.as_uri())
        assert client(there).list_artifacts(one, "model")
    assert {run.run_id for run in there.runs()} == {run_id, second.run_id}


def test_the_champion_is_the_newest_version_where_nothing_is_in_prod(trained: Trained) -> None:
    platform, run_id = trained
    assert platform.champion(silent) is None
    run = platform.run(run_id)
    judge_run(platform, run, platform.settings)
    assert register_run(platform, run, platform.settings) == platform.champion(silent)


@pytest.mark.parametrize(
    ("shares", "champion"),
    [
        ({"blue": 100, "green": 0}, 1),
        ({"blue": 0, "green": 100}, 2),
        ({"blue": 40, "green": 60}, 3),
        ({"a": 0, "b": 0, "c": 0, "gone": 100}, 3),
        ({}, 3),
    ],
)
def test_the_champion_has_all_traffic_in_prod_else_it_is_the_newest(
    trained: Trained, monkeypatch: pytest.MonkeyPatch, shares: dict[str, int], champion: int
) -> None:
    platform, _ = trained
    root = platform.settings.project.root
    for number in (1, 2, 3):
        (root / ".mlops" / "registry" / "tiny" / str(number)).mkdir(parents=True)
    (root / "conf" / "prod.yaml").write_text("endpoint: {name: the-shop}\n")
    pretended = FakePlatform(root)
    for number, (name, share) in enumerate(shares.items(), start=1):
        pretended.endpoint("the-shop").serve(name, number, share)
    monkeypatch.setattr(platform, "endpoint", pretended.endpoint)
    found = platform.champion(silent)
    assert found is not None
    assert found.version == champion
    assert list(pretended.endpoints) == ["the-shop"]
