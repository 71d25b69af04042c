"""A project with one version, which tests only read."""

from dataclasses import dataclass
from pathlib import Path

from mlops.settings.loading import LoadedSettings


@dataclass(frozen=True)
class Registered:
    """The project's settings and the folder of its version."""

    settings: LoadedSettings
    folder: Path
