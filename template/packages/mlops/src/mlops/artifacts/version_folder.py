"""The folder of a model version, and the refusal of one that was altered after its registration.

model.onnx  model.skops  signature.json  probes.json  lineage.json  baseline.parquet
MODEL_CARD.md  MODEL_CARD.html  card.json  plots/  model.sig
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mlops.artifacts import documents
from mlops.artifacts.candidate import candidate_tags
from mlops.artifacts.data_source import UNKNOWN, DataSource, read_source, source_of_tags
from mlops.errors import ConfigError, MlopsError, Refused
from mlops.files import file_changes, file_hashes, file_sha256

ONNX = "model.onnx"
SKOPS = "model.skops"
DRIFT_BASELINE = "baseline.parquet"
SEAL = "model.sig"
"""The signature of all other files (`mlops.signing`); signature.json is what callers must send."""
HASH_TAG = "model.sha256"
"""The tag by which a registered version's files are known to be those that were registered."""
SERVED_FILES = (ONNX, documents.SIGNATURE.name, documents.PROBES.name)
"""What a scoring server reads; a version that was registered before there were probes has none."""
SERVED_VARIABLE = "SERVED_FILES_SHA256"
"""By this environment variable a deployment is told the SHA-256 of each file it is to serve.

It is no setting, so it does not begin as the variables of settings do.
"""
_TAGGED = {
    "run_id": ("run_id",),
    "created_at": ("created_at",),
    "git.dirty": ("git", "dirty"),
    "environment.packages": ("environment", "packages_sha256"),
    "data.rows": ("data", "rows"),
    "data.first_day": ("data", "first_day"),
    "data.last_day": ("data", "last_day"),
    "data.reference_date": ("data", "reference_date"),
    "trained.sha256": ("training", "model_sha256"),
    "parent.version": ("parent", "version"),
    "pipeline.url": ("pipeline", "url"),
}
"""Which place of a lineage each tag of a version repeats."""
PLOTS = "plots"
QUALITY_PLOT = "quality.png"
IMPORTANCE_PLOT = "importance.png"


@dataclass(frozen=True)
class VersionFolder:
    """All that a version holds."""

    path: Path

    @property
    def onnx(self) -> Path:
        """The model that serves."""
        return self.path / ONNX

    @property
    def skops(self) -> Path:
        """The model as scikit-learn knows it."""
        return self.path / SKOPS

    @property
    def probes(self) -> Path:
        """What a server must answer before it serves; older versions have none."""
        return self.path / documents.PROBES.name

    @property
    def drift_baseline(self) -> Path:
        """How features and predictions were distributed in training."""
        return self.path / DRIFT_BASELINE

    @property
    def model_card(self) -> Path:
        """What a person must know of the version, as Markdown."""
        return self.path / "MODEL_CARD.md"

    @property
    def card_page(self) -> Path:
        """The same as one page of HTML that asks no host for anything; older versions lack it."""
        return self.path / "MODEL_CARD.html"

    @property
    def seal(self) -> Path:
        """The signature of all other files; a version that nothing signed has none."""
        return self.path / SEAL

    @property
    def plots(self) -> Path:
        """The folder of the pictures that the card shows."""
        return self.path / PLOTS

    def signature(self) -> dict[str, Any]:
        """Return what the scoring server accepts and answers.

        Raises:
            ConfigError: the file is missing or unreadable.
        """
        return documents.SIGNATURE.read(self.path)

    def lineage(self) -> dict[str, Any]:
        """Return where the version comes from, with the hashes of its files.

        Raises:
            ConfigError: the file is missing or unreadable.
        """
        return documents.LINEAGE.read(self.path)

    def card(self) -> dict[str, Any]:
        """Return all that the model card says, for programs.

        Raises:
            ConfigError: the file is missing or unreadable.
        """
        return documents.CARD.read(self.path)


@dataclass(frozen=True)
class VersionFacts:
    """What a platform needs to know about a version that it deploys."""

    name: str
    version: int
    model_sha256: str
    commit: str
    example: dict[str, Any]
    served: Mapping[str, str]

    def told(self) -> dict[str, str]:
        """Return the environment by which a deployment knows the files that it is to serve."""
        return {SERVED_VARIABLE: json.dumps(dict(self.served), sort_keys=True)}


def find_version(folder: Path) -> Path:
    """Return the folder of a version: `folder` or, as a mount can be on Azure, one below it.

    Raises:
        ConfigError: there is none, or more than one.
    """
    found = sorted(path.parent for path in folder.rglob(ONNX))
    if len(found) != 1:
        raise ConfigError(
            f"{folder} holds {len(found) or 'no'} {ONNX}", "name the folder of one version"
        )
    return found[0]


def origin_tags(folder: Path) -> dict[str, str]:
    """Return the tags of a registered version: its lineage in short, and which it is.

    What the lineage does not say has no tag.

    Raises:
        ConfigError: lineage.json is missing or unreadable.
    """
    lineage = VersionFolder(folder).lineage()
    return {
        "git.commit": str(lineage["git"]["commit"]),
        "data.hash": str(lineage["data"]["hash"]),
        **source_of_lineage(lineage).tags(),
        HASH_TAG: str(lineage["files"][ONNX]),
        **candidate_tags(lineage.get("candidate")),
        **_lineage_tags(lineage),
    }


def _lineage_tags(lineage: Mapping[str, Any]) -> dict[str, str]:
    found = {tag: documents.said(lineage, *path) for tag, path in _TAGGED.items()}
    passed = documents.said(lineage, "verdict", "passed")
    found["gate"] = {True: "passed", False: "refused"}.get(passed)
    words = {tag: _word(value) for tag, value in found.items()}
    return {tag: word for tag, word in words.items() if word}


def _word(value: object) -> str:
    """Return a value as a tag holds it; nothing for what is not known."""
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def source_of_lineage(lineage: Mapping[str, Any]) -> DataSource:
    """Return what data a version is made of; unknown where an older one does not say it."""
    data = lineage.get("data")
    return read_source(data.get("source") if isinstance(data, Mapping) else None)


def source_of_version(folder: Path, tags: Mapping[str, str] = MappingProxyType({})) -> DataSource:
    """Return what data a version is made of, by its tags where its folder is not at hand."""
    try:
        return source_of_lineage(VersionFolder(folder).lineage())
    except MlopsError:
        return source_of_tags(tags) if tags else UNKNOWN


def typical_row(signature: Mapping[str, Any]) -> dict[str, Any]:
    """Return a typical row of the training data, as the content of signature.json holds it."""
    return {feature["name"]: feature["example"] for feature in signature["features"]}


def changed_since_registration(folder: Path) -> dict[str, str] | None:
    """Return which files of a version are others than when it was registered, in order of names.

    The lineage cannot name its own hash, and a signature is made after it: of these two it is
    known whether they are there.

    Returns:
        `changed`, `removed` or `added` by the name of a file; None if the lineage names no files.

    Raises:
        ConfigError: lineage.json is missing or unreadable.
    """
    lineage = VersionFolder(folder).lineage()
    registered = documents.said(lineage, "files")
    if not isinstance(registered, Mapping):
        return None
    found = file_hashes(folder)
    found.pop(documents.LINEAGE.name, None)
    seal = lineage.get("seal")
    signature = {seal: found.get(seal, "")} if seal else {}
    return file_changes(found, {**registered, **signature})


def verify_version(folder: Path) -> VersionFacts:
    """Read a version's facts and check what the scoring server will load against its lineage.

    Raises:
        ConfigError: a file is missing or unreadable.
        Refused: a file differs from the one that was registered.
    """
    version = VersionFolder(folder)
    lineage, signature = version.lineage(), version.signature()
    files = lineage["files"]
    served = {name: str(files.get(name, "")) for name in SERVED_FILES}
    if not served[documents.PROBES.name]:
        del served[documents.PROBES.name]
    for name, expected in served.items():
        if not (folder / name).is_file() or file_sha256(folder / name) != expected:
            raise Refused(
                f"{folder / name} is not the file that was registered: its SHA-256 differs from "
                f"{documents.LINEAGE.name}",
                "restore it or register the model again",
            )
    return VersionFacts(
        name=str(lineage["model"]["name"]),
        version=int(lineage["model"]["version"]),
        model_sha256=served[ONNX],
        commit=str(lineage["git"]["commit"]),
        example=typical_row(signature),
        served=served,
    )
