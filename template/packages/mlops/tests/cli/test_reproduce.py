"""How the repetition of a training ends, and what it prints."""

import json
from pathlib import Path
from typing import Any

import pytest

from fakes.cli import Command
from fakes.tiny_version import write_version
from mlops.reproduction import command
from mlops.reproduction.agreement import Agreement, Word
from mlops.reproduction.command import Reproduction
from mlops.settings.project import Project

SAME, DIFFERS, NOT = Word.SAME, Word.DIFFERS, Word.NOT_COMPARABLE
LONG = f"{'a' * 16}…"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a repetition is asked for; `words` are what comes of it."""
    told: dict[str, Any] = {"words": [SAME, SAME, SAME]}

    def pretend(
        folder: Path, _settings: object, _report: object, data_dir: object, *, here: bool
    ) -> Reproduction:
        told.update(folder=folder, data_dir=data_dir, here=here)
        names = ("data hash", "metrics", "predictions")
        found = [
            Agreement(name, word, LONG, LONG, "a remark")
            for name, word in zip(names, told["words"], strict=True)
        ]
        around = (
            Agreement("packages", DIFFERS, "p1", "p2"),
            Agreement("operating system", NOT, LONG, LONG),
        )
        return Reproduction(9, "the code of c1", tuple(found), around)

    monkeypatch.setattr(command, "reproduce", pretend)
    return told


@pytest.fixture
def registered(mlops: Command, project: Project) -> Command:
    write_version(project.state_dir / "registry" / "tiny" / "9", 9)
    return mlops


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([SAME, SAME, SAME], 0, ""),
        ([SAME, DIFFERS, NOT], 1, "does not come out again: metrics differs"),
        ([SAME, NOT, NOT], 4, "metrics, predictions"),
    ],
)
def test_the_exit_code_is_the_outcome(
    registered: Command,
    asked: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
    words: list[Word],
    code: int,
    said: str,
) -> None:
    asked["words"] = words
    assert registered("reproduce", "--model-version", 9, "--json") == code
    printed = capsys.readouterr()
    assert said in printed.err
    told = json.loads(printed.out)
    assert [each["word"] for each in told["agreements"]] == [word.value for word in words]
    assert bool(told["possible_causes"]) == (code != 0)


def test_people_see_each_outcome_and_the_possible_causes(
    registered: Command,
    asked: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    asked["words"] = [SAME, DIFFERS, SAME]
    assert registered("reproduce", "--model-version", 9, "--here") == 1
    printed = capsys.readouterr()
    assert max(map(len, printed.out.splitlines())) <= 80
    assert "metrics: differs, a remark" in printed.out
    assert "possible cause: packages: recorded p1, now p2" in printed.err
    assert asked["here"] is True


def test_a_folder_of_a_version_will_do(
    registered: Command, asked: dict[str, Any], project: Project, tmp_path: Path
) -> None:
    place = project.state_dir / "registry" / "tiny" / "9"
    assert registered("reproduce", "--version-folder", place, "--data-dir", tmp_path) == 0
    assert (asked["folder"], asked["data_dir"]) == (place, tmp_path)
    assert asked["here"] is False


@pytest.mark.parametrize(
    "options", [(), ("--model-version", 9, "--version-folder", "."), ("--model-version", 8)]
)
def test_one_version_has_to_be_named(
    registered: Command, asked: dict[str, Any], options: tuple[object, ...]
) -> None:
    assert registered("reproduce", *options) == 2
    assert "folder" not in asked
