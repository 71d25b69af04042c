"""A year by commands that only pretend: where they run, what they are told, what is left alone."""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import click
import pytest

from fakes.project import with_level
from mlops.clock import Clock
from mlops.errors import ConfigError, StubNotFilled
from mlops.settings.project import Project, find_project
from mlops.simulation import simulate as module
from mlops.simulation.events import Event
from mlops.simulation.play import Screen
from mlops.simulation.scenario import FIRST_DAY, Break
from mlops.simulation.simulate import Simulated, require_playable, simulate
from mlops.steps.provenance import git_state
from mlops.usecase.stubs import Stub

SAID: dict[str, dict[str, object]] = {
    "train": {"run_id": "r1", "evaluation": {"model": {"f1": 0.9}}},
    "evaluate": {"passed": True, "checks": []},
    "register": {"version": 1},
}
SEED = 7


class Commands:
    """Notes each call, with where and when it was; prints what it is told to."""

    def __init__(self, code: int = 0) -> None:
        self.code = code
        self.calls: list[list[str]] = []
        self.places: set[Path] = set()
        self.times: list[datetime] = []
        self.variables: dict[str, str] = {}

    def __call__(self, arguments: Sequence[str], clock: Clock) -> int:
        self.calls.append(list(arguments))
        self.places.add(find_project().state_dir)
        self.times.append(clock())
        self.variables = dict(os.environ)
        click.echo(json.dumps(SAID.get(arguments[0], {})))
        return self.code

    @property
    def names(self) -> list[str]:
        return [each[0] for each in self.calls]


@pytest.fixture
def team(project: Project) -> Project:
    (project.root / "conf" / "prod.yaml").write_text("feedback: {delay_days: 10}\n")
    (project.root / ".gitignore").write_text(".mlops/\n")
    pyproject = project.root / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace("maturity_level = 1", "maturity_level = 3"))
    (project.root / "serving").mkdir()
    (project.root / "serving" / "score.py").write_text("def parse(raw, features): ...\n")
    kept = project.state_dir / "registry" / "tiny" / "1"
    kept.mkdir(parents=True)
    (kept / "lineage.json").write_text("{}")
    (project.state_dir / "state.json").write_text("{}")
    return with_level(project, 3)


def played(team: Project, commands: Commands, broken: Break | None = None) -> Simulated:
    told: list[Event] = []
    found = simulate(team, commands, Screen(lambda _: None, told.append), SEED, broken)
    assert told == list(found.events)
    return found


def state_of(root: Path) -> dict[str, str]:
    """Every file of the project but those of the simulation, by a hash of it."""

    def files() -> Iterator[Path]:
        for path in root.rglob("*"):
            if path.is_file() and not path.is_relative_to(root / ".mlops" / "simulation"):
                yield path

    return {str(each): hashlib.sha256(each.read_bytes()).hexdigest() for each in files()}


@pytest.mark.parametrize("broken", [None, Break.EVENTS, Break.WEBHOOK, Break.REGISTRY])
def test_nothing_of_the_team_s_changes(team: Project, broken: Break | None) -> None:
    before, place, variables = state_of(team.root), Path.cwd(), dict(os.environ)
    played(team, Commands(), broken)
    assert state_of(team.root) == before
    assert (Path.cwd(), dict(os.environ)) == (place, variables)


def test_commands_run_in_a_copy_by_one_clock(team: Project) -> None:
    commands = Commands()
    found = played(team, commands)
    assert commands.places == {team.state_dir / "simulation" / "project" / ".mlops"}
    assert commands.times == sorted(commands.times)
    assert FIRST_DAY <= commands.times[0] < FIRST_DAY + timedelta(minutes=5)
    assert commands.times[-1] > FIRST_DAY + timedelta(days=150)
    assert {"data", "train", "release", "drift", "feedback", "monitor", "report"} <= set(
        commands.names
    )
    assert found.log.read_text(encoding="utf-8").count("exit code 0") == len(commands.calls)


def test_a_secret_of_the_team_s_reaches_no_command(
    team: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALERTS_TEAMS_WEBHOOK", "https://example.com/mark-one")
    monkeypatch.setenv("MLOPS_PLATFORM", "azure")
    commands = Commands()
    played(team, commands)
    assert "mark-one" not in json.dumps(commands.variables)
    assert commands.variables["MLOPS_PLATFORM"] == "local"
    assert commands.variables["MLOPS_ALERTS__RECEIVERS"] == "[]"


@pytest.mark.parametrize(
    ("broken", "name", "value"),
    [
        (Break.EVENTS, "MLOPS_TELEMETRY__ENABLED", "false"),
        (Break.WEBHOOK, "MLOPS_ALERTS__RECEIVERS", "[slack]"),
    ],
)
def test_a_broken_link_is_told_by_a_variable(
    team: Project, broken: Break, name: str, value: str
) -> None:
    commands = Commands()
    played(team, commands, broken)
    assert commands.variables[name] == value


def test_what_ends_otherwise_is_named(team: Project) -> None:
    found = played(team, Commands(code=0))
    named = {(each.what, each.otherwise) for each in found.otherwise}
    assert ("drift", "exit code 1") in named
    assert ("  not done", "retraining released") in named
    assert ("train", "") not in named
    assert not found.to_dict()["as_planned"]


def test_a_version_that_is_refused_is_not_released(
    team: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = Commands(code=1)
    monkeypatch.setitem(SAID, "evaluate", {"passed": False, "checks": []})
    found = played(team, commands)
    assert not {"register", "release"} & set(commands.names)
    assert any(each.what == "release" and each.otherwise for each in found.events)


def test_an_interrupted_command_ends_the_year(team: Project) -> None:
    commands = Commands(code=130)
    place = Path.cwd()
    with pytest.raises(KeyboardInterrupt):
        played(team, commands)
    assert len(commands.calls) == 1
    assert Path.cwd() == place


def test_the_code_that_the_candidate_has_is_committed(team: Project) -> None:
    seen: list[bool] = []

    class Looks(Commands):
        def __call__(self, arguments: Sequence[str], clock: Clock) -> int:
            if arguments[0] in ("train", "release"):
                seen.append(git_state(find_project().root).dirty)
            return super().__call__(arguments, clock)

    played(team, Looks())
    assert len(seen) == 4
    assert not any(seen)


def test_a_lower_level_has_no_such_loop(team: Project) -> None:
    with pytest.raises(ConfigError, match="maturity level 3") as refused:
        require_playable(with_level(team, 2))
    assert "copier update" in refused.value.remedy


def test_a_stub_is_to_be_written_first(team: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    stub = Stub("sample.py", 1, "make_sample", "generate raw data")
    monkeypatch.setattr(module, "find_stubs", lambda _folder: [stub])
    with pytest.raises(StubNotFilled, match="generate raw data"):
        require_playable(team)


def test_without_prod_there_is_no_year(team: Project) -> None:
    (team.root / "conf" / "prod.yaml").unlink()
    with pytest.raises(ConfigError, match="prod"):
        require_playable(team)
