"""The files that are made of `observability/queries.yaml`: KQL, and a workbook where infra/ is."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mlops.files import write_text
from mlops.hints import typed
from mlops.monitoring.rules.kql import to_kql
from mlops.monitoring.rules.reading import QUERIES, read_queries
from mlops.monitoring.rules.shapes import Query
from mlops.monitoring.rules.workbook import workbook

FOLDER = "observability/queries"
WORKBOOK = "observability/workbook.json"
WORKBOOK_MODULE = "infra/modules/workbook.bicep"
"""What reads the workbook: without it none is made."""


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
        ConfigError: the file of queries is missing or wrong.
    """
    queries = read_queries(root)
    files = {f"{FOLDER}/{query.id}.kql": _with_head(query) for query in queries}
    if (root / WORKBOOK_MODULE).is_file():
        files[WORKBOOK] = json.dumps(workbook(queries), indent=2, ensure_ascii=False) + "\n"
    return files


def differences(root: Path, files: Mapping[str, str]) -> Differences:
    """Compare files with what they are to be."""
    there = {path.relative_to(root).as_posix() for path in (root / FOLDER).glob("*.kql")}
    changed = (name for name, text in files.items() if _text(root / name) != text)
    return Differences(tuple(changed), tuple(sorted(there - files.keys())))


def write(root: Path, files: Mapping[str, str], found: Differences) -> None:
    """Write what differs, and remove the KQL of queries that are gone."""
    for name in found.changed:
        write_text(root / name, files[name])
    for name in found.left_over:
        (root / name).unlink()


def _with_head(query: Query) -> str:
    made = f"Made of {QUERIES.as_posix()} by {typed('observability write')}."
    return f"// {query.title}\n// {query.tells}\n// {made}\n{to_kql(query)}"


def _text(path: Path) -> str | None:
    try:
        # as git may have checked it out on Windows
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
