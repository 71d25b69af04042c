"""Raw data: made, checked, registered."""

import json
from pathlib import Path

import polars as pl
import pytest

from fakes.cli import Command
from mlops.settings.project import Project


def test_make_writes_data_that_validate_accepts(mlops: Command, project: Project) -> None:
    assert mlops("data", "make", "--size", "60", "--output", "data") == 0
    rows = pl.read_parquet(project.root / "data" / "sample.parquet")
    assert rows["machine"].n_unique() == 60
    assert mlops("data", "validate", "--data-dir", "data", "--output", "found.json") == 0
    assert json.loads((project.root / "found.json").read_text())["passed"] is True


def test_make_does_not_touch_a_folder_with_other_files(mlops: Command, project: Project) -> None:
    folder = project.root / "data"
    folder.mkdir()
    (folder / "mine.csv").write_text("precious")
    assert mlops("data", "make", "--output", folder) == 2
    assert (folder / "mine.csv").read_text() == "precious"


def test_validate_refuses_bad_data_with_all_results_in_the_file(
    mlops: Command, raw: Path, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = pl.read_parquet(raw / "data.parquet").with_columns(reading=-1.0)
    frame.write_parquet(raw / "data.parquet")
    assert mlops("data", "validate", "--data-dir", raw) == 1
    said = capsys.readouterr().err
    assert "data.parquet: column reading: must be at least 0: row 1 (-1.0)" in said
    found = json.loads((project.root / "validation-results.json").read_text())
    assert found["failures"][0]["count"] == frame.height


@pytest.mark.parametrize(
    "command", [("data", "validate"), ("step", "validate", "--output", "v"), ("train",)]
)
def test_a_pipeline_shows_no_value_of_the_data(
    mlops: Command,
    raw: Path,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: tuple[str, ...],
) -> None:
    page = project.root / "page.md"
    page.touch()
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    monkeypatch.setenv("MLOPS_DATA__SHOW_VALUES", "false")
    frame = pl.read_parquet(raw / "data.parquet").with_columns(reading=-123.25)
    frame.write_parquet(raw / "data.parquet")
    assert mlops(*command, "--data-dir", raw) == 1
    said = capsys.readouterr()
    counted = f"greater_than_or_equal_to(0) ({frame.height:,})"
    assert f"data.parquet: column reading: {counted}" in said.err
    results = [path.read_text() for path in project.root.rglob("validation-results.json")]
    assert len(results) == 1
    for text in (said.out, said.err, page.read_text(), *results):
        assert "123.25" not in text


def test_on_this_machine_there_are_no_data_to_register(
    mlops: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    register = ("data", "register", "--data-dir", tmp_path, "--name")
    assert mlops(*register, "transactions") == 0
    assert "nothing to register" in capsys.readouterr().err
    assert mlops(*register, "a/b") == 2
    assert "--name" in capsys.readouterr().err


def test_on_this_machine_there_are_no_datastores(
    mlops: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    path = "azureml://datastores/lake/paths/transactions"
    assert mlops("data", "register", "--path", path, "--name", "transactions") == 2
    assert "which has no datastores; set MLOPS_PLATFORM=azure" in capsys.readouterr().err


@pytest.mark.parametrize("given", [(), ("--path", "azureml://…", "--data-dir", ".")])
def test_data_to_register_are_named_in_one_way(
    mlops: Command, capsys: pytest.CaptureFixture[str], given: tuple[str, ...]
) -> None:
    assert mlops("data", "register", "--name", "transactions", *given) == 2
    assert "either --data-dir or --path" in capsys.readouterr().err
