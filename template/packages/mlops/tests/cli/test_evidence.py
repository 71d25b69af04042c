"""Evidence that is kept beside a version, and read back."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fakes.cli import Command
from fakes.records import RECORD
from fakes.tiny_version import write_version
from mlops.release.evidence import write_evidence
from mlops.settings.project import Project

MORNING = datetime(2026, 11, 3, 10, 11, 12, tzinfo=UTC)
NAME = "prod-20261103T101112.000000Z"


@pytest.fixture
def released(mlops: Command, project: Project) -> Command:
    """A project whose version 10 was released to prod."""
    (project.root / "conf" / "prod.yaml").write_text("")
    for number in (9, 10):
        write_version(project.state_dir / "registry" / "tiny" / str(number), number)
    write_evidence(project.state_dir, RECORD, MORNING)
    return mlops


def test_evidence_is_kept_listed_and_downloaded(
    released: Command,
    project: Project,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    place = str(project.state_dir / "evidence" / "tiny" / "10" / NAME)
    assert released("evidence", "keep", "--model-version", 10, "--release", "prod") == 0
    said = capsys.readouterr()
    assert said.out == f"{place}\n"
    assert "evidence.png" in said.err
    page = summary.read_text("utf-8")
    assert f"| kept as | {NAME} |" in page
    assert "| outcomes | promoted |" in page
    assert released("evidence", "list", "--model-version", 10, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "model_version": 10,
        "evidence": [{"name": NAME, "place": place}],
    }
    out = tmp_path / "out"
    assert released("evidence", "list", "--model-version", 10, "--download", out) == 0
    assert NAME in capsys.readouterr().err
    assert list(out.glob(f"{NAME}/tiny-prod/*/evidence.json"))


def test_where_there_is_none_it_is_said_with_an_exit_code_of_its_own(
    released: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep = ("evidence", "keep", "--release", "prod", "--model-version")
    assert released(*keep, 9) == 4
    assert "no evidence of a release of version 9 to prod" in capsys.readouterr().err
    assert released(*keep, 10, "--folder", tmp_path / "missing") == 4
    capsys.readouterr()
    assert released("evidence", "list", "--model-version", 10, "--json") == 4
    said = capsys.readouterr()
    assert json.loads(said.out)["evidence"] == []
    assert "no evidence of a release of version 10 is kept" in said.err


def test_the_folder_can_be_another_one(
    released: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_evidence(tmp_path, replace(RECORD, model_version=9, outcome="hold"), MORNING)
    options = ("--release", "prod", "--folder", tmp_path / "releases", "--json")
    assert released("evidence", "keep", "--model-version", 9, *options) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["name"], said["outcomes"]) == (NAME, ["hold"])


def test_other_evidence_by_the_same_name_is_refused(
    released: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep = ("evidence", "keep", "--release", "prod", "--model-version", 10)
    assert released(*keep) == 0
    write_evidence(tmp_path, replace(RECORD, reason="another one"), MORNING)
    assert released(*keep, "--folder", tmp_path / "releases") == 1
    assert "is not replaced" in capsys.readouterr().err


def test_an_unknown_environment_or_version_is_said(
    released: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert released("evidence", "keep", "--release", "../prod", "--model-version", 10) == 2
    assert "../prod" in capsys.readouterr().err
    assert released("evidence", "list", "--model-version", 7) == 2
    assert "no version 7" in capsys.readouterr().err
