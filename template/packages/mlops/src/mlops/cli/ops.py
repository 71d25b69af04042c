"""The whole loop on this machine, and what the project and its machine are like."""

import sys
from pathlib import Path

import click

from mlops.cli.interrupts import tells_what_serves
from mlops.cli.options import (
    clock,
    data_dir_option,
    environment_option,
    json_option,
    settings_for,
)
from mlops.cli.report import DAYS, page_of
from mlops.console import emit, show_table
from mlops.errors import Refused
from mlops.ops.doctor import examine, examine_platform, show_diagnoses
from mlops.ops.status import collect_status, show_status
from mlops.ops.ui import serve_pages
from mlops.progress import silent
from mlops.settings.loading import flatten
from mlops.settings.platform_names import PLATFORM_NAMES
from mlops.settings.project import find_project


@click.command()
@data_dir_option
@environment_option
@json_option
@tells_what_serves
def run(data_dir: Path | None, environment: str | None, as_json: bool) -> None:
    """Run the whole loop on this machine.

    From raw data to an answering endpoint.
    """
    from mlops.ops.run import run_loop

    summary = run_loop(settings_for(environment), data_dir)
    if as_json:
        emit(summary)


@click.command()
@json_option
def status(as_json: bool) -> None:
    """Show runs, registered versions and what is deployed where."""
    found = collect_status(find_project(), clock())
    if as_json:
        emit(found)
    else:
        show_status(found)


@click.command()
@click.option(
    "--platform",
    type=click.Choice(PLATFORM_NAMES),
    help="What to check beside this machine; default: the setting `platform`.",
)
@environment_option
@json_option
def doctor(platform: str | None, environment: str | None, as_json: bool) -> None:
    """Check what machine, project and platform need.

    Exit 1 if something is missing.
    """
    findings = examine(Path.cwd())
    findings += examine_platform(Path.cwd(), environment, platform)
    if as_json:
        emit({"checks": [finding.to_dict() for finding in findings]})
    else:
        show_diagnoses(findings)
    missing = [finding.name for finding in findings if finding.needed and not finding.passed]
    if missing:
        raise Refused(f"something needed is missing: {', '.join(missing)}")


@click.command()
@environment_option
@json_option
def config(environment: str | None, as_json: bool) -> None:
    """Show every setting and where its value comes from."""
    settings = settings_for(environment)
    rows = [
        (key, value, settings.source_of(key)) for key, value in flatten(settings.values).items()
    ]
    if as_json:
        emit({key: {"value": value, "source": source} for key, value, source in rows})
    else:
        title = f"Settings of the environment {settings.values.environment}"
        show_table(title, ("setting", "value", "source"), rows, is_result=True)


@click.command()
@click.option(
    "--port",
    type=click.IntRange(1, 65_535),
    default=5000,
    show_default=True,
    help="Port on 127.0.0.1.",
)
def ui(port: int) -> None:
    """Show runs and versions (MLflow) and what serves; Ctrl-C ends it.

    The page about what serves, see `mlops report`, has the next port and is made anew each time.
    """
    settings, now = settings_for(None), clock()
    project = settings.project

    def page() -> str:
        return page_of(project, project.environments(), DAYS, now, silent)

    sys.exit(serve_pages(settings, port, page))
