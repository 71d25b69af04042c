"""`mlops compliance pack`: all that is recorded of a version, and what is missing of it."""

import csv
import io
import json
import shutil
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fakes.cli import Command
from fakes.human_part import write
from mlops.artifacts.documents import APPROVALS, EVIDENCE
from mlops.errors import ConfigError
from mlops.ops import pack
from mlops.platforms.local.platform import LocalPlatform
from mlops.settings.project import Project

MOMENT = datetime(2026, 11, 3, 10, tzinfo=UTC)
APPROVED = {
    "environment": "dev",
    "model_version": None,
    "asked_at": (MOMENT - timedelta(hours=1)).isoformat(),
    "outcome": "approved",
    "approved_by": ["ann", "bob"],
    "required": 2,
    "reason": "",
}
RELEASED = {
    "candidate": "green",
    "versions": {"green": 1},
    "model_version": 1,
    "outcome": "promoted",
    "ended_at": MOMENT.isoformat(),
    "smoke_test": {"passed": True},
    "reason": "",
}
RESULT = '<testsuite><testcase classname="tests.a" name="test_one"/></testsuite>'
ASKED = "approvals:\n  required: 2\n"


@pytest.fixture
def registered(
    inside: tuple[Command, str],
    trained: tuple[LocalPlatform, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> tuple[Command, Path]:
    """Commands inside a project of which all is recorded of its one version, and its root."""
    monkeypatch.setattr(pack, "bom_of_version", lambda *_arguments: '{"bomFormat": "CycloneDX"}\n')
    mlops, run_id = inside
    root = trained[0].settings.project.root
    write(root, review_date="2999-01-01")
    (root / "docs").mkdir(exist_ok=True)
    (root / "docs" / "obligations.md").write_text("# Obligations\n")
    training = next((root / ".mlops").rglob("model/training.json"))
    content = json.loads(training.read_text())
    content["git"] = {"commit": "ab" * 20, "dirty": False, "branch": "main"}
    training.write_text(json.dumps(content))
    assert mlops("evaluate", "--run-id", run_id) == 0
    assert mlops("register", "--run-id", run_id) == 0
    (root / "conf" / "dev.yaml").write_text(ASKED)
    (root / "conf" / "prod.yaml").unlink(missing_ok=True)
    releases = root / ".mlops" / "releases"
    APPROVALS.write(releases, APPROVED)
    release = releases / "tiny-dev" / "20261103T100000.000000Z"
    EVIDENCE.write(release, RELEASED)
    (release / "candidate.log").write_text("a request: zq7-marker\n")
    assert mlops("evidence", "keep", "--model-version", 1, "--release", "dev") == 0
    (root / ".mlops" / "tests").mkdir()
    for name in ("project", "machinery"):
        (root / ".mlops" / "tests" / f"{name}.xml").write_text(RESULT)
    capsys.readouterr()
    return mlops, root


def packed(root: Path, output: str = ".mlops/compliance/tiny-1.zip") -> dict[str, bytes]:
    """The files of the zip."""
    with zipfile.ZipFile(root / output) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def said(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_version_of_which_all_is_recorded(
    registered: tuple[Command, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    mlops, root = registered
    assert mlops("compliance", "pack", "--model-version", 1, "--json") == 0
    told, files = said(capsys), packed(root)
    assert told["missing"] == []
    assert {each["path"] for each in told["files"]} | {"INDEX.md", "index.html"} == {*files}
    evidence = [name for name in files if name.startswith("evidence/")]
    assert {Path(name).name for name in evidence} == {
        "approvals.json",
        "evidence.json",
        "evidence-manifest.json",
    }
    assert {*files} - {*evidence} == {
        *("INDEX.md", "index.html", "bom.json", "gate.json", "obligations.md"),
        *("version/MODEL_CARD.md", "version/MODEL_CARD.html", "version/card.json"),
        *("version/lineage.json", "version/signature.json", "version/model.sig"),
        *("version/plots/quality.png", "version/plots/importance.png", "version/untampered.json"),
        *("lineage/now.json", "evaluation/evaluation.json", "evaluation/verdict.json"),
        *("audit/verify.json", "audit/acts.csv", "tests/project.xml", "tests/machinery.xml"),
        *("compliance/model_card.yaml", "settings/dev.json"),
    }
    index, page = (files[name].decode() for name in ("INDEX.md", "index.html"))
    for each in told["files"]:
        assert f"<td>{each['path']}</td>" in page
        assert each["sha256"] in page
        assert each["sha256"] in index
    version = root / ".mlops" / "registry" / "tiny" / "1"
    assert files["version/card.json"] == (version / "card.json").read_bytes()
    later = json.loads(files["lineage/now.json"])["later"]
    assert {"approval", "release"} <= {each["what"] for each in later}
    acts = [*csv.DictReader(io.StringIO(files["audit/acts.csv"].decode()))]
    assert {json.loads(each["subject"]).get("version") for each in acts} == {1, None}
    assert {each["act"] for each in acts} >= {"gate", "register"}
    assert json.loads(files["audit/verify.json"])["whole"]
    assert json.loads(files["settings/dev.json"])["settings"]["approvals.required"] == {
        "value": 2,
        "source": "conf/dev.yaml",
    }
    assert "the same as in the version's card" in index
    check_that_no_rows_go_in(files, told)
    check_that_the_same_has_the_same_bytes(mlops, root)
    capsys.readouterr()
    check_that_results_that_are_named_count(mlops, root)
    assert capsys.readouterr().out.startswith(f"{root / '.mlops/compliance/tiny-1.zip'}\n")


def check_that_no_rows_go_in(files: dict[str, bytes], told: dict[str, Any]) -> None:
    assert not [name for name in files if name.endswith((".parquet", ".onnx", ".skops", ".log"))]
    left_out = {each["what"].rpartition("/")[2] for each in told["left_out"]}
    assert {"probes.json", "baseline.parquet", "model.onnx", "candidate.log"} <= left_out
    assert b"zq7-marker" not in b"".join(files.values())


def check_that_the_same_has_the_same_bytes(mlops: Command, root: Path) -> None:
    assert mlops("compliance", "pack", "--model-version", 1, "--output", "other.zip") == 0
    first = (root / ".mlops" / "compliance" / "tiny-1.zip").read_bytes()
    assert (root / "other.zip").read_bytes() == first


def check_that_results_that_are_named_count(mlops: Command, root: Path) -> None:
    for name in ("a.xml", "b.xml"):
        (root / name).write_text(RESULT.replace("/></", "><failure>zq7</failure></testcase></"))
    results = ("--results", "a.xml", "--results", "b.xml")
    assert mlops("compliance", "pack", "--model-version", 1, *results) == 0
    files = packed(root)
    assert {name for name in files if name.startswith("tests/")} == {"tests/a.xml", "tests/b.xml"}
    assert "1 failed" in files["INDEX.md"].decode()
    assert b"zq7" not in files["tests/a.xml"]
    assert mlops("compliance", "pack", "--model-version", 1, "--results", "c.xml") == 2


def test_each_thing_that_is_missing_is_named(
    registered: tuple[Command, Path],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mlops, root = registered

    def no_packages(*_arguments: object) -> str:
        raise ConfigError("the packages of the group compliance are not installed")

    monkeypatch.setattr(pack, "bom_of_version", no_packages)
    state = root / ".mlops"
    shutil.rmtree(state / "evidence")
    shutil.rmtree(state / "releases")
    (root / "docs" / "obligations.md").unlink()
    (state / "tests" / "project.xml").unlink()
    (state / "tests" / "machinery.xml").write_text("<testsuite/>")
    write(root, users="TODO", review_date="2020-01-01")
    (state / "registry" / "tiny" / "1" / "plots" / "quality.png").write_bytes(b"another")
    (state / "registry" / "tiny" / "1" / "MODEL_CARD.html").unlink()
    log = next((state / "audit").glob("*.jsonl"))
    log.write_text("".join(log.read_text().splitlines(keepends=True)[:-1]))
    (root / "conf" / "prod.yaml").write_text(ASKED)
    assert mlops("compliance", "pack", "--model-version", 1, "--json") == 4
    missing = [(each["what"], each["why"]) for each in said(capsys)["missing"]]
    expected = {
        "the files as they were registered": "quality.png",
        "version/MODEL_CARD.html": "does not hold it",
        "release evidence": "none is kept",
        "a whole audit log": "removed",
        "bom.json": "are not installed",
        "tests/project.xml": "no run is recorded",
        "tests/machinery.xml": "no test",
        "docs/obligations.md": "could not be read",
    }
    for what, why in expected.items():
        assert [each for each in missing if each[0] == what and why in each[1]], (what, missing)
    asked = "".join(why for what, why in missing if what.startswith("asked for by dev, prod"))
    assert "users still says TODO" in asked
    assert "review_date is overdue" in asked
    assert [why for what, why in missing if what == "asked for by prod" and "approval" in why]
    files = packed(root)
    index = files["INDEX.md"].decode()
    assert str(root) not in index
    assert "users still says TODO" in index
    assert "none is kept" in index
    assert "as it is now: changed since registration" in index
    assert "| bom.json | the packages" in index


def test_a_version_that_is_not_there(mlops: Command, project: Project) -> None:
    assert mlops("compliance", "pack", "--model-version", 7) == 2
    assert not (project.state_dir / "compliance").exists()
