"""Training a candidate on this machine: by the code and the lock of its commit, in a folder of it.

Each step is a command of that commit, as the pipeline calls them. Runs, versions and MLflow are the
project's own.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops.artifacts.candidate import Candidate, served_code
from mlops.artifacts.data_source import FOLDER
from mlops.data.source import locate
from mlops.errors import ConfigError, PlatformError, Refused
from mlops.files import new_folder
from mlops.hints import typed
from mlops.monitoring.retraining.commit import checked_out
from mlops.monitoring.retraining.commit_commands import call
from mlops.progress import Report
from mlops.settings.loading import LoadedSettings, load_settings

TRAINED_IN = "dev"
"""The environment whose settings training has, as in the pipeline."""
_REFUSED, _WRONG = 1, 2


@dataclass(frozen=True)
class Trained:
    """What came of a candidate that passed the gate.

    `serving` is the folder of its commit's scoring code.
    """

    run_id: str
    model_version: int
    serving: Path


def training_settings(settings: LoadedSettings) -> LoadedSettings:
    """Return the settings that training has, given those of where a model serves."""
    return load_settings(settings.project, TRAINED_IN, clock=settings.clock)


def train_here(
    candidate: Candidate, manifest: Path, settings: LoadedSettings, report: Report
) -> Trained:
    """Train, judge and register a candidate.

    Raises:
        Refused: the data or the gate say no.
        ConfigError: the candidate's code finds its configuration wrong, or uv is missing.
        PlatformError: a step failed.
    """
    project = settings.project
    with checked_out(project.root, candidate.commit) as folder:
        report(f"commit {candidate.commit[:12]} is checked out")
        commands = _Commands(folder, project.state_dir.resolve(), report)
        data = _data_options(candidate, settings)
        manifest = manifest.resolve()
        run_id = str(commands.call("train", "--candidate", manifest, *data)["run_id"])
        commands.call("evaluate", "--run-id", run_id)
        version = int(commands.call("register", "--run-id", run_id)["version"])
        serving = served_code(project.state_dir, candidate)
        with new_folder(serving) as copy:
            shutil.copytree(folder / "serving", copy, dirs_exist_ok=True)
    return Trained(run_id, version, serving)


def _data_options(candidate: Candidate, settings: LoadedSettings) -> Sequence[object]:
    """Return where the data are: a folder of the project is not in a folder of its commit."""
    if candidate.data.kind != FOLDER:
        return ()
    folder = settings.project.root / candidate.data.name
    return ("--data-dir", locate(training_settings(settings), folder).folder.resolve())


@dataclass(frozen=True)
class _Commands:
    """The commands of another commit."""

    folder: Path
    state_dir: Path
    report: Report

    def call(self, name: str, *arguments: object) -> dict[str, Any]:
        """Run one; return the JSON that it prints.

        Raises:
            Refused: it ended with exit code 1.
            ConfigError: it ended with 2, or there is no uv.
            PlatformError: it ended otherwise than well, or printed something else.
        """
        self.report(f"mlops {name}")
        asked = (name, "--environment", TRAINED_IN, "--json", *arguments)
        done = call(self.folder, self.state_dir, *asked)
        if done.returncode != 0:
            kind = {_REFUSED: Refused, _WRONG: ConfigError}.get(done.returncode, PlatformError)
            raise kind(
                f"{_why(name, done.stdout)}{typed(name)} of the candidate's commit ended with exit "
                f"code {done.returncode}"
            )
        return _read(name, done.stdout)


def _read(name: str, printed: str) -> dict[str, Any]:
    try:
        content = json.loads(printed)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise PlatformError(f"{typed(name)} of the candidate's commit printed no JSON object")
    return content


def _why(name: str, printed: str) -> str:
    """Return what a verdict that was printed says of the checks that failed."""
    if name != "evaluate":
        return ""
    try:
        checks = _read(name, printed).get("checks", [])
    except PlatformError:
        return ""
    failed = [
        f"{each['name']} is {each['found']}, asked: {each['asked']}"
        for each in checks
        if not each["passed"]
    ]
    return f"{', '.join(failed)}: " if failed else ""
