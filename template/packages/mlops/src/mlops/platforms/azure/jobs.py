"""Training on Azure ML: submit the pipeline of aml/pipelines, wait for it, fetch its outputs."""

import contextlib
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from mlops.artifacts.data_source import ASSET, FOLDER
from mlops.artifacts.documents import VALIDATION_RESULTS
from mlops.artifacts.run_folder import STEP_OUTPUTS, RunFolder
from mlops.data.findings import DATA_REFUSED, stored_sentence
from mlops.data.source import as_told, shown_path
from mlops.errors import ConfigError, MlopsError, PlatformError, Refused
from mlops.files import new_folder
from mlops.hints import typed
from mlops.platforms.azure.client import AzureClients
from mlops.platforms.azure.environments import TRAINING, environment_id
from mlops.platforms.azure.errors import NotFound, azure_errors, word_of
from mlops.platforms.azure.job_code import copy_code
from mlops.platforms.azure.outputs import download_output
from mlops.platforms.azure.steps import (
    LOG,
    STEPS,
    Step,
    end_of_log,
    failed_step,
    in_words,
    steps_of,
    was_withdrawn,
)
from mlops.platforms.base import Run
from mlops.progress import Report
from mlops.settings.loading import ENVIRONMENT_VARIABLE, PREFIX
from mlops.steps.forgotten_rows import require_nobody_forgotten
from mlops.steps.provenance import GitState

PIPELINE = "aml/pipelines/train.yml"
_COMPLETED, _FAILED = "completed", "failed"
_ENDED = (_COMPLETED, _FAILED, "canceled", "notresponding", "paused")
_TELL_SECONDS = 60.0
_LOST_SECONDS = 600.0
_OF_THE_CLIENT = (ENVIRONMENT_VARIABLE, f"{PREFIX}PLATFORM", f"{PREFIX}AZURE__")


def new_job_name(environment: str, now: datetime) -> str:
    """Return a name that no other job has; it is the run's id."""
    return f"train-{environment}-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def passed_on(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that set something for the steps of a job, as they would here."""
    return {
        name: value
        for name, value in variables.items()
        if name.startswith(PREFIX) and value and not name.startswith(_OF_THE_CLIENT)
    }


def build_job(
    clients: AzureClients,
    name: str,
    git: GitState,
    code: Path,
    data_dir: Path | None,
    report: Report,
) -> Any:
    """Return the pipeline job with all that only the moment of its submission knows.

    `code` is the folder that each of its steps gets.

    Raises:
        ConfigError: aml/pipelines/train.yml cannot be used, or no data are named.
    """
    from azure.ai.ml import Input, load_job

    settings = clients.settings
    environment = settings.values.environment
    image = environment_id(clients, TRAINING, report)
    with azure_errors(f"reading {PIPELINE}"):
        job: Any = load_job(settings.project.root / PIPELINE)
    job.name = name
    job.experiment_name = settings.model_name
    job.settings.default_compute = clients.names.compute
    given = {
        "environment": environment,
        "git_commit": git.commit or "none",
        "git_dirty": git.dirty,
    }
    for key, value in given.items():
        setattr(job.inputs, key, value)
    job.tags = {"git.commit": git.commit or "none", "git.dirty": str(git.dirty).lower()}
    for key, step in job.jobs.items():
        step.display_name = key
        step.component.environment = image
        step.component.code = str(code)
        step.environment_variables = passed_on(os.environ)
    if data := _data(clients, data_dir):
        job.jobs["validate"].inputs.data = Input(type="uri_folder", path=data.path)
        job.jobs["validate"].inputs.source = data.told
        job.tags["data"] = data.path
    return job


def train(
    clients: AzureClients, git: GitState, data_dir: Path | None, runs: Path, report: Report
) -> Run:
    """Submit the pipeline, wait for its end and download its outputs.

    An interruption ends the waiting, not the job: `mlops evaluate --run-id` finds it later. A job
    whose machine Azure withdrew is submitted once more.

    Raises:
        Refused: the data did not pass validation.
        PlatformError: a step failed, or took longer than azure.training_timeout_seconds.
    """
    job = _submit(clients, git, data_dir, report)
    status = _wait(clients, job.name, report)
    if status == _FAILED and was_withdrawn(clients, job.name):
        report(f"Azure withdrew the machine of {job.name} (a spot machine): submitting once more")
        job = _submit(clients, git, data_dir, report)
        status = _wait(clients, job.name, report)
    if status != _COMPLETED:
        raise _failure(clients, job.name, status, job.studio_url, runs)
    return fetch(clients, job.name, runs, report)


def _submit(clients: AzureClients, git: GitState, data_dir: Path | None, report: Report) -> Any:
    """Submit the pipeline under a new name; return the job as Azure has it."""
    name = new_job_name(clients.settings.values.environment, clients.settings.clock())
    with tempfile.TemporaryDirectory() as folder:
        code = Path(folder) / "code"
        copy_code(clients.settings.project.root, code)
        job = build_job(clients, name, git, code, data_dir, report)
        report(f"submitting the job {name}")
        with azure_errors(f"submitting the job {name}"):
            submitted = clients.workspace.jobs.create_or_update(job)
    report(f"{name} is submitted: {submitted.studio_url}")
    return submitted


def fetch(clients: AzureClients, name: str, runs: Path, report: Report) -> Run:
    """Download the outputs of a completed job.

    Raises:
        ConfigError: there is no such job.
        Refused: it ended because the data did not pass validation.
        PlatformError: it has not completed, or lacks an output.
    """
    try:
        with azure_errors(f"reading the job {name}"):
            job = clients.workspace.jobs.get(name)
    except NotFound:
        clients.require_workspace()
        raise ConfigError(
            f"there is no run {name!r} in .mlops/runs or in the workspace "
            f"{clients.names.workspace}",
            f"see {typed('status')}",
        ) from None
    status = word_of(job.status)
    if status not in _ENDED:
        raise PlatformError(
            f"the job {name} is {_with_steps(status, steps_of(clients, name))}, not {_COMPLETED}: "
            "it has no outputs yet",
            f"watch it at {job.studio_url}",
        )
    if status != _COMPLETED:
        raise _failure(clients, name, status, job.studio_url, runs)
    with new_folder(runs / name) as folder:
        for output in STEP_OUTPUTS:
            report(f"downloading {output}")
            _download(clients, name, output, folder / output)
    return Run(name, runs / name)


@dataclass(frozen=True)
class _JobData:
    """What the step validate reads: where Azure finds it, and what the step is told that it is."""

    path: str
    told: str


def _data(clients: AzureClients, data_dir: Path | None) -> _JobData | None:
    """Return what the step validate reads, or None if it generates a sample."""
    values = clients.settings.values
    if data_dir is not None:
        if not data_dir.is_dir():
            raise ConfigError(f"--data-dir: the folder {data_dir} does not exist")
        require_nobody_forgotten(data_dir, clients.settings)
        told = as_told(FOLDER, shown_path(data_dir, clients.settings))
        return _JobData(str(data_dir.resolve()), told)
    if asset := values.azure.data_asset:
        return _JobData(f"azureml:{asset}", as_told(ASSET, asset))
    if values.data.source == "folder":
        raise ConfigError(
            "a job in Azure cannot read data.folder of this machine",
            f"{typed('data register --data-dir …')} gives the data a version, which "
            "azure.data_asset names",
        )
    return None


def _wait(clients: AzureClients, name: str, report: Report) -> str:
    """Wait until the job has ended; return its status. A lost connection is waited out."""
    azure = clients.settings.values.azure
    started = heard = time.monotonic()
    told, told_at = "", started
    while True:
        steps: list[Step] = []
        try:
            with azure_errors(f"reading the job {name}", known=True):
                status = word_of(clients.workspace.jobs.get(name).status)
            heard = time.monotonic()
        except ConfigError:
            raise
        except PlatformError as error:
            if time.monotonic() - heard > _LOST_SECONDS:
                raise
            report(f"trying again: {error}")
            status = "not known"
        else:
            steps = steps_of(clients, name)
        said = _with_steps(status, steps)
        spent = time.monotonic() - started
        if said != told or time.monotonic() - told_at >= _TELL_SECONDS:
            report(f"{name}: {said}, {spent:.0f} s")
            told, told_at = said, time.monotonic()
        if status in _ENDED:
            return status
        if spent > azure.training_timeout_seconds:
            raise PlatformError(
                f"the job {name} has not ended after {spent:.0f} s "
                f"(azure.training_timeout_seconds), it is {said}",
                f"it goes on: once it has completed, {typed(f'evaluate --run-id {name}')} judges "
                "it, or cancel it in the studio",
            )
        time.sleep(azure.poll_seconds)


def _with_steps(status: str, steps: Sequence[Step]) -> str:
    return f"{status} ({in_words(steps)})" if steps else status


def _failure(clients: AzureClients, name: str, status: str, url: str, runs: Path) -> MlopsError:
    """Return what to say of a job that did not complete."""
    steps = steps_of(clients, name)
    failed = failed_step(steps)
    if failed is None or failed.name not in STEPS[1:]:
        # the pipeline may not have the output of a step that failed, and the step may not be told
        for job in [failed.job, name] if failed else [name]:
            if refused := _refused(clients, job, runs.parent / "refused" / name):
                return refused
    log = end_of_log(clients, failed) if failed else ""
    if failed and DATA_REFUSED in log:
        return Refused(
            f"{DATA_REFUSED} by the step {failed.name} of {name}: {failed.url or url}\n{log}"
        )
    said = f"the job {name} ended as {_with_steps(status, steps)}"
    if status == _FAILED and was_withdrawn(clients, name):
        return PlatformError(
            f"{said}: Azure withdrew its machine (PreemptionError): {url}",
            "try again, or set compute.low_priority: false for a cluster that is not withdrawn",
        )
    if failed is None:
        return PlatformError(f"{said}: {url}")
    where = f", and {LOG} of the step {failed.name} says why: {failed.url or url}"
    return PlatformError(f"{said}{where}\n{log}".rstrip())


def _refused(clients: AzureClients, job: str, folder: Path) -> Refused | None:
    """Return what the validation found, keeping its results in a folder, unless the data passed."""
    with contextlib.suppress(MlopsError), tempfile.TemporaryDirectory() as scratch:
        found = RunFolder(Path(scratch)).validated
        _download(clients, job, found.path.name, found.path)
        results = found.results()
        if not results["passed"]:
            kept = VALIDATION_RESULTS.write(folder, results)
            values = clients.settings.values.data.show_values
            lines = [f"  {stored_sentence(each, values=values)}" for each in results["failures"]]
            every = f"{kept} holds every failure"
            return Refused("\n".join([f"{DATA_REFUSED}:", *lines, every]))
    return None


def _download(clients: AzureClients, name: str, output: str, target: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = download_output(clients.workspace.jobs, name, output, Path(folder))
        if found is None:
            raise PlatformError(f"the job {name} has no output {output}")
        shutil.copytree(found, target)
