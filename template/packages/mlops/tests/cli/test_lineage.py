"""Questions about lineage from the command line: what is printed, and how it ends."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fakes.cli import Command
from fakes.platform import FakePlatform
from fakes.records import RECORD
from fakes.tiny_version import write_version
from mlops.cli.lineage_tree import happening_lines
from mlops.governance.later import Happening
from mlops.ops import lineage as collected
from mlops.release.evidence import write_evidence
from mlops.settings.project import Project

MORNING = datetime(2026, 11, 3, 10, 11, 12, tzinfo=UTC)
DATA_HASH, FILE_HASH = "ab" * 32, "cd" * 32
RELEASED = replace(RECORD, ab_test=None)  # no picture to draw


def set_data(folder: Path, content: str) -> None:
    path = folder / "lineage.json"
    found = json.loads(path.read_text("utf-8"))
    found["data"]["hash"] = content
    found["data"]["source"]["files"] = {"orders.csv": FILE_HASH}
    path.write_text(json.dumps(found), "utf-8")


@pytest.fixture
def released(mlops: Command, project: Project, monkeypatch: pytest.MonkeyPatch) -> Command:
    """A project whose version 10 was released to prod from this machine."""
    monkeypatch.setenv("COLUMNS", "80")
    (project.root / "conf" / "prod.yaml").write_text("")
    for number, content in ((9, DATA_HASH), (10, DATA_HASH[:20] + "0" * 44)):
        folder = project.state_dir / "registry" / "tiny" / str(number)
        set_data(write_version(folder, number), content)
    write_evidence(project.state_dir, RELEASED, MORNING)
    return mlops


def test_a_version_is_a_tree_of_what_is_and_is_not_recorded(
    released: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert released("lineage", "--model-version", 10) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    for told in (
        "tiny version 10",
        "files: those that were registered",
        "commit: 0123456789abcdef (no uncommitted changes)",
        f"content hash: {DATA_HASH[:16]}…",
        "source: real data (folder data/orders)",
        f"orders.csv: {FILE_HASH[:16]}…",
        "parent: not recorded",
        "pipeline: not recorded",
        "days: not recorded",
        "gate: not recorded",
        "2026-11-03 10:11 prod: rehearsal: promoted",
        "serves now: nowhere",
    ):
        assert told in shown


def test_of_each_kind_of_check_the_newest_is_shown() -> None:
    def told(minute: int, what: str, environment: str = "prod") -> dict[str, Any]:
        time = f"2026-11-03T10:{minute}:00+00:00"
        return Happening(10, time, what, "ok", environment, place="x").to_dict()

    happenings = [
        told(11, "drift"),
        told(12, "drift", "dev"),
        told(13, "release"),
        told(14, "drift"),
        told(15, "release"),
        told(16, "performance"),
    ]
    assert list(happening_lines(happenings)) == [
        "2026-11-03 10:12 dev: drift: ok [x]",
        "2026-11-03 10:13 prod: release: ok [x]",
        "2026-11-03 10:14 prod: drift: ok [x] (the newest of 2)",
        "2026-11-03 10:15 prod: release: ok [x]",
        "2026-11-03 10:16 prod: performance: ok [x]",
    ]


def test_a_version_is_json_with_all_places(
    released: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert released("lineage", "--model-version", 10, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["model_version"] == 10
    assert told["origin"]["data"]["first_day"] is None
    assert [each["outcome"] for each in told["later"]] == ["promoted"]


def test_an_unknown_version_ends_with_2(
    released: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert released("lineage", "--model-version", 7) == 2
    assert "no version 7" in capsys.readouterr().err


def test_what_answers_is_shown_with_the_approvals_that_are_missing(
    released: Command,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    platform = FakePlatform(project.root / "platform")
    endpoint = platform.endpoint("tiny-prod")
    endpoint.serve("blue", 9)
    endpoint.serve("green", 10, share=100)
    monkeypatch.setattr(collected, "open_platform", lambda _settings: platform)
    assert released("lineage", "--endpoint", "prod") == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    for told in (
        "prod answers at http://127.0.0.1:9",
        "green: version 10, 100 % of the traffic, healthy",
        "blue: version 9, 0 % of the traffic, healthy",
        "model file: the one that was registered",
        "approval: not recorded (approvals.required of prod: 0)",
        "rehearsal: promoted",
    ):
        assert told in shown


def test_where_nothing_answers_it_ends_with_4(
    released: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert released("lineage", "--endpoint", "prod", "--json") == 4
    said = capsys.readouterr()
    assert json.loads(said.out)["deployments"] == []
    assert "nothing answers in prod" in said.err
    assert released("lineage", "--endpoint", "nowhere") == 2


def test_who_saw_data_is_found_by_a_beginning(
    released: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert released("lineage", "--data-hash", DATA_HASH[:24], "--json") == 0
    (saw,) = json.loads(capsys.readouterr().out)["versions"]
    assert (saw["version"], saw["by"]) == (9, "all of the data")
    assert released("lineage", "--data-hash", FILE_HASH[:8]) == 0
    assert "the file orders.csv" in capsys.readouterr().out


def test_a_beginning_of_several_is_refused_and_an_unknown_one_ends_with_4(
    released: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert released("lineage", "--data-hash", DATA_HASH[:20]) == 2
    assert "several hashes" in capsys.readouterr().err
    assert released("lineage", "--data-hash", "e" * 64) == 4
    assert "none of 2 versions recorded" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--model-version", 10, "--endpoint", "prod"),
        ("--endpoint", "prod", "--environment", "dev"),
    ],
)
def test_one_question_is_asked_at_a_time(released: Command, options: tuple[object, ...]) -> None:
    assert released("lineage", *options) == 2
