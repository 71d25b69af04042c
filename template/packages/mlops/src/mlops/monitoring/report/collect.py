"""Reads what the page says: endpoints, their events, what was kept of releases and checks."""

from typing import Any

from mlops.artifacts import drift_result, performance_result
from mlops.artifacts.documents import EVIDENCE
from mlops.artifacts.event_folders import documents_folder
from mlops.artifacts.evidence_folder import releases_folder
from mlops.clock import Clock
from mlops.errors import MlopsError
from mlops.files import read_json
from mlops.monitoring.report.content import Page, Section, Serving, Table
from mlops.monitoring.report.front import front_sections
from mlops.monitoring.report.kept import kept_records
from mlops.monitoring.report.sections import (
    ab_section,
    drift_section,
    performance_section,
    release_section,
    request_section,
)
from mlops.platforms import open_platform
from mlops.platforms.base import Endpoint, Platform
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
        serving=sorted(
            (_serving(project, name, window, clock, report) for name in environments),
            key=lambda each: not each.url,
        ),
    )


def _serving(
    project: Project, environment: str, window: Window, clock: Clock, report: Report
) -> Serving:
    report(f"reading {environment}")
    name = environment
    try:
        settings = load_settings(project, environment, clock=clock)
        name = settings.endpoint_name
        platform = open_platform(settings)
        endpoint = platform.endpoint(name)
        sections = _sections(settings, platform, endpoint, window)
        if not endpoint.exists():
            return Serving(environment, name, sections=sections)
        return Serving(
            environment, name, endpoint.url(), deployments=_deployments(endpoint), sections=sections
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


def _sections(
    settings: LoadedSettings, platform: Platform, endpoint: Endpoint, window: Window
) -> tuple[Section, ...]:
    environment = settings.values.environment
    records, problems = _records(settings, platform)
    return (
        request_section(environment, endpoint.predictions(window), window),
        *front_sections(endpoint, window),
        release_section(records, endpoint.checks(CHANGE, window), problems),
        ab_section(environment, records),
        drift_section(environment, _newest(settings, drift_result.CHECK, drift_result.SCHEMA)),
        performance_section(
            environment,
            _newest(settings, performance_result.CHECK, performance_result.SCHEMA),
            window,
        ),
    )


def _newest(settings: LoadedSettings, check: str, schema: int) -> dict[str, Any] | None:
    """Return the newest document of a check, or None."""
    folder = documents_folder(settings.project.state_dir, settings.endpoint_name, check)
    newest = max(folder.glob("*.json"), default=None)
    return None if newest is None else read_json(newest, schema=schema)


def _records(
    settings: LoadedSettings, platform: Platform
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return what evidence.json of each release to the environment says, and what is unreadable.

    Releases of this machine come from its folder, those of others from beside the versions.
    """
    state_dir, name = settings.project.state_dir, settings.endpoint_name
    here = sorted((releases_folder(state_dir) / name).glob(f"*/{EVIDENCE.name}"))
    kept, problems = kept_records(
        platform, settings.values.environment, name, state_dir / "kept-evidence"
    )
    found = [*(EVIDENCE.read(path.parent) for path in here), *kept]
    by_moment = {(each["ended_at"], each["candidate"]): each for each in found}
    return list(by_moment.values()), problems
