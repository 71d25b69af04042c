"""Who is told, and where incidents go: to GitHub in a job of it that has a token, else to files."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from mlops.artifacts.event_folders import documents_folder
from mlops.ci.incidents import open_issue
from mlops.ci.setup_github.gh import Gh
from mlops.monitoring.alerting.act import Done
from mlops.monitoring.alerting.incident import INCIDENTS, OPENED, Incident, write_incident
from mlops.monitoring.alerting.receivers import receivers_of
from mlops.monitoring.retraining.telling import Hearers
from mlops.platforms.base import Platform
from mlops.settings.loading import LoadedSettings


def incidents_of(
    settings: LoadedSettings, variables: Mapping[str, str]
) -> Callable[[Incident], Done]:
    """Return what opens an incident about an environment's endpoint.

    Args:
        settings: of the environment.
        variables: the environment of the process.
    """
    project = settings.project
    if variables.get("GITHUB_ACTIONS") == "true" and variables.get("GH_TOKEN"):
        return partial(open_issue, Gh(project.root))
    folder = documents_folder(project.state_dir, settings.endpoint_name, INCIDENTS)
    return partial(_file_incident, project.root, folder)


def hearers_of(
    platform: Platform, settings: LoadedSettings, variables: Mapping[str, str]
) -> Hearers:
    """Return who is told, and what opens an incident.

    Args:
        platform: where it serves; it may keep addresses that no variable has.
        settings: of the environment.
        variables: the environment of the process, which holds addresses.
    """
    receivers = receivers_of(settings.values.alerts, variables, platform.secret)
    return Hearers(receivers, incidents_of(settings, variables))


def _file_incident(root: Path, folder: Path, incident: Incident) -> Done:
    path = write_incident(folder, incident)
    return Done(OPENED, "a file on this machine", path.relative_to(root).as_posix())
