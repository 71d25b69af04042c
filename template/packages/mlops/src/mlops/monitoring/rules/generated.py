"""The files that are made of what `observability/` says: KQL, and what infra/ deploys of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops.files import write_text
from mlops.hints import typed
from mlops.monitoring.rules.alerts import Alert
from mlops.monitoring.rules.azure_rules import azure_rules
from mlops.monitoring.rules.kql import to_kql, to_rule
from mlops.monitoring.rules.reading import ALERTS, QUERIES, read_alerts, read_queries
from mlops.monitoring.rules.shapes import Query
from mlops.monitoring.rules.workbook import workbook

FOLDER = "observability/queries"
WORKBOOK = "observability/workbook.json"
WORKBOOK_MODULE = "infra/modules/workbook.bicep"
ALERT_FOLDER = "observability/alerts"
ALERT_RULES = "observability/alerts.json"
ALERTS_MODULE = "infra/modules/alerts.bicep"
"""What reads the workbook, and the rules: without it none is made."""


@dataclass(frozen=True)
class Differences:
    """How the files differ from what they are to be, by their names from the root."""

    changed: tuple[str, ...]
    left_over: tuple[str, ...]

    def __bool__(self) -> bool:
        """Tell whether anything differs."""
        return bool(self.changed or self.left_over)


def generated(root: Path) -> dict[str, str]:
    """Return the content of each file by its name from the root.

    Raises:
        ConfigError: the file of queries is missing, or it or that of alerts is wrong.
    """
    queries = read_queries(root)
    files = {
        f"{FOLDER}/{query.id}.kql": _headed(query, QUERIES) + to_kql(query) for query in queries
    }
    if (root / WORKBOOK_MODULE).is_file():
        files[WORKBOOK] = _json(workbook(queries))
    if (root / ALERTS).is_file():
        files |= _of_alerts(root, read_alerts(root))
    return files


def _of_alerts(root: Path, alerts: Sequence[Alert]) -> dict[str, str]:
    files = {
        f"{ALERT_FOLDER}/{each.id}.kql": _headed(each, ALERTS) + to_rule(each) for each in alerts
    }
    if (root / ALERTS_MODULE).is_file():
        files[ALERT_RULES] = _json(azure_rules(alerts))
    return files


def differences(root: Path, files: Mapping[str, str]) -> Differences:
    """Compare files with what they are to be."""
    folders = (FOLDER, ALERT_FOLDER)
    there = {
        path.relative_to(root).as_posix()
        for folder in folders
        for path in (root / folder).glob("*.kql")
    }
    changed = (name for name, text in files.items() if _text(root / name) != text)
    return Differences(tuple(changed), tuple(sorted(there - files.keys())))


def write(root: Path, files: Mapping[str, str], found: Differences) -> None:
    """Write what differs, and remove the KQL of queries that are gone."""
    for name in found.changed:
        write_text(root / name, files[name])
    for name in found.left_over:
        (root / name).unlink()


def _headed(query: Query, source: Path) -> str:
    made = f"Made of {source.as_posix()} by {typed('observability write')}."
    return f"// {query.title}\n// {query.tells}\n// {made}\n"


def _json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _text(path: Path) -> str | None:
    try:
        # as git may have checked it out on Windows
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
