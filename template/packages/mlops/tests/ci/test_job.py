"""What commands hand to the CI."""

from pathlib import Path

import pytest

from mlops.ci.job import run_comment, set_output, summarise
from mlops.console import show_table
from mlops.files import write_json


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    return path


def test_a_table_that_is_shown_is_on_the_jobs_page_too(page: Path) -> None:
    show_table("The gate's verdict", ("check", "found"), [("f1", 0.8), ("roc_auc", 0.9)])
    assert page.read_text(encoding="utf-8").splitlines() == [
        "### The gate's verdict",
        "",
        "| check | found |",
        "| --- | --- |",
        "| f1 | 0.8 |",
        "| roc\\_auc | 0.9 |",
        "",
    ]


def test_a_value_cannot_break_the_table(page: Path) -> None:
    summarise("Rows", ("value",), [("a|b\n<b>`x`\\",)])
    assert "| a\\|b \\<b>\\`x\\`\\\\ |" in page.read_text(encoding="utf-8").splitlines()


def test_without_rows_the_heading_stands_alone(page: Path) -> None:
    summarise("Data: 10 rows, passed", ("what was found",), [])
    assert page.read_text(encoding="utf-8").strip() == "### Data: 10 rows, passed"


def test_what_follows_is_added(page: Path) -> None:
    summarise("One", (), [])
    summarise("Two", (), [])
    assert page.read_text(encoding="utf-8").split() == ["###", "One", "###", "Two"]


def test_an_output_is_one_line_for_later_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "output"
    monkeypatch.setenv("GITHUB_OUTPUT", str(path))
    set_output("run_id", "abc")
    set_output("passed", "true")
    assert path.read_text(encoding="utf-8") == "run_id=abc\npassed=true\n"


def test_outside_of_a_pipeline_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    summarise("One", (), [])
    set_output("run_id", "abc")
    assert list(tmp_path.iterdir()) == []


def write_run(folder: Path, verdict: bool | None) -> Path:
    evaluation = {
        "schema": 1,
        "rows": 1200,
        "model": {"f1": 0.81234, "brier": None},
        "baseline": {"f1": 0.7, "brier": 0.2},
    }
    write_json(folder / "evaluation" / "evaluation.json", evaluation)
    if verdict is not None:
        check = {"name": "f1", "found": "0.8123", "asked": "at least 0.75", "passed": verdict}
        write_json(folder / "verdict.json", {"schema": 1, "passed": verdict, "checks": [check]})
    return folder


def test_the_comment_shows_metrics_and_verdict(tmp_path: Path) -> None:
    text = run_comment(write_run(tmp_path, verdict=False), 0.05)
    assert "### Metrics on the holdout (1,200 rows)" in text
    assert "| f1 | 0.8123 | 0.7000 |" in text
    assert "| brier | not computed | 0.2000 |" in text
    assert "### The gate refuses it" in text
    assert "| f1 | 0.8123 | at least 0.75 | FAILED |" in text
    assert text.endswith("From a training on 5 % of the data.\n")
    assert "lets it pass" in run_comment(write_run(tmp_path, verdict=True), 1.0)


def test_a_run_that_was_not_judged_has_a_comment_too(tmp_path: Path) -> None:
    text = run_comment(write_run(tmp_path, verdict=None), 1.0)
    assert "The gate" not in text
    assert "% of the data" not in text
