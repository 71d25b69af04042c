"""A run, and the gate that judges it."""

import json
from pathlib import Path

import pytest

from fakes.cli import Command


def test_train_prints_the_run_id(
    inside: tuple[Command, str], raw: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mlops, first = inside
    assert mlops("train", "--data-dir", raw) == 0
    run_id = capsys.readouterr().out.strip()
    assert run_id.isalnum()
    assert run_id != first
    assert mlops("train", "--data-dir", raw, "--json") == 0
    assert json.loads(capsys.readouterr().out)["evaluation"]["model"]["f1"] > 0.75


def test_the_f1_option_leaves_the_other_thresholds_in_force(
    inside: tuple[Command, str], capsys: pytest.CaptureFixture[str]
) -> None:
    mlops, run_id = inside
    assert mlops("evaluate", "--run-id", run_id, "--threshold-f1", "0.1", "--json") == 0
    checks = json.loads(capsys.readouterr().out)["checks"]
    asked = {check["name"]: check["asked"] for check in checks}
    assert asked["f1"] == "at least 0.1000"
    assert asked["roc_auc"] == "at least 0.7500"
