"""The board of `mlops run`: its stages, each waiting, running, done or failed."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from rich.console import Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from mlops.console import console
from mlops.progress import Stage, StageReport


class Board:
    """The stages of the loop, each waiting, running, done or failed.

    Beside a stage that runs or has failed stands its last line; beside one that is done, its
    result.
    """

    def __init__(self, stages: tuple[Stage, ...]) -> None:
        self._lines = dict.fromkeys(stages, "")
        self._seconds: dict[Stage, float] = {}
        self._running: Stage | None = None
        self._started = 0.0
        self.below: RenderableType = ""
        self._failed: Stage | None = None
        self._spinner = Spinner("dots")
        self._live = Live(self, console=console(), refresh_per_second=8)

    def __rich__(self) -> Group:
        """Draw the stages as a table, and `below` it."""
        table = Table.grid(padding=(0, 2))
        for stage, line in self._lines.items():
            seconds = self._seconds.get(stage)
            sign: RenderableType = Text(" ")
            if stage == self._running:
                sign = self._spinner
            elif stage == self._failed:
                sign = Text("✗", style="red")
            elif seconds is not None:
                sign = Text("✓", style="green")
            spent = "" if seconds is None else f"{seconds:.1f} s"
            table.add_row(sign, Text(stage, style="bold"), Text(spent), Text(line))
        return Group(table, self.below)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show the board while the block runs."""
        with self._live if self.is_drawn else nullcontext():
            yield

    @contextmanager
    def stage(self, stage: Stage) -> Iterator[StageReport]:
        """Run one stage; yield the function that receives its lines."""
        with self.stages((stage,)) as report:
            yield report

    @contextmanager
    def stages(self, stages: tuple[Stage, ...]) -> Iterator[StageReport]:
        """Run stages one after the other; a line of another stage than the last begins that one."""
        self._begin(stages[0])

        def report(line: str, stage: Stage | None = None, /) -> None:
            if stage and stage != self._running:
                self._end()
                self._begin(stage)
            self._say(line)

        try:
            yield report
        except BaseException:
            self._failed = self._running
            self._stop_clock()
            raise
        self._end()

    def result(self, stage: Stage, line: str) -> None:
        """Keep a line beside a stage, now that its progress is no news any more."""
        self._lines[stage] = line
        self._print(stage, line)

    @property
    def is_drawn(self) -> bool:
        """Whether there is a screen to draw on; otherwise lines are printed."""
        return self._live.console.is_terminal

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds that each finished stage took."""
        return {stage.value: round(value, 1) for stage, value in self._seconds.items()}

    def _begin(self, stage: Stage) -> None:
        self._running, self._started = stage, time.monotonic()

    def _end(self) -> None:
        if self._running:
            self._lines[self._running] = ""
        self._stop_clock()

    def _stop_clock(self) -> None:
        if self._running:
            self._seconds[self._running] = time.monotonic() - self._started
            self._running = None

    def _say(self, line: str) -> None:
        if self._running:
            self._lines[self._running] = line
            self._print(self._running, line)

    def _print(self, stage: Stage, line: str) -> None:
        if not self.is_drawn:
            self._live.console.print(f"{stage}: {line}", markup=False)
