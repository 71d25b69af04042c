"""What commands of a simulation see of this machine: nothing by which they reach anything else.

Settings, secrets and addresses of the team are taken away, and the platform is this machine,
whatever conf says.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from mlops.settings.loading import PREFIX
from mlops.settings.platform_names import THIS_MACHINE
from mlops.settings.project import STATE_VARIABLE

DATA = ".mlops/raw"
"""Where raw data arrive, from the root; git ignores it."""
AHEAD_VARIABLE = "AHEAD_OF_MLOPS"
"""By this environment variable the command of another commit is told the time: seconds ahead."""
_PREFIXES = (PREFIX, "ALERTS_", "AZURE_", "ARM_", "GITHUB_", "GIT_", "MLFLOW_", "ACTIONS_")
_NAMES = frozenset({STATE_VARIABLE, AHEAD_VARIABLE, "GH_TOKEN", "GH_HOST", "CI", "UV"})
_SETTINGS = {
    "PLATFORM": THIS_MACHINE,
    "DATA__SOURCE": "folder",
    "DATA__FOLDER": DATA,
    "DATA__FRACTION": "1.0",
    "DATA__REFERENCE_DATE": "null",
    "ALERTS__RECEIVERS": "[]",
}


def cleaned(variables: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a simulation's commands.

    Args:
        variables: the environment of this process.
        more: what is set besides; it wins over all else.
    """
    kept = {
        name: text
        for name, text in variables.items()
        if name not in _NAMES and not name.startswith(_PREFIXES)
    }
    return {**kept, **{f"{PREFIX}{name}": text for name, text in _SETTINGS.items()}, **more}


@contextmanager
def inside(folder: Path, variables: Mapping[str, str]) -> Iterator[None]:
    """Let this process work in a folder, with another environment, until the block ends."""
    before, place = dict(os.environ), Path.cwd()
    _set(variables)
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(place)
        _set(before)


def _set(variables: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(variables)
