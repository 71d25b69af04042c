"""`mlops run`: the whole loop on this machine, from raw data to an answering endpoint."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.live import Live
from rich.panel import Panel
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from .checks import failures
from .console import console
from .errors import Refused
from .files import read_json
from .governance.gate import judge_run
from .platforms import open_platform
from .platforms.base import (
    Answer,
    Deployment,
    Endpoint,
    ModelVersion,
    Platform,
    Report,
    Run,
    silent,
)
from .settings import LoadedSettings
from .steps.register import register_run

STAGES = ("train", "gate", "register", "deploy", "smoke test", "predict")


class Board:
    """The stages of the loop, each waiting, running, done or failed."""

    def __init__(self, stages: tuple[str, ...]) -> None:
        self._lines = dict.fromkeys(stages, "")
        self._seconds: dict[str, float] = {}
        self._running: str | None = None
        self._failed: str | None = None
        self._spinner = Spinner("dots")
        self._live = Live(self, console=console(), refresh_per_second=8)

    def __rich__(self) -> Table:
        """Draw the stages as a table."""
        table = Table.grid(padding=(0, 2))
        for stage, line in self._lines.items():
            seconds = self._seconds.get(stage)
            sign: Any = Text(" ")
            if stage == self._running:
                sign = self._spinner
            elif stage == self._failed:
                sign = Text("✗", style="red")
            elif seconds is not None:
                sign = Text("✓", style="green")
            spent = "" if seconds is None else f"{seconds:.1f} s"
            table.add_row(sign, Text(stage, style="bold"), Text(spent), Text(line))
        return table

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show the board while the block runs."""
        with self._live if self._live.console.is_terminal else _nothing():
            yield

    @contextmanager
    def stage(self, name: str) -> Iterator[Report]:
        """Run one stage; yield the function that receives its lines."""
        self._running = name
        started = time.monotonic()

        def report(line: str) -> None:
            self._lines[name] = line
            if not self._live.console.is_terminal:
                self._live.console.print(f"{name}: {line}", markup=False)

        try:
            yield report
        except BaseException:
            self._failed = name
            raise
        finally:
            self._running = None
            self._seconds[name] = time.monotonic() - started

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds that each finished stage took."""
        return {name: round(value, 1) for name, value in self._seconds.items()}


def run_loop(settings: LoadedSettings, data_dir: Path | None) -> dict[str, Any]:
    """Train, judge, register, deploy, smoke-test and predict once.

    After an interruption or failure the endpoint serves what it served before, or nothing.

    Raises:
        Refused: the data, the gate or the smoke test said no.
    """
    platform = open_platform(settings)
    endpoint = platform.endpoint(settings.endpoint_name)
    served = {each.name: each for each in endpoint.deployments() if each.healthy}
    board = Board(STAGES)
    try:
        with board.shown():
            run = _train(platform, data_dir, board)
            version = _register(platform, run, settings, board)
            answer, request = _serve(platform, endpoint, version, settings, board)
    except BaseException:
        _put_back(platform, endpoint, served)
        raise
    summary = {
        "run_id": run.run_id,
        "model_version": version.version,
        "metrics": read_json(run.folder / "evaluation" / "evaluation.json", schema=1)["model"],
        "model_card": str(version.folder / "MODEL_CARD.md"),
        "endpoint": endpoint.name,
        "url": endpoint.url(),
        "request": request,
        "answer": answer.body,
        "seconds": board.seconds,
    }
    _show_summary(settings, summary)
    return summary


def _put_back(platform: Platform, endpoint: Endpoint, served: Mapping[str, Deployment]) -> None:
    """Serve again what was served before; stop the endpoint if nothing was."""
    if not served and endpoint.exists():
        endpoint.stop()
    for name, deployment in served.items():
        version = platform.version(deployment.model_version)
        if not endpoint.is_current(name, version):
            endpoint.deploy(name, version, silent)


def _train(platform: Platform, data_dir: Path | None, board: Board) -> Run:
    with board.stage("train") as report:
        run = platform.train(data_dir, report)
        validation = read_json(run.folder / "validated" / "validation-results.json", schema=1)
        report(f"{validation['rows']:,} raw rows, run {run.run_id}")
    return run


def _register(platform: Platform, run: Run, settings: LoadedSettings, board: Board) -> ModelVersion:
    with board.stage("gate") as report:
        verdict = judge_run(platform, run, settings)
        report("; ".join(f"{c.name} {c.found}, {c.asked}" for c in verdict.checks[:2]))
        if not verdict.passed:
            raise Refused(f"the gate refuses run {run.run_id}: {failures(verdict.checks)}")
    with board.stage("register") as report:
        version = register_run(platform, run, settings)
        report(f"{version.name} version {version.version}")
    return version


def _serve(
    platform: Platform,
    endpoint: Endpoint,
    version: ModelVersion,
    settings: LoadedSettings,
    board: Board,
) -> tuple[Answer, dict[str, Any]]:
    from .release.deploy import deploy
    from .release.smoke import smoke_test_endpoint

    with board.stage("deploy") as report:
        deploy(
            platform,
            endpoint.name,
            version.version,
            deployment="blue",
            traffic=100,
            report=report,
        )
        report(endpoint.url())
    with board.stage("smoke test") as report:
        result = smoke_test_endpoint(platform, settings, None, report)
        if not result.passed:
            raise Refused(f"{endpoint.name} failed the smoke test: {failures(result.checks)}")
        report(f"{len(result.checks)} checks passed")
    with board.stage("predict") as report:
        request = {"data": [example_row(version)]}
        answer = endpoint.invoke(request)
        if answer.status != 200:
            raise Refused(f"{endpoint.name} answered {answer.status}: {answer.body}")
        report(f"answered in {1000 * answer.seconds:.1f} ms")
    return answer, request


def example_row(version: ModelVersion) -> dict[str, float]:
    """Return a typical row of the training data, as the version's signature holds it."""
    signature = read_json(version.folder / "signature.json", schema=1)
    return {feature["name"]: feature["example"] for feature in signature["features"]}


def _show_summary(settings: LoadedSettings, summary: dict[str, Any]) -> None:
    metrics = ", ".join(
        f"{name} {value:.3f}" for name, value in summary["metrics"].items() if value is not None
    )
    answer = summary["answer"]
    lines: list[tuple[str, str]] = [
        ("model", f"{settings.model_name} version {summary['model_version']}"),
        ("holdout", metrics),
        ("one prediction", f"{summary['request']['data'][0]}"),
        ("", f"→ {answer['predictions'][0]} (probability {answer['probabilities'][0]:.3f})"),
        ("endpoint", summary["url"]),
        ("model card", summary["model_card"]),
        ("next", "mlops status · mlops ui · mlops stop"),
    ]
    table = Table.grid(padding=(0, 2))
    for name, text in lines:
        table.add_row(Text(name, style="bold"), Text(text, overflow="fold"))
    seconds = f"{sum(summary['seconds'].values()):.0f} s"
    console().print(Panel(Group(table), title=f"The whole loop ran in {seconds}", expand=False))


@contextmanager
def _nothing() -> Iterator[None]:
    yield
