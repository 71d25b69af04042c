"""Commands of another commit of the project, with the packages of that commit's lock."""

import os
import shutil
import subprocess  # nosec B404  # only uv, with fixed arguments
from collections.abc import Mapping
from pathlib import Path

from mlops.errors import ConfigError
from mlops.monitoring.alerting.receivers import VARIABLES
from mlops.settings.project import STATE_VARIABLE

_OF_THIS_ENVIRONMENT = ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "PYTHONPATH")
_SECRETS = (*VARIABLES.values(), "GH_TOKEN", "GITHUB_TOKEN")
"""What the code of another commit, and its packages, need not know."""


def call(
    folder: Path,
    state_dir: Path,
    *arguments: object,
    present: Mapping[str, str] = os.environ,
) -> "subprocess.CompletedProcess[str]":
    """Run a command in a folder that `checked_out` made; what it prints for people is shown.

    Args:
        folder: the project at that commit.
        state_dir: where it keeps its state.
        arguments: what follows `mlops`.
        present: the environment that it gets, but for secrets and what leads to another one.

    Raises:
        ConfigError: there is no uv.
    """
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv is None:
        raise ConfigError("uv is not installed, which makes the environment of another commit")
    left_out = {*_OF_THIS_ENVIRONMENT, *_SECRETS}
    kept = {name: text for name, text in present.items() if name not in left_out}
    # a fixed program, no shell
    return subprocess.run(  # nosec B603
        [uv, "run", "--locked", "--quiet", "mlops", *map(str, arguments)],
        cwd=folder,
        env={**kept, STATE_VARIABLE: str(state_dir)},
        stdout=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
