"""Where a version comes from, as its lineage tells it: the same places for old and new versions.

A place is None where nobody recorded it. `lineage.py` writes what is read here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mlops.artifacts.documents import said
from mlops.artifacts.version_folder import ONNX, source_of_lineage
from mlops.errors import ConfigError

SHORTEST_HASH = 8
"""Characters of a hash that are enough to look for."""


def origin_of(lineage: Mapping[str, Any]) -> dict[str, Any]:
    """Return where a version comes from, by the content of its lineage.json.

    Returns:
        `model`, `registered_at`, `run`, `code`, `environment`, `data`, `training`, `parent`,
        `candidate` and `gate`; each place in them is there, and None if it was not recorded.
    """
    return {
        "model": _places(lineage, "model", ("name", "version")),
        "registered_at": said(lineage, "created_at"),
        "run": {"id": said(lineage, "run_id"), "pipeline": said(lineage, "pipeline", "url")},
        "code": _places(lineage, "git", ("commit", "dirty", "branch")),
        "environment": _places(
            lineage, "environment", ("python", "system", "packages_sha256", "lock_sha256")
        ),
        "data": _data(lineage),
        "training": _places(
            lineage, "training", ("model_type", "params", "seed", "rows", "model_sha256")
        ),
        "parent": _places(lineage, "parent", ("version", "note")),
        "candidate": said(lineage, "candidate"),
        "gate": _places(lineage, "verdict", ("passed", "judged_at", "checks", "warnings")),
        "onnx_sha256": said(lineage, "files", ONNX),
    }


def _data(lineage: Mapping[str, Any]) -> dict[str, Any]:
    places = (
        *("hash", "hash_schema", "rows", "first_day", "last_day"),
        *("reference_date", "cutoff", "holdout_sha256"),
    )
    source = source_of_lineage(lineage)
    return {
        **_places(lineage, "data", places),
        "source": source.to_dict(),
        "words": source.words,
    }


def _places(lineage: Mapping[str, Any], part: str, names: Iterable[str]) -> dict[str, Any]:
    return {name: said(lineage, part, name) for name in names}


@dataclass(frozen=True)
class SeenData:
    """The data that one version saw; None is what is not recorded.

    Attributes:
        version: its number.
        hash: the content hash.
        words: what the data are, in a line.
        files: the SHA-256 of each file that was read, by name.
    """

    version: int
    hash: str | None
    words: str
    files: Mapping[str, str]


@dataclass(frozen=True)
class Saw:
    """A version that saw the data that were looked for, and by what that is known."""

    version: int
    by: str
    words: str


def seen_data(version: int, lineage: Mapping[str, Any]) -> SeenData:
    """Return the data that a version saw, by the content of its lineage.json."""
    source, content = source_of_lineage(lineage), said(lineage, "data", "hash")
    return SeenData(version, content or None, source.words, source.files)


def who_saw(wanted: str, seen: Iterable[SeenData]) -> tuple[str, tuple[Saw, ...]]:
    """Return a hash in full, and the versions that saw what has it.

    Args:
        wanted: the content hash of data or the SHA-256 of a file, or how one begins.
        seen: what each version saw.

    Raises:
        ConfigError: it is no hash, it is too short, or several begin so.
    """
    start = wanted.strip().lower()
    if len(start) < SHORTEST_HASH or set(start) - set("0123456789abcdef"):
        raise ConfigError(
            f"--data-hash: {wanted!r} is neither a hash nor the first {SHORTEST_HASH} characters "
            "of one, of 0 to 9 and a to f"
        )
    found: dict[str, list[Saw]] = {}
    for each in seen:
        for text, by in _hashes(each):
            if text.startswith(start):
                found.setdefault(text, []).append(Saw(each.version, by, each.words))
    if len(found) > 1:
        several = ", ".join(sorted(found))
        raise ConfigError(f"{wanted!r} may be one of several hashes: {several}", "type more of it")
    return next(iter(found.items()), (start, ()))[0], tuple(
        saw for versions in found.values() for saw in versions
    )


def _hashes(seen: SeenData) -> list[tuple[str, str]]:
    """Return each hash of what a version saw, and what it is the hash of."""
    files = [(text.lower(), f"the file {name}") for name, text in seen.files.items()]
    return [*([(seen.hash.lower(), "all of the data")] if seen.hash else []), *files]
