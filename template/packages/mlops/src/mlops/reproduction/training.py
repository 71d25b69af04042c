"""Training again in a clean folder, by the code of the recorded commit or the code that is here.

The steps are called one by one, from folder to folder, so that neither runs nor versions nor MLflow
of the project know of it.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mlops.artifacts.documents import VALIDATION_RESULTS
from mlops.artifacts.prepared import read_table
from mlops.artifacts.run_folder import RunFolder
from mlops.data.source import locate
from mlops.data.suppression import NOBODY, Suppression, list_file, secret_file
from mlops.errors import Hold
from mlops.hints import typed
from mlops.monitoring.retraining.commit import checked_out
from mlops.monitoring.retraining.commit_commands import call
from mlops.progress import Report
from mlops.settings.loading import PREFIX, LoadedSettings, load_settings
from mlops.steps.provenance import as_dict, git_state


@dataclass(frozen=True)
class Order:
    """What is to be trained again.

    Attributes:
        environment: of which conf/<environment>.yaml.
        settings: the recorded ones, by their dotted names.
        data_dir: the folder of the data; None: the sample is drawn again.
        place: an empty folder for all that is made.
    """

    environment: str
    settings: Mapping[str, Any]
    data_dir: Path | None
    place: Path

    @property
    def run(self) -> RunFolder:
        """Where the outputs of the steps are."""
        return RunFolder(self.place / "run")

    @property
    def state_dir(self) -> Path:
        """The state of the project that trains again."""
        return self.place / "state"


def suppressing(settings: LoadedSettings) -> dict[str, str]:
    """Return the settings by which a project with another state finds this one's list."""
    return {
        "forget.list_file": str(list_file(settings).resolve()),
        "forget.secret_file": str(secret_file(settings).resolve()),
    }


def train_here(order: Order, settings: LoadedSettings, report: Report) -> None:
    """Train by the code and the packages that run now; stop where the data are refused.

    Args:
        order: what to train.
        settings: name the project and the clock; the values are the order's.
        report: receives lines about the progress.

    Raises:
        MlopsError: a step failed.
    """
    from mlops.steps import evaluate, fit, prepare, validate

    project = replace(settings.project, state=order.state_dir)
    asked = {**order.settings, **suppressing(settings)}
    again = load_settings(project, order.environment, asked, variables={}, clock=settings.clock)
    run, git = order.run, as_dict(git_state(project.root))
    report("checking the data")
    if not validate.run(locate(again, order.data_dir), run.validated.path, again).passed:
        return
    report("training")
    prepare.run(run.validated.path, run.prepared_path, again)
    fit.run(run.prepared_path, run.model.path, again, git)
    report("measuring on the holdout")
    evaluate.run(run.prepared_path, run.model.path, run.evaluation.path, again)


def train_commit(
    order: Order, root: Path, commit: str, report: Report, suppression: Suppression = NOBODY
) -> None:
    """Train by the code of a commit and the packages of its lock; stop where data are refused.

    Args:
        order: what to train.
        root: the project, in a clone that has the commit.
        commit: in full.
        report: receives lines about the progress.
        suppression: whose rows it must leave out.

    Raises:
        Hold: a step of that commit failed, or it does not leave out who was forgotten.
        ConfigError: git or uv is not installed.
        PlatformError: git does not check it out.
    """
    run, data = order.run, order.data_dir
    named = () if data is None else ("--data-dir", data.resolve())
    validated, prepared, model = run.validated.path, run.prepared_path, run.model.path
    steps: dict[str, tuple[object, ...]] = {
        "validate": (*named, "--output", validated),
        "prepare": ("--validated", validated, "--output", prepared),
        "fit": ("--prepared", prepared, "--output", model),
        "evaluate": (
            *("--prepared", prepared, "--model", model),
            *("--output", run.evaluation.path),
        ),
    }
    with checked_out(root, commit) as folder:
        report(f"commit {commit[:12]} is checked out")
        variables = variables_of(order.settings, os.environ)
        for name, arguments in steps.items():
            report(f"step {name}")
            asked = ("step", name, "--environment", order.environment, *arguments)
            done = call(folder, order.state_dir, *asked, present=variables)
            if (
                done.returncode
                and name == "validate"
                and (validated / VALIDATION_RESULTS.name).is_file()
            ):
                return
            if done.returncode:
                raise Hold(
                    f"{typed(f'step {name}')} of commit {commit[:12]} ended with exit code "
                    f"{done.returncode}, so nothing can be compared",
                    "what it said stands above",
                )
            if name == "validate" and suppression:
                _require_without(run, suppression, commit)


def _require_without(run: RunFolder, suppression: Suppression, commit: str) -> None:
    table = read_table(run.validated.data)
    if suppression.of(table[suppression.column]).any():
        raise Hold(
            f"the code of commit {commit[:12]} reads rows of forgotten keys, since it does not "
            "know the suppression list or its place",
            "--here trains by the code that is here",
        )


def variables_of(settings: Mapping[str, Any], present: Mapping[str, str]) -> dict[str, str]:
    """Return the variables by which a command of another commit gets settings.

    Args:
        settings: by their dotted names.
        present: the variables of this process; those that are settings are left out.
    """
    sections: dict[str, dict[str, Any]] = {}
    for key, value in settings.items():
        section, _, rest = key.partition(".")
        sections.setdefault(section, {})[rest] = value
    told = {f"{PREFIX}{name.upper()}": json.dumps(found) for name, found in sections.items()}
    others = {name: text for name, text in present.items() if not name.startswith(PREFIX)}
    return {**others, **told}
