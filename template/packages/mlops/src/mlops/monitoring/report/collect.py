"""Reads what the page says: endpoints, their events, what was kept of releases and checks."""

from collections.abc import Callable
from typing import Any

from mlops.artifacts import drift_result, performance_result
from mlops.artifacts.documents import EVIDENCE
from mlops.artifacts.evidence_folder import releases_folder
from mlops.clock import Clock
from mlops.errors import ConfigError, MlopsError
from mlops.hints import typed
from mlops.monitoring.decisions import decided
from mlops.monitoring.monitor import evaluate_alerts
from mlops.monitoring.report.alert_sections import alert_section, decision_section
from mlops.monitoring.report.checked import newest_document, outdated
from mlops.monitoring.report.content import Mark, Page, Section, Serving, Table
from mlops.monitoring.report.front import front_sections
from mlops.monitoring.report.kept import kept_records, read_records
from mlops.monitoring.report.sections import (
    ab_section,
    drift_section,
    performance_section,
    release_section,
    request_section,
)
from mlops.monitoring.rules.reading import read_alerts
from mlops.platforms import open_platform
from mlops.platforms.base import Deployment, Endpoint, Platform
from mlops.platforms.lease_terms import WayBack
from mlops.progress import Report
from mlops.release.change_log import BY_HAND, CHANGE
from mlops.release.kept import is_kept, kept
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
        deployed = endpoint.exists()
        url = endpoint.url() if deployed else ""
        deployments = deployments_of(endpoint) if deployed else None
    except MlopsError as error:
        return Serving(environment, name, problem=str(error))
    sections = _sections(settings, platform, endpoint, window)
    return Serving(environment, name, url, deployments=deployments, sections=sections)


def deployments_of(endpoint: Endpoint) -> Table:
    """Return what an endpoint serves, as a table."""
    traffic, way = endpoint.traffic(), kept(endpoint)
    rows = [
        (
            each.name,
            str(each.model_version),
            f"{traffic.get(each.name, 0)} %",
            _state(each, way),
            each.commit[:10],
        )
        for each in endpoint.deployments()
    ]
    return Table(("deployment", "version", "traffic", "state", "commit"), tuple(rows))


def _state(deployment: Deployment, way: WayBack | None) -> str:
    state = "healthy" if deployment.healthy else deployment.detail
    if way is None or not is_kept(deployment, way):
        return state
    return f"{state}, kept until {way.until:%Y-%m-%d %H:%M} UTC"


def _sections(
    settings: LoadedSettings, platform: Platform, endpoint: Endpoint, window: Window
) -> tuple[Section, ...]:
    environment = settings.values.environment
    records, problems = _records(settings, platform)
    changes, unread = _changes(endpoint, window)
    parts: dict[str, Callable[[], Section]] = {
        "Alerts now": lambda: _alerts(settings, endpoint),
        "What was done": lambda: decision_section(decided(endpoint, window)),
        "Requests": lambda: request_section(environment, endpoint.predictions(window), window),
        "Releases": lambda: release_section(records, changes, [*problems, *unread]),
        "Last A/B test": lambda: ab_section(environment, records),
        "Drift": lambda: _drift(settings, endpoint, window),
        "Performance": lambda: _performance(settings, endpoint, window),
    }
    made = {title: _readable(title, make) for title, make in parts.items()}
    place = list(made).index("Requests") + 1
    sections = list(made.values())
    return (*sections[:place], *front_sections(endpoint, window), *sections[place:])


def _readable(title: str, make: Callable[[], Section]) -> Section:
    """Return a section; one that cannot be made says so, and hides no other."""
    try:
        return make()
    except MlopsError as error:
        said = str(error)
    except Exception as error:  # whatever a damaged file brings about
        said = f"what it is made of cannot be understood ({type(error).__name__}: {error})"
    return Section(title, Mark("cannot be read", "bad"), said)


def _drift(settings: LoadedSettings, endpoint: Endpoint, window: Window) -> Section:
    environment, state_dir = settings.values.environment, settings.project.state_dir
    found = newest_document(state_dir, endpoint.name, drift_result.CHECK, drift_result.SCHEMA)
    if found and (why := outdated(found, endpoint, window)):
        return _not_checked("Drift", why, f"drift --environment {environment}")
    return drift_section(environment, found or None)


def _performance(settings: LoadedSettings, endpoint: Endpoint, window: Window) -> Section:
    environment, state_dir = settings.values.environment, settings.project.state_dir
    check, schema = performance_result.CHECK, performance_result.SCHEMA
    found = newest_document(state_dir, endpoint.name, check, schema)
    if found and (why := outdated(found, endpoint, window)):
        return _not_checked("Performance", why, f"feedback --environment {environment}")
    return performance_section(environment, found or None, window)


def _not_checked(title: str, why: str, command: str) -> Section:
    said = f"{typed(command)} makes a new check. Until then, {why}."
    return Section(title, Mark("not checked", "open"), said)


def _changes(endpoint: Endpoint, window: Window) -> tuple[list[dict[str, Any]], list[str]]:
    try:
        found = endpoint.checks(CHANGE, window)
        return [each for each in found if each["kind"] in BY_HAND], []
    except MlopsError as error:
        return [], [f"the changes of traffic by hand: {error.message}"]


def _records(
    settings: LoadedSettings, platform: Platform
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return what evidence.json of each release to the environment says, and what is unreadable.

    Releases of this machine come from its folder, those of others from beside the versions.
    """
    state_dir, name = settings.project.state_dir, settings.endpoint_name
    here, unread = read_records((releases_folder(state_dir) / name).glob(f"*/{EVIDENCE.name}"))
    kept, problems = kept_records(
        platform, settings.values.environment, name, state_dir / "kept-evidence"
    )
    by_moment = {(each["ended_at"], each["candidate"]): each for each in [*here, *kept]}
    return list(by_moment.values()), [*unread, *problems]


def _alerts(settings: LoadedSettings, endpoint: Endpoint) -> Section:
    environment = settings.values.environment
    try:
        alerts = read_alerts(settings.project.root)
    except ConfigError as error:
        # what else there is to say of the endpoint is not hidden
        return Section("Alerts now", Mark("cannot be read", "bad"), str(error))
    states = evaluate_alerts(endpoint, settings, alerts, settings.clock())
    return alert_section(environment, states)
