"""`mlops card` and `mlops gate`: what people ask of a version."""

import json
import re
from pathlib import Path

import pytest

from fakes.cli import Command
from fakes.human_part import write
from mlops.artifacts.documents import APPROVALS, EVIDENCE
from mlops.governance.audit.actor import actor_of
from mlops.platforms.local.platform import LocalPlatform

Trained = tuple[LocalPlatform, str]


@pytest.fixture
def registered(
    inside: tuple[Command, str], trained: Trained, capsys: pytest.CaptureFixture[str]
) -> tuple[Command, Path]:
    """Commands inside a project with a registered version, and its root."""
    mlops, run_id = inside
    root = trained[0].settings.project.root
    write(root, users="TODO", review_date="2999-01-01")
    (root / "conf" / "prod.yaml").write_text("approvals:\n  required: 2\n")
    assert mlops("evaluate", "--run-id", run_id) == 0
    assert mlops("register", "--run-id", run_id) == 0
    capsys.readouterr()
    return mlops, root


def test_gate_explains_every_environment_and_refuses_none(
    registered: tuple[Command, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    mlops, _ = registered
    assert mlops("gate", "--explain", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["subject"] == "version 1"
    asked = {
        name: {each["requirement"] for each in said} for name, said in found["refuses"].items()
    }
    assert set(asked) == {"dev", "prod"}
    assert "human" in asked["dev"] & asked["prod"]
    assert asked["prod"] - asked["dev"] >= {"approval"}
    said = {each["said"] for each in found["refuses"]["dev"]}
    assert "compliance/model_card.yaml: users still says TODO" in said


def test_gate_of_one_environment_refuses_with_1(
    registered: tuple[Command, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    mlops, _ = registered
    assert mlops("gate", "--model-version", "1", "--environment", "prod") == 1
    told = capsys.readouterr().err
    assert "prod would refuse version 1" in told
    assert "users still says TODO" in told.replace("\n", " ")


@pytest.mark.parametrize(("fraction", "stays"), [(0.1, True), (1.0, False)])
def test_gate_says_which_version_no_cloud_gets(
    registered: tuple[Command, Path],
    capsys: pytest.CaptureFixture[str],
    fraction: float,
    stays: bool,
) -> None:
    mlops, root = registered
    path = root / ".mlops" / "registry" / "tiny" / "1" / "lineage.json"
    path.write_text(re.sub(r'("fraction": )[0-9.]+', rf"\g<1>{fraction}", path.read_text()))
    assert mlops("gate", "--explain") == 0
    told = " ".join(capsys.readouterr().err.split())
    assert ("is made of 10 % of the data and is not shared" in told) is stays


def test_gate_tells_of_a_run_before_it_is_registered(
    inside: tuple[Command, str], capsys: pytest.CaptureFixture[str]
) -> None:
    mlops, run_id = inside
    assert mlops("gate", "--explain") == 2
    assert "no version is registered" in capsys.readouterr().err
    assert mlops("gate", "--explain", "--run-id", run_id, "--json") == 0
    found = json.loads(capsys.readouterr().out)["refuses"]["dev"]
    assert "compliance/model_card.yaml: is missing" in [each["said"] for each in found]
    assert {"lineage", "card"} <= {each["requirement"] for each in found}
    assert mlops("gate", "--run-id", run_id, "--model-version", "1") == 2


def test_the_card_tells_what_happened_and_leaves_the_version_alone(
    registered: tuple[Command, Path],
    trained: Trained,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    mlops, root = registered
    version = trained[0].version(1).folder
    before = {path: path.read_bytes() for path in version.rglob("*") if path.is_file()}
    folder = root / ".mlops" / "releases"
    released = folder / "tiny-dev" / "20240701T100000.000000Z"
    released.mkdir(parents=True)
    release = {
        "endpoint": "tiny-dev",
        "model_version": 1,
        "versions": {"blue": 1},
        "candidate": "blue",
        "outcome": "promoted",
        "reason": "the smoke test passed",
        "rehearsal": "",
        "ended_at": "2024-07-01T10:00:00+00:00",
    }
    EVIDENCE.write(released, release)
    other = folder / "tiny-dev" / "20240702T100000.000000Z"
    other.mkdir()
    EVIDENCE.write(other, {**release, "model_version": 2, "reason": "of another version"})
    approvals = {
        "environment": "dev",
        "model_version": 1,
        "required": 2,
        "outcome": "approved",
        "reason": "",
        "approved_by": ["alex", "kim"],
        "asked_at": "2024-07-01T09:00:00+00:00",
    }
    APPROVALS.write(folder, approvals)
    assert mlops("evidence", "keep", "--model-version", "1", "--release", "dev") == 0
    capsys.readouterr()
    assert mlops("card", "--model-version", "1", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    kinds = [(each["what"], each["outcome"], each["detail"]) for each in told["since"]]
    assert kinds == [
        ("approval", "approved", "by alex, kim, 2 asked"),
        ("release", "promoted", "the smoke test passed"),
        ("register", "done", f"by {actor_of().name}"),
    ]
    assert told["unread"] == []
    text, page, data = (Path(path).read_text(encoding="utf-8") for path in told["files"])
    assert [Path(path).name for path in told["files"]] == [
        "tiny-1.md",
        "tiny-1.html",
        "tiny-1.json",
    ]
    assert Path(told["files"][0]).parent == root / "docs" / "model-cards"
    for each in (text, page, data):
        assert "the smoke test passed" in each
        assert "of another version" not in each
    assert (root / "docs" / "model-cards" / "tiny-1" / "quality.png").is_file()
    assert "](tiny-1/quality.png)" in text
    assert {path: path.read_bytes() for path in version.rglob("*") if path.is_file()} == before
    assert mlops("card", "--model-version", "9") == 2
    assert mlops("card", "--model-version", "1", "--folder", tmp_path / "cards") == 0
    assert (tmp_path / "cards" / "tiny-1.html").is_file()
