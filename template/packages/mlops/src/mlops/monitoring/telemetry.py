"""What a deployment is told of the events that it keeps of its predictions.

One environment variable holds it, as JSON; `serving/telemetry.py` reads it. It is no setting, so it
does not begin as the variables of settings do. Where there is none, no events are kept.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mlops.artifacts.event_folders import EVENTS, EventFolders
from mlops.artifacts.version_folder import VersionFacts
from mlops.data.personal import NOTHING_PERSONAL, Personal, personal_of
from mlops.settings.loading import LoadedSettings
from mlops.settings.monitoring_sections import TelemetrySettings

VARIABLE = "SCORING_TELEMETRY"
SCHEMA = 1
FILES, APPLICATION_INSIGHTS = "files", "application insights"
"""Where events go: to files below the folder in which a server runs, or to Azure."""
_DIGITS = 16


@dataclass(frozen=True)
class Telemetry:
    """What deployments of an environment are told.

    Attributes:
        environment: its name.
        settings: what events may hold.
        personal: returns the columns that are declared personal, which they may never hold.
    """

    environment: str
    settings: TelemetrySettings = field(default_factory=TelemetrySettings)
    personal: Callable[[], Personal] = lambda: NOTHING_PERSONAL

    def told(
        self,
        endpoint: str,
        deployment: str,
        facts: VersionFacts,
        sink: str,
        place: Mapping[str, str] | None = None,
    ) -> dict[str, str]:
        """Return the environment by which a deployment knows it; nothing where events are off.

        Args:
            endpoint: the endpoint's name.
            deployment: the deployment's.
            facts: of the version that it serves.
            sink: where events go.
            place: what that needs to know besides.

        Raises:
            ConfigError: contract.py declares something personal in another way than there is.
        """
        if not self.settings.enabled:
            return {}
        content = {
            "schema": SCHEMA,
            "environment": self.environment,
            "endpoint": endpoint,
            "deployment": deployment,
            "model_name": facts.name,
            "keys": self.settings.keys,
            "features": self._features(facts),
            "queue": self.settings.queue,
            "sink": sink,
            **(place or {}),
        }
        if sink == FILES:
            # as the server's own folder is the state folder, it stays right when that is moved
            folder = EventFolders(Path(EVENTS) / endpoint).requests
            content["folder"] = folder.as_posix()
        return {VARIABLE: json.dumps(content, sort_keys=True)}

    def _features(self, facts: VersionFacts) -> list[str]:
        if not self.settings.features:
            return []
        return self.personal().others(facts.example)


def telemetry_of(settings: LoadedSettings) -> Telemetry:
    """Return what deployments of an environment are told."""
    return Telemetry(
        settings.values.environment,
        settings.values.telemetry,
        lambda: personal_of(settings.use_case),
    )


def told_features(told: Mapping[str, str]) -> list[str]:
    """Return the features that a deployment which was told this may keep."""
    return list(json.loads(told[VARIABLE])["features"]) if VARIABLE in told else []


def digest(told: Mapping[str, str]) -> str:
    """Return a hash of what a deployment was told; of nothing as well."""
    return hashlib.sha256(told.get(VARIABLE, "").encode()).hexdigest()[:_DIGITS]
