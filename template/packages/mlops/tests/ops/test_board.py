"""The board of `mlops run`: which stage a line belongs to, and which one has failed."""

import io

import pytest
from rich.console import Console

from mlops.errors import ConfigError
from mlops.ops.board import Board
from mlops.progress import Stage

TRAINING = (Stage.DATA, Stage.VALIDATE, Stage.TRAIN)


def drawn(board: Board) -> list[list[str]]:
    """Return the words of each line that the board shows."""
    screen = io.StringIO()
    Console(width=60, file=screen).print(board)
    return [line.split() for line in screen.getvalue().splitlines() if line.strip()]


def test_lines_begin_the_stages_they_name_and_a_failure_stays_with_its_own() -> None:
    board = Board((*TRAINING, Stage.GATE))

    def fail() -> None:
        with board.stages(TRAINING) as report:
            report("reading", Stage.DATA)
            report("checking", Stage.VALIDATE)
            report("3 rows: all good")
            raise ConfigError("no")

    with pytest.raises(ConfigError):
        fail()
    shown = drawn(board)
    assert [line[:2] for line in shown[:2]] == [["✓", "data"], ["✗", "validate"]]
    assert "reading" not in shown[0]
    assert shown[1][-4:] == ["3", "rows:", "all", "good"]
    assert shown[2:] == [["train"], ["gate"]]
    assert board.seconds.keys() == {"data", "validate"}


def test_a_line_that_reads_like_a_stage_begins_none(capsys: pytest.CaptureFixture[str]) -> None:
    board = Board(TRAINING)
    with board.stages(TRAINING) as report:
        report("train: a table of this name was found", Stage.DATA)
    assert drawn(board)[1:] == [["validate"], ["train"]]
    assert board.seconds.keys() == {"data"}
    assert capsys.readouterr().err == "data: train: a table of this name was found\n"


def test_beside_a_stage_that_is_done_stands_its_result(capsys: pytest.CaptureFixture[str]) -> None:
    board = Board(TRAINING)
    with board.stages(TRAINING) as report:
        report("reading", Stage.DATA)
        report("checking", Stage.VALIDATE)
    board.result(Stage.VALIDATE, "3 rows passed")
    shown = drawn(board)
    assert "reading" not in shown[0]
    assert shown[1][-3:] == ["3", "rows", "passed"]
    assert capsys.readouterr().err.endswith("validate: checking\nvalidate: 3 rows passed\n")
