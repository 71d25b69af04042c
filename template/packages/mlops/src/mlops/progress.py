"""How a long operation tells what it is doing: in lines, and in the stages they belong to."""

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

Report = Callable[[str], None]
"""Receives one line about the progress of a long operation."""


class Stage(StrEnum):
    """What `mlops run` goes through, from raw data to an answer."""

    DATA = "data"
    VALIDATE = "validate"
    TRAIN = "train"
    EVALUATE = "evaluate"
    GATE = "gate"
    REGISTER = "register"
    DEPLOY = "deploy"
    DEPLOY_TO_TEST = "deploy to test"
    SMOKE_TEST = "smoke test"
    RELEASE = "release to prod"
    PREDICT = "predict"


class StageReport(Protocol):
    """Receives the lines of an operation of several stages; without a stage the last one goes on.

    It is a `Report`, too.
    """

    def __call__(self, line: str, stage: Stage | None = None, /) -> None:
        """Tell one line; if it names a stage, that one begins or goes on."""


def silent(_line: str, _stage: Stage | None = None) -> None:
    """Report nothing."""
