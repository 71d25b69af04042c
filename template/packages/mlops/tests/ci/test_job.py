"""What commands hand to the CI."""

from pathlib import Path

import pytest

from mlops.ci.job import set_output, summarise
from mlops.console import show_table


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
