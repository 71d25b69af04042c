"""What is shown of a long operation, with and without a screen."""

import io

import pytest
from rich.console import Console

from mlops import console
from mlops.progress import Stage


def test_without_a_screen_each_line_is_printed_with_its_stage(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with console.progress("training") as report:
        report("reading [a]", Stage.DATA)
        report("waiting: 3 s")
    assert capsys.readouterr().err == "training: data: reading [a]\ntraining: waiting: 3 s\n"


def test_on_a_screen_the_last_line_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Console(file=io.StringIO(), force_terminal=True, width=80)
    monkeypatch.setattr(console, "console", lambda: screen)
    with console.progress("training") as report:
        report("reading [a]", Stage.DATA)
        screen.print("beside it")
    shown = screen.file.getvalue()  # type: ignore[attr-defined]
    assert "training: data: reading [a]" in shown


@pytest.mark.parametrize("who", ["ann", "root", "nobody in particular"])
def test_no_cell_of_a_table_is_cut(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    row = ("12", "12-01 12:49", "prod", "deletion", "intent", "request 6c70436be18b", who)
    names = ("line", "time", "where", "act", "outcome", "about", "who")
    console.show_table("Log", names, [row], is_result=True)
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    words = {word for cell in row for word in cell.split()}
    assert words <= {*shown.replace("\u2502", " ").split()}
