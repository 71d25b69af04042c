"""One look at an endpoint, and what follows from it: what `mlops monitor` does."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from mlops.artifacts.event_folders import documents_folder
from mlops.ci.incidents import open_issue
from mlops.ci.job import set_output
from mlops.ci.setup_github.gh import Gh
from mlops.errors import ConfigError, MlopsError
from mlops.monitoring.alert_state import Monitored
from mlops.monitoring.alerting.act import Actions, Done, act
from mlops.monitoring.alerting.incident import (
    INCIDENTS,
    OPENED,
    Incident,
    write_incident,
)
from mlops.monitoring.alerting.receivers import Told
from mlops.monitoring.monitor import evaluate_alerts, served_by
from mlops.monitoring.retraining.command import retrain
from mlops.monitoring.retraining.steps import steps_of
from mlops.monitoring.rules.alerts import Alert
from mlops.monitoring.rules.generated import ALERTS_MODULE
from mlops.monitoring.rules.reading import read_alerts
from mlops.platforms.base import Platform
from mlops.platforms.watching import RuleState
from mlops.progress import Report
from mlops.release.tidy import tidy
from mlops.release.withdraw import withdraw
from mlops.settings.loading import LoadedSettings

ACTING, BY_ITSELF = 2, 3
"""The maturity levels from which a monitor tells and tidies, and from which it does the rest."""


def look(platform: Platform, settings: LoadedSettings) -> Monitored:
    """Return how the alerts of an environment's endpoint stand, and do nothing.

    Raises:
        ConfigError: observability/alerts.yaml is missing or wrong.
        PlatformError: the endpoint cannot be read.
    """
    alerts = read_alerts(settings.project.root)
    endpoint = platform.endpoint(settings.endpoint_name)
    now = settings.clock()
    return Monitored(
        environment=settings.values.environment,
        endpoint=endpoint.name,
        time=now,
        serves=served_by(endpoint).version is not None,
        states=tuple(evaluate_alerts(endpoint, settings, alerts, now)),
        rules=_rules(platform, settings, alerts),
    )


def look_and_act(
    platform: Platform, settings: LoadedSettings, actions: Actions, receivers: Sequence[Told]
) -> Monitored:
    """Return how the alerts stand, and what was done about it.

    Args:
        platform: where it serves.
        settings: of the environment.
        actions: what may be done.
        receivers: who is told.

    Raises:
        ConfigError: the project's maturity level has no actions yet, or as for `look`.
        PlatformError: the endpoint cannot be read.
    """
    require_acting(settings)
    found = look(platform, settings)
    endpoint = platform.endpoint(settings.endpoint_name)
    deeds = act(
        endpoint,
        settings,
        found.states,
        actions,
        receivers,
        serving=served_by(endpoint).versions,
        now=found.time,
    )
    return replace(found, deeds=tuple(deeds))


def require_acting(settings: LoadedSettings) -> None:
    """Refuse to act below the level that brings it.

    Raises:
        ConfigError: so.
    """
    level = settings.project.maturity_level
    if level < ACTING:
        raise ConfigError(
            f"acting on alerts comes with maturity level {ACTING}, and this project is at {level}",
            f"raise it with `uvx copier update -d maturity_level={ACTING}`, or leave --act out",
        )


def actions_of(
    platform: Platform, settings: LoadedSettings, variables: Mapping[str, str], report: Report
) -> Actions:
    """Return what may be done about an alarm at the project's maturity level.

    Incidents are opened on GitHub in a job of it that has a token, else as files.

    Args:
        platform: where it serves.
        settings: of the environment.
        variables: the environment.
        report: is told what is being done.
    """
    project, endpoint = settings.project, platform.endpoint(settings.endpoint_name)

    def tidied() -> list[str]:
        removed = tidy(platform, endpoint, settings, settings.clock(), report)
        return [f"{name} was kept long enough" for name in removed]

    def withdrawn(version: int, _cause: str) -> Done:
        found = withdraw(platform, endpoint, version, settings, report)
        returned = None if found.returned is None else f"version {found.returned}"
        return Done(found.outcome.value, found.reason, returned)

    folder = documents_folder(project.state_dir, settings.endpoint_name, INCIDENTS)
    opened = partial(_file_incident, project.root, folder)
    if variables.get("GITHUB_ACTIONS") == "true" and variables.get("GH_TOKEN"):
        opened = partial(open_issue, Gh(project.root))
    if project.maturity_level < BY_ITSELF:
        return Actions(opened, tidied)
    return Actions(opened, tidied, withdrawn, partial(_retrained, platform, settings, report))


def _retrained(platform: Platform, settings: LoadedSettings, report: Report, _cause: str) -> Done:
    """Have the policy decide; what it decides to train is trained here, or by the pipeline."""
    found = retrain(platform, settings, steps_of(platform), report)
    if found.candidate is not None:
        set_output("candidate", found.candidate.line())
    subject = None if found.new_version is None else f"version {found.new_version}"
    return Done(found.outcome, found.reason, subject)


def _file_incident(root: Path, folder: Path, incident: Incident) -> Done:
    path = write_incident(folder, incident)
    return Done(OPENED, "a file on this machine", path.relative_to(root).as_posix())


def _rules(
    platform: Platform, settings: LoadedSettings, alerts: Sequence[Alert]
) -> tuple[tuple[str, str], ...]:
    """Return what is wrong with the rules by which the platform itself watches."""
    if not (settings.project.root / ALERTS_MODULE).is_file():
        return ()
    try:
        found = platform.alert_rules([alert.id for alert in alerts])
    except MlopsError as error:
        return (("all", f"cannot be read: {error.message}"),)
    if found is None:
        return ()
    return tuple((name, state.value) for name, state in found.items() if state is not RuleState.ON)
