"""Changes of what serves that are no release, written down in the audit log."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from mlops.governance.audit.entry import Act
from mlops.governance.audit.record import (
    Recording,
    Subject,
    recorded,
    require_sound_log,
    serving_of,
)
from mlops.platforms.base import Endpoint, Platform
from mlops.progress import Report
from mlops.settings.loading import LoadedSettings


@contextmanager
def recorded_deployment(
    platform: Platform,
    settings: LoadedSettings,
    model_version: int,
    deployment: str,
    report: Report,
) -> Iterator[Recording]:
    """Write down that a version is deployed without a release.

    Raises:
        BrokenLog: the audit log is broken: nothing is deployed.
        MlopsError: it cannot be written, and nothing is done without it here.
    """
    require_sound_log(platform, settings, report)
    endpoint = platform.endpoint(settings.endpoint_name)
    subject: Subject = {
        "version": model_version,
        "endpoint": endpoint.name,
        "deployment": deployment,
    }
    with recorded(
        platform,
        settings,
        Act.RELEASE,
        subject,
        report=report,
        details={"by": "deploy"},
        after=lambda: serving_of(endpoint),
    ) as recording:
        yield recording


def recorded_switch(
    platform: Platform,
    settings: LoadedSettings,
    endpoint: Endpoint,
    report: Report,
    details: dict[str, int],
) -> AbstractContextManager[Recording]:
    """Write down that traffic is shifted by hand.

    Raises:
        BrokenLog: the audit log is broken: nothing is shifted.
        MlopsError: it cannot be written, and nothing is done without it here.
    """
    require_sound_log(platform, settings, report)
    return recorded(
        platform,
        settings,
        Act.SWITCH,
        {"endpoint": endpoint.name},
        report=report,
        details={**details},
        after=lambda: serving_of(endpoint),
    )


def recorded_removal(
    platform: Platform, settings: LoadedSettings, endpoint: Endpoint, report: Report
) -> AbstractContextManager[Recording]:
    """Write down that all deployments of an endpoint are removed; that needs no log."""
    return _protecting(platform, settings, endpoint, report, "stop --remove")


def recorded_return(
    platform: Platform, settings: LoadedSettings, endpoint: Endpoint, report: Report
) -> AbstractContextManager[Recording]:
    """Write down that what served before a loop that failed serves again; that needs no log."""
    return _protecting(platform, settings, endpoint, report, "a loop that failed")


def _protecting(
    platform: Platform, settings: LoadedSettings, endpoint: Endpoint, report: Report, by: str
) -> AbstractContextManager[Recording]:
    return recorded(
        platform,
        settings,
        Act.SWITCH,
        {"endpoint": endpoint.name},
        report=report,
        details={"by": by},
        after=lambda: serving_of(endpoint),
        protects=True,
    )


def recorded_rollback(
    platform: Platform,
    settings: LoadedSettings,
    endpoint: Endpoint,
    report: Report,
    model_version: int | None = None,
) -> AbstractContextManager[Recording]:
    """Write down that a person goes back to what served before; that needs no log."""
    withdrawn = {} if model_version is None else {"version": model_version}
    return recorded(
        platform,
        settings,
        Act.ROLLBACK,
        {"endpoint": endpoint.name, **withdrawn},
        report=report,
        details={"by": "hand"},
        after=lambda: serving_of(endpoint),
        protects=True,
    )
