"""Where the processes of jobs and deployments run."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_LEFT_OUT = ("PYTHON", "VIRTUAL_ENV", "AZUREML_", "AML_", "MLOPS_", "COV_", "PYTEST_")


class Machine(Protocol):
    """Something that runs a job's steps or a deployment's server."""

    def process(
        self,
        command: list[str],
        variables: Mapping[str, str],
        *,
        cwd: Path,
        sees: list[Path],
        programs: Path | None = None,
    ) -> tuple[list[str], dict[str, str]]:
        """Return the command that this machine is to start in `cwd`, and all its variables.

        Args:
            command: the program and its arguments; `python` is the environment's.
            variables: what the process is told.
            cwd: where it runs.
            sees: the folders and files that it needs, by their paths here.
            programs: a folder of programs that its environment was built with.
        """


@dataclass(frozen=True)
class ThisMachine:
    """Processes run on this machine, in an environment of Python.

    Attributes:
        python: the environment's interpreter.
    """

    python: Path

    def process(
        self,
        command: list[str],
        variables: Mapping[str, str],
        *,
        cwd: Path,
        sees: list[Path],
        programs: Path | None = None,
    ) -> tuple[list[str], dict[str, str]]:
        """Return the command as it is, with the environment's programs first on PATH."""
        folders = [programs, self.python.parent, os.environ["PATH"]]
        path = os.pathsep.join(str(folder) for folder in folders if folder)
        return command, {**clean_environment(), "PATH": path, **variables}


def machine_of(given: Path | Machine) -> Machine:
    """Return a machine, or this one with the environment of an interpreter."""
    return ThisMachine(given) if isinstance(given, Path) else given


def clean_environment() -> dict[str, str]:
    """Return this process's environment without what steers Python, a project or the network."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_LEFT_OUT) and "proxy" not in name.lower()
    }
