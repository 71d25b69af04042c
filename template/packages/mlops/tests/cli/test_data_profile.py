"""`mlops data profile`: what it prints, what it writes, and how it ends."""

import json
import sys
from pathlib import Path

import pytest

from fakes.cli import Command
from fakes.messy_data import mixed_days, null_words
from mlops.settings.project import Project

LINES = [f"m{n},2024-06-1{n % 10},{n / 2}" for n in range(40)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a.csv").write_text("\n".join(["machine,day,reading", *LINES]))
    return folder


@pytest.fixture
def unwritten(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose contract is a stub."""
    monkeypatch.delitem(sys.modules, "unwritten", raising=False)
    monkeypatch.delitem(sys.modules, "unwritten.contract", raising=False)
    package = project.root / "unwritten"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "contract.py").write_text(
        "from mlops.errors import StubNotFilled\n\nKEY = 'x'\n\n\n"
        "def contract():\n    raise StubNotFilled('columns')\n"
    )
    monkeypatch.syspath_prepend(project.root)
    path = project.root / "pyproject.toml"
    path.write_text(path.read_text().replace("fakes.tiny_use_case", "unwritten"))
    return project


def test_it_tells_what_the_contract_lets_it(
    mlops: Command, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mlops("data", "profile", "--data-dir", data, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    told = {column["name"]: (column["least"], column["greatest"]) for column in found["columns"]}
    assert told == {
        "machine": (None, None),
        "day": ("2024-06-10", "2024-06-19"),
        "reading": (0.0, 19.5),
    }
    assert mlops("data", "profile", "--data-dir", data) == 0
    assert "| reading | number | none | each once | 0.0 to 19.5 |" in capsys.readouterr().out


def test_a_pipeline_is_told_no_value(
    mlops: Command,
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MLOPS_DATA__SHOW_VALUES", "false")
    assert mlops("data", "profile", "--data-dir", data) == 0
    assert "19.5" not in capsys.readouterr().out


def test_without_a_contract_it_tells_no_value_and_drafts_one(
    mlops: Command, data: Path, unwritten: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    path = unwritten.root / "draft.py"
    (data / "a.csv").write_text("\n".join(["machine_id,day,reading", *LINES]))
    assert mlops("data", "profile", "--data-dir", data, "--draft", path) == 0
    said = capsys.readouterr()
    assert "hidden: no contract" in said.out
    assert "2024" not in said.out
    assert 'KEY = "machine_id"' in path.read_text()
    assert "read every line" in said.err


def test_a_draft_replaces_a_file_only_if_told_to(
    mlops: Command, data: Path, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project.root / "draft.py"
    path.write_text("precious")
    call = ("data", "profile", "--data-dir", data, "--draft", path)
    assert mlops(*call) == 2
    assert path.read_text() == "precious"
    assert "exists already" in capsys.readouterr().err
    mlops(*call, "--force")
    assert "def contract()" in path.read_text()
    assert mlops("data", "profile", "--data-dir", data, "--force") == 2


def test_a_draft_without_a_key_is_no_success(
    mlops: Command, data: Path, unwritten: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "a.csv").write_text("\n".join(["email,x", *(f"a{n}@b.test,1.5" for n in range(20))]))
    path = unwritten.root / "draft.py"
    assert mlops("data", "profile", "--data-dir", data, "--draft", path) == 4
    assert "no column looks like KEY" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content", "code", "said"),
    [
        ("visits.csv", mixed_days().content, 4, "leave open what is meant"),
        ("machines.csv", null_words().content, 1, "would be refused as they are"),
        ("few.csv", b"a_id,b\nx,1\n", 4, "fewer than 10 rows"),
        ("broken.csv", b"a_id,b\nx,1,2\n", 1, "cannot be read"),
        ("other.xlsx", b"x", 1, "cannot be read"),
    ],
)
def test_what_is_not_clean_has_an_exit_code(
    mlops: Command,
    unwritten: Project,
    capsys: pytest.CaptureFixture[str],
    name: str,
    content: bytes,
    code: int,
    said: str,
) -> None:
    folder = unwritten.root / "raw"
    folder.mkdir()
    (folder / name).write_bytes(content)
    assert mlops("data", "profile", "--data-dir", folder) == code
    assert said in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_wrong_usage(mlops: Command, tmp_path: Path) -> None:
    assert mlops("data", "profile", "--data-dir", tmp_path / "nowhere") == 2
