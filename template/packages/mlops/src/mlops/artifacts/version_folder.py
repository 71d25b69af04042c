"""Reading a model version's folder, and refusing one that was altered after its registration."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops.errors import Refused
from mlops.files import file_sha256, read_json

MODEL = "model.onnx"
SIGNATURE = "signature.json"
LINEAGE = "lineage.json"
HASH_TAG = "model.sha256"
"""The tag by which a registered version's files are known to be those that were registered."""


@dataclass(frozen=True)
class VersionFacts:
    """What a platform needs to know about a version that it deploys."""

    name: str
    version: int
    model_sha256: str
    commit: str
    example: dict[str, Any]


def read_signature(folder: Path) -> dict[str, Any]:
    """Return the content of signature.json: what the scoring server accepts and answers.

    Raises:
        ConfigError: the file is missing or unreadable.
    """
    return read_json(folder / SIGNATURE, schema=1)


def origin_tags(folder: Path) -> dict[str, str]:
    """Return the tags of a registered version that say what it was made of and which it is.

    Raises:
        ConfigError: lineage.json is missing or unreadable.
    """
    lineage = read_json(folder / LINEAGE, schema=1)
    return {
        "git.commit": str(lineage["git"]["commit"]),
        "data.hash": str(lineage["data"]["hash"]),
        HASH_TAG: str(lineage["files"][MODEL]),
    }


def typical_row(signature: Mapping[str, Any]) -> dict[str, Any]:
    """Return a typical row of the training data, as the content of signature.json holds it."""
    return {feature["name"]: feature["example"] for feature in signature["features"]}


def verify_version(folder: Path) -> VersionFacts:
    """Read a version's facts and check what the scoring server will load against its lineage.

    Raises:
        ConfigError: a file is missing or unreadable.
        Refused: a file differs from the one that was registered.
    """
    lineage = read_json(folder / LINEAGE, schema=1)
    signature = read_signature(folder)
    for name in (MODEL, SIGNATURE):
        if not (folder / name).is_file() or file_sha256(folder / name) != lineage["files"][name]:
            raise Refused(
                f"{folder / name} is not the file that was registered: its SHA-256 differs from "
                f"{LINEAGE}",
                "restore it or register the model again",
            )
    return VersionFacts(
        name=str(lineage["model"]["name"]),
        version=int(lineage["model"]["version"]),
        model_sha256=str(lineage["files"][MODEL]),
        commit=str(lineage["git"]["commit"]),
        example=typical_row(signature),
    )
