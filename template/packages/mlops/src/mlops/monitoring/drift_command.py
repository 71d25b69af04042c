"""From an endpoint to a checked window: what serves, its baseline, its events; then it is kept."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from mlops.artifacts.drift_result import DriftResult, write_drift
from mlops.artifacts.predictions import Predictions
from mlops.artifacts.signature import features_of
from mlops.artifacts.version_folder import VersionFolder
from mlops.data.personal import NOTHING_PERSONAL, Personal, personal_of
from mlops.errors import ConfigError
from mlops.features import Features
from mlops.monitoring.drift import Asked, Reference, check
from mlops.monitoring.profile import read_profiles
from mlops.monitoring.serving import watched_version
from mlops.platforms.base import Endpoint, Platform
from mlops.progress import Report
from mlops.settings.loading import LoadedSettings
from mlops.window import Window


@dataclass(frozen=True)
class Checked:
    """A check and what it was made of.

    Attributes:
        result: what was found.
        file: its document.
        reference: the version that serves.
        predictions: the events that were looked at.
    """

    result: DriftResult
    file: Path
    reference: Reference
    predictions: Predictions


def check_drift(
    platform: Platform, settings: LoadedSettings, since: timedelta | None, report: Report
) -> Checked:
    """Check the newest events of an environment's endpoint, and keep what was found.

    Args:
        platform: where it serves.
        settings: of the environment.
        since: how far to look back; None: `drift.days`.
        report: is told what is being done.

    Raises:
        Hold: nothing serves.
        Refused: the version that serves was altered after its registration.
        PlatformError: the events cannot be had for now, or what was found cannot be kept.
    """
    values = settings.values
    endpoint = platform.endpoint(settings.endpoint_name)
    now = settings.clock()
    window = Window.last(since or timedelta(days=values.drift.days), now)
    personal = personal_of(settings.use_case)
    reference = reference_of(platform, endpoint, values.environment, window, personal)
    asked = Asked(window, now, values.drift, values.telemetry.features, values.data.show_values)
    report(f"reading the events of version {reference.model_version} at {endpoint.name}")
    predictions = endpoint.predictions(window, reference.features)
    result = check(reference, predictions, asked)
    file = write_drift(settings.project.state_dir, result)
    endpoint.keep_checks(result.kept())
    return Checked(result, file, reference, predictions)


def reference_of(
    platform: Platform,
    endpoint: Endpoint,
    environment: str,
    window: Window,
    personal: Personal = NOTHING_PERSONAL,
) -> Reference:
    """Return the version that is watched with its drift baseline, see `watched_version`.

    What is declared personal by now is no feature to compare: no event holds it.

    Raises:
        Hold: nothing serves, and nothing was scored.
        ConfigError: it is not registered any more, or its signature cannot be read.
    """
    watched = watched_version(endpoint, window)
    version = platform.version(watched.model_version)
    folder = VersionFolder(version.folder)
    problem, profiles = "", None
    try:
        profiles = read_profiles(folder.drift_baseline)
    except ConfigError as error:
        problem = error.message
    features = features_of(folder.signature())
    kept = set(personal.others(features.names))
    return Reference(
        environment=environment,
        endpoint=endpoint.name,
        deployment=watched.deployment,
        model_name=version.name,
        model_version=version.version,
        features=Features(tuple(each for each in features if each.name in kept)),
        personal=tuple(name for name in features.names if name not in kept),
        profiles=profiles,
        problem=problem,
    )
