"""Events of `mlops score` in the workspace's storage, from the scoring job or from a command.

The job's pipeline (aml/pipelines/score.yml) names the folder for its output `events`; a command
writes what it scored beside it.
"""

import tempfile
from datetime import timedelta
from pathlib import Path, PurePosixPath

import polars as pl

from mlops.artifacts.predictions import Predictions
from mlops.artifacts.scores import part_files
from mlops.features import Features
from mlops.monitoring.event_store import read_score_files
from mlops.platforms.azure.blobs import WorkspaceBlobs
from mlops.window import Window

FOLDER = "scored-events"
_SKEW = timedelta(minutes=5)
"""By so much the storage's clock, which tells whole seconds, may be behind."""


def read_scored(
    blobs: WorkspaceBlobs,
    environment: str,
    endpoint: str,
    window: Window,
    features: Features | None,
) -> Predictions:
    """Return the events of `mlops score` in a window.

    Args:
        blobs: the workspace's files.
        environment: whose events; a workspace may be that of several.
        endpoint: the name of the endpoint that they count for.
        window: when the predictions were made.
        features: those to read with them; None: none.
    """
    with tempfile.TemporaryDirectory() as parent:
        paths = []
        for blob in blobs.listed(f"{FOLDER}/"):
            # a part is written after its predictions were made
            if blob.name.endswith(".parquet") and blob.changed >= window.start - _SKEW:
                path = Path(parent, *PurePosixPath(blob.name).parts[1:])
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(blobs.read(blob.name))
                if _is_of(path, environment):
                    paths.append(path)
        found = read_score_files(paths, endpoint, window, features)
        return Predictions(found.rows.collect().lazy(), 0, found.unread, found.of_scores)


def keep_scored(blobs: WorkspaceBlobs, folder: Path) -> None:
    """Write the events of one run of `mlops score` to where those of jobs are."""
    for path in part_files(folder):
        blobs.write(f"{FOLDER}/{folder.name}/{path.name}", path)


def _is_of(path: Path, environment: str) -> bool:
    """Tell whether events are of an environment; what cannot be read is told by who reads it."""
    try:
        first = pl.scan_parquet(path, glob=False).select("environment").head(1).collect()
    except (OSError, pl.exceptions.PolarsError):
        return True
    return first.is_empty() or first.item() == environment
