"""What the workflows ask about packages/."""

import json

import pytest

from fakes.candidates import committed
from fakes.cli import Command
from mlops.ops.template_files import LIST, digest, list_of
from mlops.settings.project import Project


def test_the_exit_code_says_how_packages_are(
    mlops: Command, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mlops("ci", "machinery") == 0
    assert "nothing to compare" in capsys.readouterr().err
    source = project.root / "packages" / "a.py"
    source.parent.mkdir()
    source.write_text("a = 1\n")
    committed(project.root)
    assert mlops("ci", "machinery") == 4

    (project.root / LIST).write_text(list_of({"a.py": digest(b"a = 1\n")}))
    assert mlops("ci", "machinery") == 0
    assert "1 files as the template brought them" in capsys.readouterr().err

    source.write_text("a = 2\n")
    assert mlops("ci", "machinery") == 1
    said = capsys.readouterr()
    assert "packages/a.py" in said.out
    assert "[tool.mlops.patched]" in said.err
    assert mlops("ci", "machinery", "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["changed"], found["undeclared"]) == (["packages/a.py"], ["packages/a.py"])
