"""What of a version is needed to train it again, by its lineage and its card."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops.artifacts.data_source import SAMPLE, DataSource
from mlops.artifacts.documents import said
from mlops.artifacts.version_folder import VersionFolder, source_of_lineage
from mlops.errors import Hold

TRAINED_BY = ("data.", "split.", "training.", "params.", "gate.")
"""The settings that training and measuring read; all others are left as they are."""
_NAMED_BY_SOURCE = ("data.source", "data.folder")
_LIST = "forget.list_file"
_HAS_TO_SAY = {
    "the content hash of its data": ("data", "hash"),
    "its settings": ("settings",),
    "the day that counted as today": ("data", "reference_date"),
}


@dataclass(frozen=True)
class Record:
    """What was recorded of a version.

    Attributes:
        version: its number.
        commit: the one that it was trained at; empty: there was none.
        dirty: whether there were uncommitted changes.
        environment: of which conf/<environment>.yaml it was trained with.
        settings: those that training reads, by their dotted names.
        source: where the data were.
        data_hash, data_hash_schema, data_rows: which data.
        metrics: those on the holdout, by name; None if they were not recorded.
        surroundings: Python and packages.
        knows_list: whether its code asks the suppression list.
    """

    version: int
    commit: str
    dirty: bool
    environment: str
    settings: Mapping[str, Any]
    source: DataSource
    data_hash: str
    data_hash_schema: int
    data_rows: int | None
    metrics: Mapping[str, float | None] | None
    surroundings: Mapping[str, str]
    knows_list: bool = False


def read_record(folder: Path) -> Record:
    """Return what the folder of a version records.

    Raises:
        ConfigError: its lineage or its card is missing or unreadable.
        Hold: it does not say what is needed to train it again.
    """
    version = VersionFolder(folder)
    lineage = version.lineage()
    lacking = [words for words, path in _HAS_TO_SAY.items() if not said(lineage, *path)]
    if lacking:
        raise Hold(
            f"{folder} records neither {' nor '.join(lacking)}"
            if len(lacking) > 1
            else f"{folder} does not record {lacking[0]}",
            "a version that was registered before that was recorded cannot be trained again",
        )
    return Record(
        version=int(lineage["model"]["version"]),
        commit=str(said(lineage, "git", "commit") or ""),
        dirty=bool(said(lineage, "git", "dirty")),
        environment=str(said(lineage, "settings", "environment") or "dev"),
        settings=settings_again(lineage),
        source=source_of_lineage(lineage),
        data_hash=str(lineage["data"]["hash"]),
        data_hash_schema=int(said(lineage, "data", "hash_schema") or 1),
        data_rows=said(lineage, "data", "rows"),
        metrics=said(version.card(), "evaluation", "model"),
        surroundings=said(lineage, "environment") or {},
        knows_list=_LIST in lineage["settings"],
    )


def settings_again(lineage: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that a version was trained with, as far as training reads them.

    What they say of a source that was not read is left out. The day that counted as today is the
    one that was found then, also if no setting named it.
    """
    settings, source = lineage["settings"], source_of_lineage(lineage)
    again = {
        key: value
        for key, value in settings.items()
        if key.startswith(TRAINED_BY)
        and key not in _NAMED_BY_SOURCE
        and not (key.startswith("data.sample.") and source.kind != SAMPLE)
    }
    drawn = {"data.source": SAMPLE} if source.kind == SAMPLE else {}
    return {**again, **drawn, "data.reference_date": lineage["data"]["reference_date"]}
