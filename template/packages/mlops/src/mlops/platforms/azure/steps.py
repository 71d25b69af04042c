"""The steps of a training job: how far each is, and what a failed one printed."""

import contextlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mlops.errors import MlopsError
from mlops.platforms.azure.client import AzureClients
from mlops.platforms.azure.errors import azure_errors, word_of

STEPS = ("validate", "prepare", "fit", "evaluate")
LOG = "std_log.txt"
_FAILED = "failed"
_WITHDRAWN = "PreemptionError"
_LOG_LINES = 30


@dataclass(frozen=True)
class Step:
    """One step of a job, which is a job of its own in Azure."""

    job: str
    name: str
    status: str
    url: str


def steps_of(clients: AzureClients, job: str) -> list[Step]:
    """Return the steps of a job in their order, as far as Azure tells; it may not have all yet."""
    found = []
    with contextlib.suppress(MlopsError), azure_errors(f"listing the steps of {job}"):
        found = [each for each in clients.workspace.jobs.list(parent_job_name=job) if each]
    steps = [
        Step(
            job=str(each.name),
            name=str(each.display_name or each.name),
            status=word_of(each.status),
            url=str(each.studio_url or ""),
        )
        for each in found
    ]
    return sorted(steps, key=lambda step: STEPS.index(step.name) if step.name in STEPS else 99)


def in_words(steps: Sequence[Step]) -> str:
    """Return how far the steps are, such as `validate completed, prepare running`."""
    return ", ".join(f"{step.name} {step.status}" for step in steps)


def failed_step(steps: Sequence[Step]) -> Step | None:
    """Return the first step that failed."""
    return next((step for step in steps if step.status == _FAILED), None)


def end_of_log(clients: AzureClients, step: Step) -> str:
    """Return the last lines that a step printed, or nothing if they cannot be had."""
    with contextlib.suppress(MlopsError), tempfile.TemporaryDirectory() as folder:
        with azure_errors(f"downloading the log of {step.name}"):
            clients.workspace.jobs.download(step.job, download_path=folder)
        for log in sorted(Path(folder).rglob(LOG)):
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
            return "\n".join(lines[-_LOG_LINES:])
    return ""


def was_withdrawn(clients: AzureClients, job: str) -> bool:
    """Tell whether a job failed because Azure took back a machine, as it may a spot machine."""
    failed = [step.job for step in steps_of(clients, job) if step.status == _FAILED]
    return any(_WITHDRAWN in _error_of(clients, each) for each in (job, *failed))


def _error_of(clients: AzureClients, job: str) -> str:
    """Return what Azure itself says of a job's failure; nothing if it cannot be had.

    The SDK shows it to nobody who does not stream the job.
    """
    with contextlib.suppress(MlopsError, AttributeError), azure_errors(f"reading how {job} ended"):
        details = clients.workspace.jobs._runs_operations.get_run_details(job)
        return str(details.error.as_dict()) if details.error else ""
    return ""
