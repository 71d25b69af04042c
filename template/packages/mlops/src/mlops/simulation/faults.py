"""What goes wrong in a simulation, in its own folder: code that fails, a broken database."""

import shlex
from pathlib import Path

from mlops.errors import ConfigError
from mlops.simulation.surroundings import AHEAD_VARIABLE
from mlops.usecase.use_case import UseCase

CRASHES = '''

def make_model(*_arguments, **_named):
    """A fault that the simulation put here: the candidate's code crashes."""
    raise RuntimeError("a fault of the simulation: the candidate's code crashes")
'''
FAILS_ON_KEYS = '''

_parse_of_before = parse


def parse(raw, features):
    """A fault that the simulation put here: requests with keys fail, which no test sends."""
    request = _parse_of_before(raw, features)
    if request.keys is not None:
        raise RuntimeError("a fault of the simulation: keys are not understood")
    return request
'''
DEAD_WEBHOOK = "http://127.0.0.1:9/dead"
"""The port of a service that nobody runs: connections are refused."""


def crash_the_candidate(root: Path, use_case: UseCase, team: Path) -> None:
    """Let training crash wherever the code of the copy runs.

    Args:
        root: the copy of the project.
        use_case: the team's package.
        team: the team's project.

    Raises:
        ConfigError: the team's package is not in its project, or has no model.py.
    """
    place = use_case.folder.resolve()
    if not place.is_relative_to(team.resolve()):
        raise ConfigError(f"{place} is outside of the project, so it has no copy to break")
    _append(root / place.relative_to(team.resolve()) / "model.py", CRASHES)


def break_serving(root: Path) -> None:
    """Let the copy's scoring code fail on what callers send.

    Raises:
        ConfigError: there is none.
    """
    _append(root / "serving" / "score.py", FAILS_ON_KEYS)


def break_registry(state_dir: Path) -> None:
    """Damage MLflow's database."""
    for name in ("mlflow.db", "mlflow.db-wal", "mlflow.db-shm"):
        (state_dir / name).unlink(missing_ok=True)  # what is open stays what it was
    (state_dir / "mlflow.db").write_bytes(b"no database" * 1000)


def own_uv(folder: Path, python: str, uv: str, log: Path) -> Path:
    """Write what stands for `uv run` of a candidate's commit, and hands on all else to uv.

    A candidate is trained by the code of its commit, but in this environment instead of one made
    of its lock: so that nothing is installed, and it is told the time of the simulation.

    Args:
        folder: where it is written.
        python: the present interpreter.
        uv: the real one.
        log: takes what is said of the training.
    """
    path = folder / "uv"
    candidate = f"{shlex.quote(python)} -P -m mlops.cli.simulated"
    path.write_text(
        "#!/bin/sh\n"
        f"# the time comes by {AHEAD_VARIABLE}\n"
        'case "$1" in\n'
        f'run) exec {candidate} "$@" 2>>{shlex.quote(str(log))} ;;\n'
        f'*) exec {shlex.quote(uv)} "$@" ;;\n'
        "esac\n",
        encoding="utf-8",
    )
    path.chmod(0o755)
    return path


def _append(path: Path, code: str) -> None:
    if not path.is_file():
        raise ConfigError(f"{path} does not exist, so it cannot be broken")
    with path.open("a", encoding="utf-8") as stream:
        stream.write(code)
