"""Plays the simulated year: moves the clock, asks as callers do, and calls the usual commands."""

import contextlib
import io
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import IO, Any

import polars as pl

from mlops.clock import Clock
from mlops.errors import MlopsError
from mlops.platforms import open_platform
from mlops.settings.loading import LoadedSettings, load_settings
from mlops.settings.project import find_project
from mlops.simulation import callers, events, faults
from mlops.simulation.events import Event
from mlops.simulation.moved_clock import MovedClock
from mlops.simulation.scenario import (
    FIRST_DAY,
    Act,
    Callers,
    Data,
    Drift,
    Fault,
    Feedback,
    Moment,
    Monitor,
    Page,
    Release,
    Train,
)
from mlops.simulation.surroundings import AHEAD_VARIABLE, DATA
from mlops.simulation.world import World

Command = Callable[[Sequence[str], Clock], int]
"""Runs a command in this process, given its arguments and the clock; returns its exit code."""
Tell = Callable[[Event], None]
"""Is told each event as soon as it is over."""
Doing = Callable[[str], None]
"""Is told what is done now."""
TRAINED_IN, SERVES_IN = "dev", "prod"
PAGE = "report.html"
_PAGE_DAYS = "365"
_INTERRUPTED = 130
_NOBODY = "0" * 32


@dataclass(frozen=True)
class Screen:
    """Who watches: what is done now, and each event."""

    doing: Doing
    tell: Tell


@dataclass
class Player:
    """One simulation.

    Attributes:
        world: its folder, which is the current one.
        command: runs a command.
        clock: the only one.
        screen: who watches.
        log: takes what commands print.
        seed: of all that is made up.
        late: how long after a prediction its label arrives.
    """

    world: World
    command: Command
    clock: MovedClock
    screen: Screen
    log: IO[str]
    seed: int
    late: timedelta
    events: list[Event] = field(default_factory=list)
    run_id: str = ""
    version: int | None = None
    asked: int = 0
    labels: list[tuple[datetime, pl.DataFrame]] = field(default_factory=list)

    def play(self, moments: Sequence[Moment]) -> list[Event]:
        """Play all moments; return what happened.

        Raises:
            KeyboardInterrupt: a command was interrupted.
        """
        for moment in moments:
            moved = self.clock.move_to(FIRST_DAY + timedelta(days=moment.day))
            self._tell(Event(self.clock(), "", moment.story))
            if moved and moment.day:
                self.screen.doing("the servers start again, as time has passed")
                with contextlib.suppress(MlopsError):
                    callers.start_again(self._settings())
            for act in moment.acts:
                self._play(act)
        return self.events

    def _play(self, act: Act) -> None:
        match act:
            case Data(size, drift):
                made = ("--size", size, "--seed", self.seed, "--drift", drift, "--output", DATA)
                self._call("data", "make", *made, environment=TRAINED_IN)
            case Train():
                self._train()
            case Release(rehearsal):
                self._release(rehearsal=rehearsal)
            case Callers():
                self._ask(act)
            case Feedback():
                self._feedback(act)
            case Drift(exit_code):
                self._call("drift", planned=exit_code)
            case Monitor(exit_code, deeds):
                self._monitor(exit_code, deeds)
            case Page():
                self._page()
            case Fault.SERVING:
                faults.break_serving(self.world.root)
                self.world.commit("Scoring code that does not understand keys")
            case Fault.REGISTRY:
                faults.break_registry(self.world.state_dir)

    def _train(self) -> None:
        self.run_id, self.version = "", None
        said = self._call("train", environment=TRAINED_IN)
        self.run_id = str(said.get("run_id", ""))
        if not self.run_id:
            return
        of_run = ("--run-id", self.run_id)
        if not self._call("evaluate", *of_run, environment=TRAINED_IN).get("passed"):
            return
        said = self._call("register", *of_run, environment=TRAINED_IN)
        self.version = said.get("version")

    def _release(self, *, rehearsal: bool) -> None:
        if self.version is None:
            self._tell(Event(self.clock(), "release", "no new version", None, "a release"))
            return
        more = ("--rehearsal",) if rehearsal else ()
        self._call("release", "--model-version", self.version, *more)

    def _ask(self, act: Callers) -> None:
        self.screen.doing("callers ask")
        self.asked += 1
        settings = self._settings()
        platform = open_platform(settings)
        endpoint = platform.endpoint(settings.endpoint_name)
        since = self.clock()
        try:
            names = callers.features_asked(platform, endpoint)
            rows = callers.people(settings, names, self.seed + self.asked, act.drift)
            found = callers.ask(endpoint, rows)
            if settings.values.telemetry.enabled:
                asked = sum(found.answers.values())
                callers.await_events(endpoint, since, asked, self.clock)
        except MlopsError as error:
            self._tell(Event(self.clock(), "callers", error.message, None, "answers"))
            return
        if found.labels.height:
            self.labels.append((since, found.labels))
        otherwise = events.wrongly_answered(found.answers, act.version, act.status)
        said = events.answers_in_words(found.answers)
        self._tell(Event(self.clock(), "callers", said, None, otherwise))

    def _feedback(self, act: Feedback) -> None:
        path, now = self.world.state_dir / "labels.parquet", self.clock()
        due = [each for asked, each in self.labels if asked + self.late <= now]
        known = due if act.arrived else []
        of_others = [_of_nobody(each) for _, each in self.labels[:1]]
        if found := [*of_others, *known]:
            pl.concat(found, how="vertical_relaxed").write_parquet(path)
        since = ("--since", f"{act.back_days}d")
        self._call("feedback", str(path), *since, planned=act.exit_code)

    def _monitor(self, exit_code: int, planned: Sequence[tuple[Any, str]]) -> None:
        said = self._call("monitor", "--act", planned=exit_code)
        done = events.deeds_of(said)
        for deed in done:
            what = f"  {deed.kind.value}"
            self._tell(Event(self.clock(), what, f"{deed.outcome}: {deed.reason}"))
        if missing := events.missing_deeds(done, planned):
            self._tell(Event(self.clock(), "  not done", missing, None, missing))

    def _page(self) -> None:
        page = str(self.world.folder / PAGE)
        named = ("--days", _PAGE_DAYS, "--output", page)
        self._call("report", *named, as_json=False)

    def _call(
        self,
        name: str,
        *arguments: object,
        environment: str = SERVES_IN,
        planned: int = 0,
        as_json: bool = True,
    ) -> dict[str, Any]:
        """Run a command; tell how it ended and return what it printed as JSON.

        Raises:
            KeyboardInterrupt: it was interrupted.
        """
        called = [name, *map(str, arguments), "--environment", environment]
        shown = " ".join([name, *(str(each) for each in arguments if each in ("make", "--act"))])
        self.screen.doing(shown)
        os.environ[AHEAD_VARIABLE] = f"{self.clock.ahead.total_seconds():.6f}"
        out = io.StringIO()
        self.log.write(f"\n{self.clock():%Y-%m-%d %H:%M} mlops {' '.join(called)}\n")
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(self.log):
            code = self.command([*called, *(["--json"] if as_json else [])], self.clock)
        self.log.write(f"{out.getvalue()}exit code {code}\n")
        self.log.flush()
        if code == _INTERRUPTED:
            raise KeyboardInterrupt
        said = _read(out.getvalue()) if as_json else {}
        words = events.in_words(name, said)
        otherwise = "" if code == planned else f"exit code {planned}"
        self._tell(Event(self.clock(), shown, words, code, otherwise))
        return said

    def _settings(self) -> LoadedSettings:
        return load_settings(find_project(), SERVES_IN, clock=self.clock)

    def _tell(self, event: Event) -> None:
        self.events.append(event)
        self.screen.tell(event)


def _of_nobody(labels: pl.DataFrame) -> pl.DataFrame:
    """Return a label of a prediction that nobody asked for: a file of labels is never empty."""
    return labels.head(1).with_columns(pl.lit(_NOBODY).alias("inference_id"))


def _read(printed: str) -> dict[str, Any]:
    """Return the JSON object that a command printed; nothing where it printed none."""
    try:
        content = json.loads(printed)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
