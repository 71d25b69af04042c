"""The command that plays a year: what it prints and ends with, and how it calls other commands."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import pytest

from fakes.cli import Command
from mlops.cli import simulate, simulated
from mlops.clock import Clock
from mlops.settings.project import Project
from mlops.simulation import simulate as played
from mlops.simulation.events import Event
from mlops.simulation.scenario import Break
from mlops.simulation.simulate import Simulated
from mlops.simulation.surroundings import AHEAD_VARIABLE

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
STORY = Event(NOW, "", "callers change")
ALARM = Event(NOW, "monitor --act", "alarm: drift", 1)
OTHERWISE = Event(NOW, "drift", "ok", 0, "exit code 1")
Plays = Callable[..., list[object]]


@pytest.fixture
def plays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Plays:
    """Let a year be of some events; return what the command asked for."""

    def of(*events: Event) -> list[object]:
        asked: list[object] = []

        def year(
            _project: object, _command: object, screen: object, seed: int, broken: Break | None
        ) -> Simulated:
            asked.extend((seed, broken))
            for each in events:
                screen.tell(each)  # type: ignore[attr-defined]
            page, log = tmp_path / "report.html", tmp_path / "simulate.log"
            return Simulated(seed, broken, events, page, log)

        monkeypatch.setattr(played, "simulate", year)
        return asked

    return of


def test_a_year_as_planned(
    mlops: Command, plays: Plays, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    asked = plays(STORY, ALARM)
    assert mlops("simulate") == 0
    assert asked == [7, None]
    said = capsys.readouterr()
    assert "2026-01-05  callers change" in said.err
    assert "exit 1  alarm: drift" in said.err
    assert f"the page: {tmp_path / 'report.html'}" in said.err
    assert "monitor --act" in said.out
    assert max(map(len, said.out.splitlines())) <= 80


def test_what_ended_otherwise_is_an_exit_code_of_its_own(
    mlops: Command, plays: Plays, capsys: pytest.CaptureFixture[str]
) -> None:
    plays(STORY, ALARM, OTHERWISE)
    assert mlops("simulate") == 1
    assert "1 of 3 events ended otherwise than planned: drift (exit" in capsys.readouterr().err


@pytest.mark.parametrize("link", Break)
def test_each_link_can_be_broken(mlops: Command, plays: Plays, link: Break) -> None:
    asked = plays(STORY)
    assert mlops("simulate", "--break", link.value, "--seed", 3) == 0
    assert asked == [3, link]


def test_the_options_are_the_links() -> None:
    assert tuple(Break) == simulate.LINKS


def test_events_as_json(mlops: Command, plays: Plays, capsys: pytest.CaptureFixture[str]) -> None:
    plays(STORY, ALARM)
    assert mlops("simulate", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert [each["exit_code"] for each in said["events"]] == [None, 1]
    assert (said["seed"], said["broken"], said["as_planned"]) == (7, None, True)


def test_level_1_is_told_how_to_get_there(
    mlops: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mlops("simulate") == 2
    assert "copier update -d maturity_level=3" in capsys.readouterr().err


def test_other_commands_are_called_at_the_time_of_the_clock(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project.root)
    (project.root / "conf" / "base.yaml").write_text("data: {sample: {size: 50}}\n")
    called = simulate._called
    assert called(["data", "make", "--json"], lambda: NOW) == 0
    assert json.loads(capsys.readouterr().out)["reference_date"] == "2026-01-05"
    assert called(["drift", "--environment", "nowhere"], lambda: NOW) == 2
    assert called(["no-command"], lambda: NOW) == 2


def test_a_candidate_s_command_is_told_the_time_and_has_the_code_of_its_folder(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project.root / "src").mkdir()
    (project.root / "src" / "of_this_commit.py").write_text("HERE = True\n")
    monkeypatch.chdir(project.root)
    monkeypatch.setenv(AHEAD_VARIABLE, "-86400")
    monkeypatch.setattr(sys, "path", [*sys.path])
    fixed = ("run", "--locked", "--quiet", "mlops")
    monkeypatch.setattr(sys, "argv", ["simulated", *fixed, "config", "--json"])
    seen: list[Clock] = []

    def command(arguments: list[str], obj: Clock, **_named: object) -> None:
        assert import_module("of_this_commit").HERE
        assert arguments == ["config", "--json"]
        seen.append(obj)

    monkeypatch.setattr(simulated, "mlops", type("Group", (), {"main": staticmethod(command)}))
    with pytest.raises(SystemExit) as end:
        simulated.main()
    assert end.value.code == 0
    assert 86_000 < (datetime.now(UTC) - seen[0]()).total_seconds() < 87_000
