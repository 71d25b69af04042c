"""The definitions for Azure ML are checked against the command line that they call."""

import json
import shutil
from pathlib import Path

import pytest

from fakes.cli import Command
from fakes.places import PROJECT
from mlops.settings.project import Project


@pytest.fixture
def definitions(project: Project) -> Path:
    """The template's own aml/ in the project."""
    for folder in ("aml", "serving"):
        shutil.copytree(PROJECT / folder, project.root / folder)
    dockerfile = project.root / "aml/environments/training/Dockerfile"
    dockerfile.touch()  # the template's names an answer
    return project.root / "aml"


@pytest.mark.usefixtures("definitions")
def test_right_definitions_pass(mlops: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert mlops("aml", "check") == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert "every definition in aml/ is right" in said.err
    assert mlops("aml", "check", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"problems": []}


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("step fit", "step fut", "there is no command 'fut' (there is: evaluate, fit, prepare, "),
        ("mlops step", "mlops steps", "there is no command 'steps' (there is: ab-test, aml, "),
        ("--prepared", "--prepare-d", "No such option"),
    ],
)
def test_a_command_that_there_is_not_is_refused(
    mlops: Command,
    definitions: Path,
    capsys: pytest.CaptureFixture[str],
    right: str,
    wrong: str,
    message: str,
) -> None:
    path = definitions / "components" / "fit.yml"
    text = path.read_text(encoding="utf-8")
    assert right in text
    path.write_text(text.replace(right, wrong, 1), encoding="utf-8")
    assert mlops("aml", "check") == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "aml/components/fit.yml: command: mlops refuses it: " in said.err
    assert message in said.err
    assert "1 problems in aml/" in said.err
    assert mlops("aml", "check", "--json") == 1
    (problem,) = json.loads(capsys.readouterr().out)["problems"]
    assert (problem["file"], problem["place"]) == ("aml/components/fit.yml", "command")
    assert message in problem["message"]
