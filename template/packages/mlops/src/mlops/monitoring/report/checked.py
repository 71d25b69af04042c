"""The newest document of a check, and whether it still says something of what serves."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from mlops.artifacts.event_folders import documents_folder
from mlops.errors import Hold
from mlops.files import read_json
from mlops.monitoring.report.charts import moment
from mlops.monitoring.serving import watched_version
from mlops.platforms.base import Endpoint
from mlops.window import Window


def newest_document(state_dir: Path, endpoint: str, check: str, schema: int) -> dict[str, Any]:
    """Return what the newest document of a check of an endpoint says; nothing if there is none.

    Raises:
        ConfigError: it cannot be read.
    """
    newest = max(documents_folder(state_dir, endpoint, check).glob("*.json"), default=None)
    return {} if newest is None else read_json(newest, schema=schema)


def outdated(found: Mapping[str, Any], endpoint: Endpoint, window: Window) -> str:
    """Return why a check says nothing of what serves now, or an empty text.

    Args:
        found: the content of its document.
        endpoint: what it was of.
        window: the time that the page shows.

    Raises:
        NotObserved: what was scored cannot be read for now.
    """
    time = datetime.fromisoformat(found["time"])
    was = (
        f"the newest check is of version {found['model_version']}, on {moment(time)}, and its "
        f"outcome was {found['outcome']}"
    )
    if time < window.start:
        return f"{was}: that was before the time that this page shows"
    try:
        now = watched_version(endpoint, window)
    except Hold:
        return f"{was}: nothing serves here now"
    if now.model_version == found["model_version"]:
        return ""
    does = "was scored last" if now.deployment is None else "serves"
    return f"{was}: version {now.model_version} {does}"
