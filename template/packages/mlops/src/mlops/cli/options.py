"""The options that several commands share, and the settings that they choose."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from mlops.clock import Clock, system_clock
from mlops.settings.loading import LoadedSettings, load_settings
from mlops.settings.project import find_project
from mlops.window import span_of

_Command = TypeVar("_Command", bound=Callable[..., Any])

environment_option = click.option(
    "--environment",
    metavar="NAME",
    help="Which conf/<NAME>.yaml; default: MLOPS_ENVIRONMENT or dev.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
data_dir_option = click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    help="Folder of Parquet or CSV files; default: the source that conf names.",
)
run_option = click.option("--run-id", required=True, help="The training run, as `train` prints it.")
version_option = click.option(
    "--model-version", type=int, required=True, help="The registered version."
)
folder = click.Path(path_type=Path, file_okay=False)


def clock() -> Clock:
    """Return what tells the time: what the command line was called with, else the system's."""
    context = click.get_current_context(silent=True)
    given: Clock | None = context.find_root().obj if context else None
    return given or system_clock


def now() -> datetime:
    """Return the present time, in UTC."""
    return clock()()


def settings_for(
    environment: str | None, overrides: dict[str, Any] | None = None
) -> LoadedSettings:
    """Return the settings of the project that holds the current folder.

    Args:
        environment: which conf/<environment>.yaml; None: MLOPS_ENVIRONMENT or dev.
        overrides: what options of the command say, by the dotted name of the setting.

    Raises:
        ConfigError: the folder is in no project, or a setting is not valid.
    """
    return load_settings(find_project(), environment, overrides or {}, clock=clock())


def seconds_of(_context: click.Context, option: click.Parameter, value: str | None) -> float | None:
    """Return the seconds of a time such as 90s, 30m or 1h."""
    if value is None:
        return None
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([smh]?)", value.strip())
    seconds = float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[found[2]] if found else 0.0
    if seconds <= 0:
        without = "; leave the option out not to wait" if option.name == "wait" else ""
        raise click.BadParameter(
            f"{value!r} is no time such as 90s, 30m or 1h: it must be more than 0, and a number "
            f"alone means seconds{without}"
        )
    return seconds


def since_of(
    _context: click.Context, _option: click.Parameter, value: str | None
) -> timedelta | None:
    """Return the span of time that a text such as 7d, 36h or 90m says."""
    if value is None:
        return None
    try:
        return span_of(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def since_option_for(default: str) -> Callable[[_Command], _Command]:
    """Return the option `--since`, by what counts without it in words."""
    return click.option(
        "--since",
        metavar="SPAN",
        callback=since_of,
        help=f"Look at the events of the last 7d, 36h or 90m; default: {default}.",
    )


since_option = since_option_for("the days that conf names")
