"""What a run of scoring is made of, by which it is told from another one."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlops
from mlops.data.source import Located
from mlops.files import code_hash
from mlops.scoring.raw_data import AsOf, hashes_of
from mlops.settings.loading import LoadedSettings

_LIBRARIES = ("duckdb", "ibis-framework", "numpy", "onnxruntime", "polars", "pyarrow")
_BESIDE_THE_RUN = ("part_rows", "keys", "features", "events")
"""What decides how results are written, and not which they are."""
_DIGITS = 32


@dataclass(frozen=True)
class Identity:
    """What a run is made of, as JSON content."""

    content: Mapping[str, Any]

    @property
    def run(self) -> str:
        """The run's id: the same for the same data, day, version and code; 32 hex digits."""
        parts = {name: told for name, told in self.content.items() if name not in _BESIDE_THE_RUN}
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:_DIGITS]

    def differences(self, other: Mapping[str, Any]) -> list[str]:
        """Return in words what is otherwise in another run's content."""
        return [
            words(other.get(name), self.content[name])
            for name, words in _WORDS.items()
            if other.get(name) != self.content[name]
        ]


def identity_of(
    data: Located,
    as_of: AsOf,
    served: Mapping[str, Any],
    deployment: str | None,
    settings: LoadedSettings,
) -> Identity:
    """Return what a run is made of.

    Args:
        data: the folder of raw data.
        as_of: the day that counts as today.
        served: name, version and file hashes of the model.
        deployment: what serves the version, or None.
        settings: what is in force.

    Raises:
        ConfigError: the folder does not exist.
    """
    values = settings.values
    return Identity(
        {
            "inputs": hashes_of(data, settings),
            "reference_date": as_of.day.isoformat(),
            "environment": values.environment,
            "deployment": deployment,
            "model": dict(served),
            "part_rows": values.score.part_rows,
            "bad_files": values.score.bad_files,
            "keys": values.telemetry.keys,
            "features": values.telemetry.features,
            "events": values.telemetry.enabled,
            "code": {
                "use case": code_hash(settings.use_case.folder),
                "machinery": code_hash(Path(mlops.__file__).parent),
                **{name: version(name) for name in _LIBRARIES},
            },
        }
    )


def _other_files(before: Any, now: Any) -> str:
    before = before or {}
    changed = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
    more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
    return f"other data ({', '.join(changed[:3])}{more})"


def _other_model(before: Any, now: Any) -> str:
    return f"another model (version {(before or {}).get('version')}, now {now['version']})"


def _other_code(before: Any, now: Any) -> str:
    changed = sorted(name for name in now if (before or {}).get(name) != now[name])
    return f"other code ({', '.join(changed)})"


_WORDS = {
    "inputs": _other_files,
    "reference_date": lambda before, now: f"another reference date ({before}, now {now})",
    "environment": lambda before, now: f"another environment ({before}, now {now})",
    "deployment": lambda before, now: f"another deployment ({before}, now {now})",
    "model": _other_model,
    "part_rows": lambda before, now: f"another score.part_rows ({before}, now {now})",
    "bad_files": lambda before, now: f"another score.bad_files ({before}, now {now})",
    "keys": lambda before, now: f"another telemetry.keys ({before}, now {now})",
    "features": lambda before, now: f"another telemetry.features ({before}, now {now})",
    "events": lambda before, now: f"another telemetry.enabled ({before}, now {now})",
    "code": _other_code,
}
