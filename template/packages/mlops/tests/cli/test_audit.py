"""The audit log on the command line: its exit codes, and what it names."""

import csv
import json
from pathlib import Path

import pytest

from fakes.audit_lines import WHEN, note, written
from fakes.cli import Command
from mlops.governance.audit.entry import Act, Phase
from mlops.governance.audit.log import append
from mlops.platforms.local.audit import LocalAudit
from mlops.settings.project import Project


@pytest.fixture
def store(project: Project) -> LocalAudit:
    return LocalAudit(project.state_dir / "audit", project.state_dir / "registry" / "tiny")


@pytest.fixture
def log(project: Project) -> Path:
    return project.state_dir / "audit" / "2026-11.jsonl"


@pytest.mark.parametrize(
    "command", [("verify",), ("show",), ("show", "--serves"), ("export", "--csv", "log.csv")]
)
def test_no_log_yet_is_exit_4(
    mlops: Command, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    assert mlops("audit", *command) == 4
    assert "audit" in capsys.readouterr().err


def test_a_whole_log_is_exit_0_and_says_what_is_open(
    mlops: Command, store: LocalAudit, capsys: pytest.CaptureFixture[str]
) -> None:
    written(store, 2)
    append(store, note(act=Act.SWITCH, phase=Phase.INTENT, outcome=""), WHEN)
    assert mlops("audit", "verify") == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "3 lines, whole" in said
    assert "without an outcome: line 3, switch in prod" in said
    assert mlops("audit", "verify", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["schema"], found["whole"], found["lines"]) == (1, True, 3)
    assert found["intents_without_outcome"][0]["number"] == 3


def test_a_broken_log_is_exit_1_and_names_the_line(
    mlops: Command, store: LocalAudit, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(store, 3)
    log.write_text("".join(log.read_text().splitlines(keepends=True)[:2]))
    assert mlops("audit", "verify", "--json") == 1
    said = capsys.readouterr()
    assert "removed (line 3)" in said.err
    assert json.loads(said.out)["findings"][0]["kind"] == "removed"
    assert mlops("audit", "show", "--json") == 1
    said = capsys.readouterr()
    assert "removed (line 3)" in said.err
    assert len(json.loads(said.out)["entries"]) == 2, "what can be read is shown all the same"
    assert mlops("audit", "accept", "--reason", " ") == 2
    assert mlops("audit", "accept", "--reason", "restored from a copy") == 0
    assert mlops("audit", "verify") == 0
    assert "restored from a copy" in " ".join(capsys.readouterr().err.split())


def test_nothing_to_accept_writes_nothing(mlops: Command, store: LocalAudit, log: Path) -> None:
    written(store, 1)
    before = log.read_text()
    assert mlops("audit", "accept", "--reason", "why not") == 0
    assert log.read_text() == before


def test_the_table_fits_80_columns(
    mlops: Command,
    store: LocalAudit,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    written(store, 12)
    append(store, note(act=Act.RETRAINING, version=123, outcome="interrupted"), WHEN)
    assert mlops("audit", "show") == 0
    lines = capsys.readouterr().err.splitlines()
    assert max(map(len, lines)) <= 80
    rows = [line for line in lines if "11-2" in line]
    assert len(rows) == 13
    assert "interrupted" in rows[-1]
    assert "version 123" in rows[-1]


def test_lines_are_filtered(
    mlops: Command, store: LocalAudit, capsys: pytest.CaptureFixture[str]
) -> None:
    written(store, 3)
    append(store, note(act=Act.GATE, version=2), WHEN)
    for options, numbers in (
        ((), [1, 2, 3, 4]),
        (("--model-version", 2), [2, 4]),
        (("--act", "gate"), [4]),
    ):
        assert mlops("audit", "show", "--json", *options) == 0
        found = json.loads(capsys.readouterr().out)
        assert [each["number"] for each in found["entries"]] == numbers
    assert mlops("audit", "show", "--model-version", 9) == 4
    assert mlops("audit", "show", "--act", "party") == 2


def test_a_spreadsheet_gets_every_line(mlops: Command, store: LocalAudit, tmp_path: Path) -> None:
    written(store, 3)
    target = tmp_path / "log.csv"
    assert mlops("audit", "export", "--csv", target) == 0
    with target.open() as stream:
        assert [row["number"] for row in csv.DictReader(stream)] == ["1", "2", "3"]


def test_what_serves_is_told_from_the_log_alone(
    mlops: Command, store: LocalAudit, capsys: pytest.CaptureFixture[str]
) -> None:
    said = note(details={"traffic": "3=90 4=10"})
    append(store, type(said)(**{**vars(said), "subject": {"endpoint": "tiny-prod"}}), WHEN)
    assert mlops("audit", "show", "--serves", "--json") == 0
    (found,) = json.loads(capsys.readouterr().out)["serves"]
    assert found["traffic"] == {"3": 90, "4": 10}
    assert mlops("audit", "show", "--serves") == 0
    assert "3 (90 %), 4 (10 %)" in capsys.readouterr().err


def test_what_serves_by_a_broken_log_ends_with_1(
    mlops: Command, store: LocalAudit, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = note(details={"traffic": "3=100"})
    append(store, type(said)(**{**vars(said), "subject": {"endpoint": "tiny-prod"}}), WHEN)
    append(store, note(act=Act.GATE, version=2), WHEN)
    log.write_text(log.read_text().splitlines(keepends=True)[0])
    assert mlops("audit", "show", "--serves") == 1
    told = capsys.readouterr().err
    assert "3 (100 %)" in told
    assert "removed (line 2)" in told
