"""What `mlops tune` prints, and what it leaves alone."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from fakes.cli import Command
from fakes.tunable import Params, make_tunable
from mlops.settings.project import Project


def files_of(root: Path) -> dict[str, bytes]:
    found = (path for path in root.rglob("*") if path.is_file() and ".mlops" not in path.parts)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in found}


def test_tune_prints_what_to_put_into_conf_and_edits_nothing(
    project: Project,
    mlops: Command,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_tunable(monkeypatch)
    monkeypatch.setenv("COLUMNS", "80")
    before = files_of(project.root)
    assert mlops("tune", "--trials", "4", "--folds", "2") == 0
    out, err = capsys.readouterr()
    params = yaml.safe_load(out)["params"]
    assert Params.model_validate(params).depth > 1
    assert "put this into conf/base.yaml, then `uv run mlops train`" in err
    assert "trial 4 of 4: f1 0." in err
    assert "checking the contract of sample size 300, seed 1, drift 0" in err
    table = [line for line in err.splitlines() if line[:1] in "┏┃┡│└"]
    assert max(map(len, table)) <= 80
    assert files_of(project.root) == before
    folder = project.state_dir / "tuning"
    assert [path.suffix for path in folder.iterdir()] == [".json"]

    assert mlops("tune", "--trials", "4", "--folds", "2", "--json") == 0
    told = capsys.readouterr()
    content = json.loads(told.out)
    assert "4 of 4 trials were kept from before" in told.err
    assert content["improves"] is True
    best = max(content["trials"], key=lambda each: each["value"])
    assert best["params"] == params


def test_the_holdout_is_gone_before_anything_is_tried(
    project: Project, mlops: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []

    def space(trial: Any) -> dict[str, Any]:
        folder = project.state_dir / "tuning"
        seen.append(sorted(path.name for path in folder.rglob("*.parquet")))
        return {"depth": trial.suggest_int("depth", 1, 6)}

    make_tunable(monkeypatch, space)
    assert mlops("tune", "--trials", "1", "--folds", "2") == 0
    assert seen == [["data.parquet", "train.parquet"]]


def test_parameters_that_are_not_beaten_are_kept(
    mlops: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_tunable(monkeypatch, lambda trial: {"depth": trial.suggest_int("depth", 1, 1)})
    assert mlops("tune", "--trials", "1", "--folds", "2") == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "no trial is better than what conf names" in err


def test_without_a_search_space_there_is_an_example(
    mlops: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mlops("tune") == 2
    said = capsys.readouterr().err
    assert "model.py has no search_space" in said
    assert re.search(r"def search_space\(trial\):\n    return \{.*trial\.suggest_float\(", said)


@pytest.mark.parametrize("arguments", [["--trials", "0"], ["--folds", "1"], ["--sampler", "grid"]])
def test_options_out_of_range_are_refused(mlops: Command, arguments: list[str]) -> None:
    assert mlops("tune", *arguments) == 2


def test_bad_data_are_refused(
    mlops: Command,
    raw: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import polars as pl

    make_tunable(monkeypatch)
    path = raw / "data.parquet"
    pl.read_parquet(path).with_columns(reading=pl.lit(-1.0)).write_parquet(path)
    assert mlops("tune", "--data-dir", raw) == 1
    assert "`uv run mlops data validate` tells why" in capsys.readouterr().err
