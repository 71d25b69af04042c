"""Errors that a person can act on, each with the exit code of the command that meets it.

Exit codes: 0 done, 1 refused, 2 wrong usage or configuration, 3 the platform failed,
4 hold (no decision yet), 130 interrupted.
"""


class MlopsError(Exception):
    """A failure with a clear sentence, what to do about it, and a documented exit code.

    As text it is the sentence and, after a semicolon, the remedy.

    Args:
        message: what is wrong, or cannot be done.
        remedy: what to do about it; empty if the message says all there is to say.
    """

    exit_code = 3

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        """Return message and remedy in one sentence."""
        return f"{self.message}; {self.remedy}" if self.remedy else self.message


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


class Interrupted(MlopsError):
    """A person or a machine ended the command before it was done."""

    exit_code = 130


class StubNotFilled(NotImplementedError):
    """A function of the use case that its team has still to write."""
