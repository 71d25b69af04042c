"""The command `mlops`: what all commands have in common, from exit codes to Ctrl-C."""

import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

import click

from mlops.cli.commands import COMMANDS
from mlops.cli.lazy import LazyGroup
from mlops.cli.streams import lasting_streams
from mlops.errors import ConfigError, Interrupted, MlopsError, StubNotFilled
from mlops.full_disk import DiskFull, is_full
from mlops.hints import typed

UNEXPECTED = 3
PATIENCE = 5

_interruptions = 0


def _show_version(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted:
        from mlops.cli.version import machinery_version

        click.echo(f"mlops {machinery_version()}")
        context.exit()


@click.group(
    cls=LazyGroup,
    commands=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
def mlops() -> None:
    """Validate data, train, judge, register and serve a model."""


def main() -> NoReturn:
    """Run the command line; every expected failure ends in one sentence and its exit code."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    with lasting_streams() as stdout:

        def command() -> None:
            mlops.main(standalone_mode=False)
            stdout.require_written()

        code = exit_code_of(command)
    sys.exit(code)


def exit_code_of(command: Callable[[], object]) -> int:
    """Run a command; return its exit code, having said why if it failed."""
    try:
        command()
    except click.ClickException as error:
        error.show()
        return ConfigError.exit_code
    except StubNotFilled as error:
        from mlops.usecase.stubs import told

        _fail(
            f"a stub of the use case is not filled yet: {told(error)} ({typed('stubs')} lists them)"
        )
        return ConfigError.exit_code
    except MlopsError as error:
        _fail(str(error))
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        _fail("interrupted")
        return Interrupted.exit_code
    except Exception as error:
        _fail_unexpectedly(error)
        return UNEXPECTED
    return 0


def _fail_unexpectedly(error: Exception) -> None:
    if is_full(error):
        _fail(str(DiskFull(getattr(error, "filename", None) or "a file")))
    elif isinstance(error, OSError):
        _fail(f"{error.strerror or error}: {error.filename or 'the operating system refused'}")
    else:
        import traceback

        traceback.print_exc()


def _fail(message: str) -> None:
    click.secho(f"error: {message}", fg="red", err=True)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    """End the command; while it puts things back, be patient with those who press Ctrl-C again."""
    global _interruptions
    _interruptions += 1
    if _interruptions in (1, PATIENCE):
        raise KeyboardInterrupt
    click.echo(
        f"putting back what was before; {PATIENCE - _interruptions} more to leave it half done",
        err=True,
    )
