"""The JSON files of runs, versions and releases: their names, and the schema that each says."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops.files import read_json, write_json


@dataclass(frozen=True)
class Document:
    """One kind of JSON file.

    Attributes:
        name: what the file is called in every folder that has it.
        schema: the version of its content that is written.
        older: versions that are read as well; a file that says another one is not.
    """

    name: str
    schema: int
    older: tuple[int, ...] = ()

    def with_schema(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """Return a content that says the schema version first."""
        return {"schema": self.schema, **content}

    def read(self, folder: Path) -> dict[str, Any]:
        """Return what the file in a folder says.

        Raises:
            ConfigError: the file is missing, is not JSON or has another schema version.
        """
        return read_json(folder / self.name, schema=self.schema, older=self.older)

    def write(self, folder: Path, content: Mapping[str, Any]) -> Path:
        """Write the file into a folder, atomically and with its schema version; return its path."""
        path = folder / self.name
        write_json(path, self.with_schema(content))
        return path

    def write_private(self, folder: Path, content: Mapping[str, Any]) -> Path:
        """Write the file as `write` does, for its owner alone; return its path."""
        path = folder / self.name
        write_json(path, self.with_schema(content), private=True)
        return path


def said(content: object, *path: str) -> Any:
    """Return what a document says at a place; None where an older or damaged one says nothing."""
    for name in path:
        content = content.get(name) if isinstance(content, Mapping) else None
    return content


VALIDATION_RESULTS = Document("validation-results.json", schema=1)
PREPARED = Document("prepared.json", schema=2, older=(1,))
TRAINING = Document("training.json", schema=1)
EVALUATION = Document("evaluation.json", schema=1)
VERDICT = Document("verdict.json", schema=1)
PACKAGE = Document("package.json", schema=1)

SIGNATURE = Document("signature.json", schema=2, older=(1,))
"""Before schema 2 there were binary models of numbers alone."""
PROBES = Document("probes.json", schema=1)
"""Rows with the answers that a server must give at its start, or it serves something else."""
LINEAGE = Document("lineage.json", schema=1)
CARD = Document("card.json", schema=1)

EVIDENCE = Document("evidence.json", schema=1)
"""One release, or one A/B test by itself, and how it ended."""
APPROVALS = Document("approvals.json", schema=1)
"""Who approved a release on GitHub, and whose approval did not count."""
EVIDENCE_MANIFEST = Document("evidence-manifest.json", schema=1)
"""The files of evidence that is kept beside a version, with their hashes."""


def card_document(stem: str) -> Document:
    """Return the kind of file that holds a card with what happened since, by its name."""
    return Document(f"{stem}.json", schema=1)


AUDIT_ANCHOR = Document("audit-anchor.json", schema=1)
"""The newest line of the audit log, kept apart from it."""

TUNING_SCHEMA = 1


def tuning_document(study: str) -> Document:
    """Return the kind of file that keeps a study's trials, by the study's id."""
    return Document(f"{study}.json", schema=TUNING_SCHEMA)


def tuning_content(path: Path) -> dict[str, Any]:
    """Return what the file of a study says.

    Raises:
        ConfigError: the file is missing, is not JSON or has another schema version.
    """
    return tuning_document(path.stem).read(path.parent)
