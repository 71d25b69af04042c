"""`mlops compliance bom`: the bill of materials of a registered version and of what serves it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fakes.cli import Command
from mlops.errors import ConfigError, PlatformError
from mlops.files import file_hashes
from mlops.governance.bom_check import problems, schema_problem
from mlops.ops import bom
from mlops.settings.project import Project

HUMAN = """\
intended_use: Try this out.
users: [whoever reads this]
"""


@pytest.fixture
def serving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment with one package, in the place of the one that serves."""
    place = tmp_path / "serving"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    python = next(each for each in place.glob("*/python*") if each.is_file())
    packages = next(place.glob("**/site-packages"))
    metadata = packages / "thing-1.0.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text(
        "Metadata-Version: 2.4\nName: thing\nVersion: 1.0\nLicense-Expression: MIT\n"
    )
    monkeypatch.setattr(bom, "serving_python", lambda *_arguments: python)
    return python


def _register(inside: tuple[Command, str], root: Path) -> Command:
    mlops, run_id = inside
    (root / "serving").mkdir(exist_ok=True)
    (root / "serving" / "requirements.txt").write_text("thing==1.0\n")
    assert mlops("evaluate", "--run-id", run_id) == 0
    assert mlops("register", "--run-id", run_id) == 0
    return mlops


@pytest.mark.usefixtures("serving")
def test_the_bill_of_a_version(
    inside: tuple[Command, str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    root = Path.cwd()
    mlops = _register(inside, root)
    (root / "compliance").mkdir()
    (root / "compliance" / "model_card.yaml").write_text(HUMAN)
    capsys.readouterr()
    assert mlops("compliance", "bom", "--model-version", 1) == 0
    text = capsys.readouterr().out
    content = json.loads(text)
    assert (schema_problem(text), problems(content)) == ("", [])
    names = {each["name"] for each in content["components"] if each["type"] == "library"}
    assert names == {"thing"}
    considerations = content["components"][0]["modelCard"]["considerations"]
    assert considerations == {"users": ["whoever reads this"], "useCases": ["Try this out."]}
    assert str(root) not in text

    target = tmp_path / "bom.json"
    assert mlops("compliance", "bom", "--model-version", 1, "--output", target) == 0
    assert capsys.readouterr().out == f"{target}\n"
    assert target.read_text(encoding="utf-8") == text

    (root / ".mlops/registry/tiny/1/MODEL_CARD.md").write_text("a better one")
    assert mlops("compliance", "bom", "--model-version", 1) == 1
    assert "MODEL_CARD.md was changed" in capsys.readouterr().err
    assert mlops("compliance", "bom", "--model-version", 7) == 2


@pytest.mark.usefixtures("serving")
def test_the_list_of_a_version_is_what_sha256sum_reads(
    inside: tuple[Command, str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    mlops = _register(inside, Path.cwd())
    target = tmp_path / "version.sha256"
    asked = ("compliance", "checksums", "--model-version", 1, "--output", target)
    assert mlops(*asked) == 0
    lines = target.read_text(encoding="utf-8").splitlines()
    folder = Path.cwd() / ".mlops/registry/tiny/1"
    listed = dict(line.split("  ", 1)[::-1] for line in lines)
    assert listed == file_hashes(folder)
    assert {"model.onnx", "model.sig"} <= listed.keys()
    (folder / "MODEL_CARD.md").write_text("a better one")
    target.unlink()
    assert mlops(*asked) == 1
    assert "MODEL_CARD.md was changed" in capsys.readouterr().err
    assert not target.exists()


def test_an_environment_that_cannot_be_read_is_no_empty_one(tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match="cannot read the serving environment"):
        bom.packages_of(tmp_path / "no python", tmp_path)


def test_what_people_wrote_must_be_readable(tmp_path: Path) -> None:
    path = tmp_path / "model_card.yaml"
    assert bom.human_part(path) == {}
    for content in ("- a list", "a: [", "just text"):
        path.write_text(content)
        with pytest.raises(ConfigError, match=r"model_card\.yaml"):
            bom.human_part(path)


def test_without_its_packages_it_says_what_to_install(
    mlops: Command,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    project: Project,
) -> None:
    monkeypatch.setattr(bom, "find_spec", lambda _name: None)
    assert mlops("compliance", "bom", "--model-version", 1) == 2
    assert "uv sync --group compliance" in capsys.readouterr().err
    assert not (project.state_dir / "serving-env").exists()
