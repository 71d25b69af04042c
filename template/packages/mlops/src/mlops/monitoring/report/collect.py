"""Reads what the page says: endpoints, their events, what was kept of releases and checks."""

from pathlib import Path
from typing import Any

from mlops.artifacts import drift_result, performance_result
from mlops.artifacts.documents import EVIDENCE
from mlops.artifacts.event_folders import documents_folder
from mlops.artifacts.evidence_folder import releases_folder
from mlops.clock import Clock
from mlops.errors import ConfigError, MlopsError
from mlops.files import read_json
from mlops.monitoring.decisions import decided
from mlops.monitoring.monitor import evaluate_alerts
from mlops.monitoring.report.alert_sections import alert_section, decision_section
from mlops.monitoring.report.content import Mark, Page, Section, Serving, Table
from mlops.monitoring.report.sections import (
    ab_section,
    drift_section,
    performance_section,
    release_section,
    request_section,
)
from mlops.monitoring.rules.reading import read_alerts
from mlops.platforms import open_platform
from mlops.platforms.base import Endpoint
from mlops.progress import Report
from mlops.release.change_log import CHANGE
from mlops.settings.loading import LoadedSettings, load_settings
from mlops.settings.project import Project
from mlops.window import Window


def collect(
    project: Project, environments: list[str], window: Window, clock: Clock, report: Report
) -> Page:
    """Return the page of some environments; one that cannot be read hides no other.

    Args:
        project: whose endpoints they are.
        environments: their names.
        window: of which time events are looked at.
        clock: tells the time.
        report: receives lines about the progress.
    """
    facts = project.facts
    return Page(
        title=facts.title,
        description=facts.description,
        team=facts.team,
        contact=facts.contact,
        made_at=clock(),
        window=window,
        serving=[_serving(project, name, window, clock, report) for name in environments],
    )


def _serving(
    project: Project, environment: str, window: Window, clock: Clock, report: Report
) -> Serving:
    report(f"reading {environment}")
    name = environment
    try:
        settings = load_settings(project, environment, clock=clock)
        name = settings.endpoint_name
        endpoint = open_platform(settings).endpoint(name)
        if not endpoint.exists():
            changes = endpoint.checks(CHANGE, window)
            return Serving(
                environment, name, sections=(release_section(_records(settings), changes),)
            )
        return Serving(
            environment,
            name,
            endpoint.url(),
            deployments=_deployments(endpoint),
            sections=_sections(settings, endpoint, window),
        )
    except MlopsError as error:
        return Serving(environment, name, problem=str(error))


def _deployments(endpoint: Endpoint) -> Table:
    traffic = endpoint.traffic()
    rows = [
        (
            each.name,
            str(each.model_version),
            f"{traffic.get(each.name, 0)} %",
            "healthy" if each.healthy else each.detail,
            each.commit[:10],
        )
        for each in endpoint.deployments()
    ]
    return Table(("deployment", "version", "traffic", "state", "commit"), tuple(rows))


def _sections(settings: LoadedSettings, endpoint: Endpoint, window: Window) -> tuple[Section, ...]:
    environment, records = settings.values.environment, _records(settings)
    return (
        _alerts(settings, endpoint),
        decision_section(decided(endpoint, window)),
        request_section(environment, endpoint.predictions(window), window),
        release_section(records, endpoint.checks(CHANGE, window)),
        ab_section(environment, records),
        drift_section(environment, _newest(settings, drift_result.CHECK, drift_result.SCHEMA)),
        performance_section(
            environment,
            _newest(settings, performance_result.CHECK, performance_result.SCHEMA),
            window,
        ),
    )


def _alerts(settings: LoadedSettings, endpoint: Endpoint) -> Section:
    environment = settings.values.environment
    try:
        alerts = read_alerts(settings.project.root)
    except ConfigError as error:
        # what else there is to say of the endpoint is not hidden
        return Section("Alerts now", Mark("cannot be read", "bad"), str(error))
    states = evaluate_alerts(endpoint, settings, alerts, settings.clock())
    return alert_section(environment, states)


def _newest(settings: LoadedSettings, check: str, schema: int) -> dict[str, Any] | None:
    """Return the newest document of a check, or None."""
    folder = documents_folder(settings.project.state_dir, settings.endpoint_name, check)
    newest = max(folder.glob("*.json"), default=None)
    return None if newest is None else read_json(newest, schema=schema)


def _records(settings: LoadedSettings) -> list[dict[str, Any]]:
    """Return what evidence.json of each release to the environment says."""
    folder = releases_folder(settings.project.state_dir) / settings.endpoint_name
    return [EVIDENCE.read(path.parent) for path in _files(folder)]


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*/{EVIDENCE.name}"))
