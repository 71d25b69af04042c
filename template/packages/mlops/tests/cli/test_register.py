"""From a run that passed to a version that all environments have."""

import json
from pathlib import Path

import pytest

from fakes.cli import Command, Outputs
from fakes.tiny_version import REAL, write_version
from mlops.artifacts.data_source import UNKNOWN, DataSource
from mlops.artifacts.run_folder import RunFolder
from mlops.platforms.base import ModelVersion
from mlops.platforms.local.platform import LocalPlatform


def test_gate_then_registration(
    inside: tuple[Command, str], capsys: pytest.CaptureFixture[str]
) -> None:
    mlops, run_id = inside
    assert mlops("register", "--run-id", run_id) == 1
    assert f"mlops evaluate --run-id {run_id}" in capsys.readouterr().err
    assert mlops("evaluate", "--run-id", run_id, "--threshold-f1", "1") == 1
    assert "the gate refuses run" in capsys.readouterr().err
    assert mlops("register", "--run-id", run_id) == 1
    assert mlops("evaluate", "--run-id", run_id) == 0
    capsys.readouterr()
    assert mlops("register", "--run-id", run_id) == 0
    assert capsys.readouterr().out == "1\n"


def test_a_registered_run_keeps_its_verdict(
    inside: tuple[Command, str],
    trained: tuple[LocalPlatform, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    mlops, run_id = inside
    assert mlops("evaluate", "--run-id", run_id) == 0
    assert mlops("register", "--run-id", run_id) == 0
    before = RunFolder(trained[0].run(run_id).folder).verdict()
    assert mlops("evaluate", "--run-id", run_id, "--threshold-f1", "1") == 1
    assert "the run is version 1 already and keeps the verdict" in capsys.readouterr().err
    assert RunFolder(trained[0].run(run_id).folder).verdict() == before
    assert mlops("register", "--run-id", run_id) == 0


def test_package_then_register_names_both_versions(
    inside: tuple[Command, str], outputs: Outputs, capsys: pytest.CaptureFixture[str]
) -> None:
    mlops, run_id = inside
    assert mlops("package", "--run-id", run_id) == 1
    assert mlops("evaluate", "--run-id", run_id) == 0
    capsys.readouterr()
    assert mlops("package", "--run-id", run_id) == 0
    assert Path(capsys.readouterr().out.strip()).name == "package"
    assert mlops("register", "--run-id", run_id) == 0
    assert outputs()["model_version"] == "1"
    assert outputs()["previous_version"] == ""


def test_on_this_machine_there_is_nothing_to_share(
    mlops: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    version = ModelVersion("tiny", 1, write_version(tmp_path / "version"))
    monkeypatch.setattr(LocalPlatform, "version", lambda _self, _number: version)
    assert mlops("share", "--model-version", "1") == 0
    assert "nothing to share" in capsys.readouterr().err
    assert mlops("share", "--model-version", "1", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"model_version": 1, "id": None}


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (REAL.of_share(0.1), "version 1 is made of 10 % of the data and is not shared"),
        (REAL.of_share(0.999), "version 1 is made of 99.9 % of the data and is not shared"),
        (UNKNOWN, "version 1 is made of an unknown share of the data and is not shared"),
    ],
)
def test_a_version_of_a_share_of_the_data_is_never_shared(
    mlops: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    source: DataSource,
    said: str,
) -> None:
    version = ModelVersion("tiny", 1, write_version(tmp_path / "version", source=source))
    monkeypatch.setattr(LocalPlatform, "version", lambda _self, _number: version)
    monkeypatch.setattr(LocalPlatform, "share", lambda *_arguments: pytest.fail("it was shared"))
    assert mlops("share", "--model-version", "1") == 1
    error = " ".join(capsys.readouterr().err.split())
    assert said in error
    assert "MLOPS_DATA__FRACTION=1.0" in error


def test_a_version_that_is_not_there_cannot_be_shared(
    mlops: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mlops("share", "--model-version", "7") == 2
    assert "has no version 7" in capsys.readouterr().err
