"""Who acts: a person at a keyboard, a pipeline's run, or a schedule."""

import getpass
import os
from collections.abc import Mapping

from mlops.governance.audit.entry import Actor

PERSON, PIPELINE, SCHEDULE = "person", "pipeline", "schedule"
JOB = "job"
"""The detail of a line that names its job."""


def actor_of(variables: Mapping[str, str] = os.environ) -> Actor:
    """Return who runs this command, by what GitHub Actions tells a job or else the system's user.

    Whoever started a run acts; that is a claim of the machine that writes, not a proof.

    Args:
        variables: environment variables.
    """
    if variables.get("GITHUB_ACTIONS") == "true":
        scheduled = variables.get("GITHUB_EVENT_NAME") == "schedule"
        name = variables.get("GITHUB_TRIGGERING_ACTOR") or variables.get("GITHUB_ACTOR") or ""
        return Actor(name, SCHEDULE if scheduled else PIPELINE, _run_url(variables))
    try:
        return Actor(getpass.getuser(), PERSON)
    except (OSError, KeyError, ImportError):  # a container without a user's name
        return Actor("unknown", PERSON)


def job_of(variables: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return which job of a pipeline's run this is, as a detail of a line; nothing elsewhere.

    Args:
        variables: environment variables.
    """
    job = variables.get("GITHUB_JOB")
    return {JOB: job} if job and variables.get("GITHUB_ACTIONS") == "true" else {}


def _run_url(variables: Mapping[str, str]) -> str:
    server, repository = variables.get("GITHUB_SERVER_URL"), variables.get("GITHUB_REPOSITORY")
    run = variables.get("GITHUB_RUN_ID")
    if not (server and repository and run):
        return ""
    attempt = variables.get("GITHUB_RUN_ATTEMPT") or "1"
    return f"{server}/{repository}/actions/runs/{run}/attempts/{attempt}"
