"""One page about what serves."""

import math
import webbrowser
from datetime import timedelta
from pathlib import Path

import click

from mlops.cli.options import clock
from mlops.clock import Clock
from mlops.console import progress, show
from mlops.files import write_text
from mlops.progress import Report
from mlops.settings.loading import require_environment
from mlops.settings.project import Project, find_project
from mlops.window import LONGEST, Window

DAYS = 30.0


def _days(_context: click.Context, _option: click.Parameter, value: float) -> float:
    """Refuse `nan`, which no range does."""
    if math.isnan(value):
        raise click.BadParameter(f"{value} is no number of days")
    return value


@click.command()
@click.option(
    "--environment",
    "environments",
    multiple=True,
    metavar="NAME",
    help="Only this one; may be given several times. Default: all.",
)
@click.option(
    "--days",
    type=click.FloatRange(min=0, min_open=True, max=LONGEST.days),
    default=DAYS,
    callback=_days,
    show_default=True,
    help="Of how many days events are shown.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write; default: .mlops/report.html.",
)
@click.option("--open", "opens", is_flag=True, help="Show it in the browser.")
def report(environments: tuple[str, ...], days: float, output: Path | None, opens: bool) -> None:
    """Write one page about what serves: traffic, releases, drift, performance.

    It is one file, which asks no host for anything.
    """
    project, now = find_project(), clock()
    named = list(dict.fromkeys(environments))
    for each in named:
        require_environment(project, each)
    with progress("report") as told:
        page = page_of(project, named or project.environments(), days, now, told)
        path = output or project.state_dir / "report.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, page)
    show(f"the page: {path}")
    click.echo(str(path))
    if opens:
        webbrowser.open(path.resolve().as_uri())


def page_of(
    project: Project, environments: list[str], days: float, now: Clock, told: Report
) -> str:
    """Return the page of some environments, as HTML.

    Args:
        project: whose endpoints they are.
        environments: their names.
        days: of how many days events are shown.
        now: tells the time.
        told: receives lines about the progress.
    """
    from mlops.monitoring.report.collect import collect
    from mlops.monitoring.report.page import render

    window = Window.last(timedelta(days=days), now())
    return render(collect(project, environments, window, now, told))
