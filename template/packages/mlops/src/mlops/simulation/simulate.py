"""`mlops simulate`: the year of this project, from an empty folder to the page."""

import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from mlops.errors import ConfigError, StubNotFilled
from mlops.release.traffic import require_level
from mlops.settings.loading import PREFIX, load_settings, require_environment
from mlops.settings.project import Project, find_project
from mlops.simulation import faults
from mlops.simulation.callers import label_days
from mlops.simulation.events import Event
from mlops.simulation.moved_clock import MovedClock
from mlops.simulation.play import PAGE, SERVES_IN, TRAINED_IN, Command, Player, Screen
from mlops.simulation.scenario import FIRST_DAY, Break, Plan, scenario
from mlops.simulation.surroundings import cleaned, inside
from mlops.simulation.world import World, opened
from mlops.usecase.stubs import find_stubs
from mlops.usecase.use_case import UseCase

LEVEL = 3


@dataclass(frozen=True)
class Simulated:
    """A year that was played.

    Attributes:
        seed: of all that is made up.
        broken: the link that was broken, if one was.
        events: all that happened.
        page: what `mlops report` wrote.
        log: what the commands said.
    """

    seed: int
    broken: Break | None
    events: tuple[Event, ...]
    page: Path
    log: Path

    @property
    def otherwise(self) -> list[Event]:
        """The events that were planned to end otherwise."""
        return [each for each in self.events if each.otherwise]

    def to_dict(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return {
            "schema": 1,
            "seed": self.seed,
            "broken": self.broken and self.broken.value,
            "as_planned": not self.otherwise,
            "events": [each.to_dict() for each in self.events],
            "page": str(self.page),
            "log": str(self.log),
        }


def simulate(
    project: Project, command: Command, screen: Screen, seed: int, broken: Break | None = None
) -> Simulated:
    """Play a year in a folder of its own; nothing else of the project changes.

    Args:
        project: the team's.
        command: runs a command in this process.
        screen: who watches.
        seed: of all that is made up.
        broken: the link of the loop that is to be broken.

    Raises:
        ConfigError: the project's level has no such loop, an environment is missing, or git is.
        StubNotFilled: the use case is not written yet.
        PlatformError: another simulation runs, or the folder cannot be made.
    """
    require_playable(project)
    with ExitStack() as stack:
        screen.doing("a copy of the project is made")
        variables = cleaned(os.environ, {})
        with inside(project.root, variables):
            world = stack.enter_context(opened(project))
        world.log.write_text("", encoding="utf-8")
        stack.enter_context(inside(world.root, {**variables, **_told(world, broken)}))
        clock = MovedClock(FIRST_DAY)
        plan = _plan(clock)
        late = timedelta(days=plan.wait_days)
        if broken is Break.CANDIDATE:
            faults.crash_the_candidate(world.root, UseCase(project.package), project.root)
            world.commit("Code that crashes")
        log = stack.enter_context(world.log.open("a", encoding="utf-8"))
        player = Player(world, command, clock, screen, log, seed, late)
        found: Sequence[Event] = player.play(scenario(plan, broken))
    return Simulated(seed, broken, tuple(found), world.folder / PAGE, world.log)


def require_playable(project: Project) -> None:
    """Refuse a project that has not all links of the loop.

    Raises:
        ConfigError: its level is lower, or conf/ lacks an environment.
        StubNotFilled: its use case is not written yet.
    """
    require_level(project, LEVEL, "simulate")
    for environment in (TRAINED_IN, SERVES_IN):
        require_environment(project, environment)
    if stubs := find_stubs(UseCase(project.package).folder):
        raise StubNotFilled(f"{stubs[0].file}: {stubs[0].name}(): {stubs[0].what}")
    if shutil.which("git") is None:
        raise ConfigError("git is not installed, which a candidate's code comes from", "install it")


def _told(world: World, broken: Break | None) -> dict[str, str]:
    """Return what commands are told by variables besides."""
    told = {}
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv:
        own = os.name != "nt"
        told["UV"] = str(faults.own_uv(world.folder, sys.executable, uv, world.log)) if own else uv
    match broken:
        case Break.EVENTS:
            told[f"{PREFIX}TELEMETRY__ENABLED"] = "false"
        case Break.WEBHOOK:
            told[f"{PREFIX}ALERTS__RECEIVERS"] = "[slack]"
            told["ALERTS_SLACK_WEBHOOK"] = faults.DEAD_WEBHOOK
        case _:
            pass
    return told


def _plan(clock: MovedClock) -> Plan:
    settings = load_settings(find_project(), SERVES_IN, clock=clock)
    values = settings.values
    return Plan(
        label_days=label_days(settings.use_case, values.params, FIRST_DAY.date()),
        delay_days=values.feedback.delay_days,
        cooldown_days=values.retraining.cooldown_days,
    )
