"""The command that decides on a retraining: what it prints, hands on, and ends with."""

import json
from pathlib import Path
from typing import Any

import pytest

from fakes.cli import Command, Outputs
from fakes.platform import FakePlatform
from fakes.retraining import START, Loop
from mlops.artifacts.candidate import parse_candidate
from mlops.cli import options, retrain
from mlops.errors import Refused
from mlops.monitoring.alerting import receivers
from mlops.monitoring.alerting.deliver import Courier, Patience
from mlops.monitoring.retraining import steps
from mlops.monitoring.retraining.training import Trained


@pytest.fixture
def loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loop:
    made = Loop(FakePlatform(tmp_path / "platform"), tmp_path / "machines")
    root = made.settings.project.root
    pyproject = root / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace("maturity_level = 1", "maturity_level = 3"))
    monkeypatch.setattr(retrain, "open_platform", lambda _settings: made.platform)
    monkeypatch.setattr(options, "system_clock", lambda: START)
    return made


def called(loop: Loop, mlops: Command, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.chdir(loop.settings.project.root)
    return mlops("retrain", *arguments)


def test_where_the_pipeline_trains_it_hands_on_the_manifest(
    loop: Loop,
    mlops: Command,
    outputs: Outputs,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(type(loop.platform), "has_callers", True)
    loop.drift("drift", "drift")
    assert called(loop, mlops, monkeypatch, "--json") == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (told["outcome"], told["cause"]) == ("retrain", "drift")
    assert outputs()["verdict"] == "retrain"
    candidate = parse_candidate(outputs()["candidate"])
    assert candidate.to_dict() == told["candidate"]
    assert Path(told["manifest"]).is_file()


def test_on_this_machine_it_trains_and_says_what_the_gate_said(
    loop: Loop,
    mlops: Command,
    outputs: Outputs,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refuses(*_: object) -> None:
        raise Refused("f1 is 0.2")

    monkeypatch.setattr(steps, "train_here", refuses)
    assert called(loop, mlops, monkeypatch, "--cause", "a new holiday") == 1
    assert "refused: f1 is 0.2" in capsys.readouterr().err
    assert outputs()["verdict"] == "refused"


def test_it_ends_with_the_code_of_its_outcome(
    loop: Loop, mlops: Command, outputs: Outputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert called(loop, mlops, monkeypatch) == 4
    assert outputs() == {"verdict": "not enough"}
    loop.drift("ok")
    assert called(loop, mlops, monkeypatch) == 0
    assert outputs()["verdict"] == "not needed"


def test_where_it_has_stopped_somebody_is_told(
    loop: Loop,
    mlops: Command,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    loop.drift("drift", "drift")
    monkeypatch.setenv("MLOPS_RETRAINING__REFUSALS", "1")
    monkeypatch.setenv("MLOPS_RETRAINING__PATIENCE_HOURS", "0.000001")
    assert loop.retrain(trains=False).outcome == "retrain"
    monkeypatch.setattr(options, "system_clock", lambda: START.replace(hour=13))
    assert called(loop, mlops, monkeypatch) == 1
    said = capsys.readouterr().err
    assert "retraining-stopped: incident: opened: a file on this machine" in said
    assert "docs/retraining.md" in said
    folder = loop.settings.project.state_dir / "monitoring" / "tiny-dev" / "incidents"
    (incident,) = folder.iterdir()
    assert "Retraining has stopped" in incident.read_text(encoding="utf-8")
    monkeypatch.setattr(options, "system_clock", lambda: START.replace(hour=14))
    assert called(loop, mlops, monkeypatch) == 1
    assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize(
    ("address", "code", "said"),
    [
        ("http://127.0.0.1:9/mark-one", 3, "notification of teams failed: it cannot be reached"),
        ("", 3, "notification of teams failed: ALERTS_TEAMS_WEBHOOK is not set"),
        (None, 0, ""),
    ],
)
def test_who_could_not_be_told_is_named_and_ends_it_with_3(
    loop: Loop,
    mlops: Command,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    address: str | None,
    code: int,
    said: str,
) -> None:
    """The candidate is released, and that somebody does not know is said; no address is."""
    trained = Trained("run-1", 10, Path("serving"))
    monkeypatch.setattr(steps, "train_here", lambda *_: trained)
    monkeypatch.setattr(steps, "release_candidate", lambda *_, **__: "no worse")
    monkeypatch.setattr(receivers, "Courier", lambda: Courier(Patience(attempts=1)))
    if address is not None:
        monkeypatch.setenv("ALERTS_TEAMS_WEBHOOK", address)
        conf = loop.settings.project.root / "conf" / "dev.yaml"
        conf.write_text(conf.read_text() + "\nalerts:\n  receivers: [teams]\n")
    assert called(loop, mlops, monkeypatch, "--cause", "a new holiday", "--json") == code
    printed = capsys.readouterr()
    assert said in printed.err
    assert "mark-one" not in printed.err + printed.out
    told = json.loads(printed.out)
    assert told["outcome"] == "released"
    assert [each["failed"] for each in told["told"]] == ([] if address is None else [True])


def test_a_dry_run_decides_alone(
    loop: Loop, mlops: Command, outputs: Outputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop.drift("drift", "drift")
    assert called(loop, mlops, monkeypatch, "--dry-run") == 0
    assert outputs() == {"verdict": "retrain"}
    assert loop.done == []


def test_a_cause_of_blanks_is_none(
    loop: Loop, mlops: Command, outputs: Outputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop.drift("ok")
    assert called(loop, mlops, monkeypatch, "--cause", "  ") == 0
    assert outputs()["verdict"] == "not needed"
