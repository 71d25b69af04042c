"""Errors that a person can act on, each with the exit code of the command that meets it.

Exit codes: 0 done, 1 refused, 2 wrong usage or configuration, 3 the platform failed,
4 hold (no decision yet), 130 interrupted.
"""


class MlopsError(Exception):
    """A failure with a clear sentence and a documented exit code."""

    exit_code = 3


class Refused(MlopsError):
    """A gate or a data contract said no."""

    exit_code = 1


class ConfigError(MlopsError):
    """A setting, an option or a file is wrong; nothing was started."""

    exit_code = 2


class PlatformError(MlopsError):
    """A server, a registry or another part of the platform failed."""

    exit_code = 3


class Hold(MlopsError):
    """There is not enough evidence for a decision yet."""

    exit_code = 4


class StubNotFilled(NotImplementedError):
    """A function of `use_case/` that its team has still to write."""
