"""What a command that changes what serves says when it is interrupted."""

import signal
from collections.abc import Callable
from functools import wraps
from typing import Any

from mlops.cli.options import settings_for
from mlops.errors import Interrupted, MlopsError
from mlops.ops.status import what_serves


def tells_what_serves(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command with the option --environment say what serves now if it is interrupted.

    A second Ctrl-C ends the asking.
    """

    @wraps(command)
    def call(*args: Any, environment: str | None, **options: Any) -> None:
        try:
            command(*args, environment=environment, **options)
        except KeyboardInterrupt:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            raise Interrupted(_sentences(environment)) from None

    return call


def _sentences(environment: str | None) -> str:
    try:
        found = what_serves(settings_for(environment))
    except MlopsError as error:
        found = [str(error)]
    return "\n  ".join(["interrupted, and this serves now:", *found])
