"""A run's and a version's documents are read from where they lie, and only as they are known."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlops.artifacts import documents
from mlops.artifacts.documents import Document
from mlops.artifacts.run_folder import STEP_OUTPUTS, RunFolder
from mlops.artifacts.version_folder import VersionFolder
from mlops.errors import ConfigError
from mlops.files import file_hashes

READERS: list[tuple[str, Document, Callable[[Path], dict[str, Any]]]] = [
    ("validated", documents.VALIDATION_RESULTS, lambda path: RunFolder(path).validated.results()),
    ("model", documents.TRAINING, lambda path: RunFolder(path).model.training()),
    ("evaluation", documents.EVALUATION, lambda path: RunFolder(path).evaluation.results()),
    ("package", documents.PACKAGE, lambda path: RunFolder(path).package.description()),
    ("", documents.VERDICT, lambda path: RunFolder(path).verdict()),
    ("", documents.SIGNATURE, lambda path: VersionFolder(path).signature()),
    ("", documents.LINEAGE, lambda path: VersionFolder(path).lineage()),
    ("", documents.CARD, lambda path: VersionFolder(path).card()),
]
reading = pytest.mark.parametrize(
    ("place", "document", "read"), READERS, ids=[document.name for _, document, _ in READERS]
)


@reading
def test_each_document_is_read_from_its_place(
    tmp_path: Path, place: str, document: Document, read: Callable[[Path], dict[str, Any]]
) -> None:
    for number, (where, other, _) in enumerate(READERS):
        other.write(tmp_path / where, {"number": number})
    number = [other for _, other, _ in READERS].index(document)
    assert read(tmp_path) == {"schema": document.schema, "number": number}
    assert (tmp_path / place / document.name).is_file()


@reading
def test_a_document_of_another_schema_is_not_read(
    tmp_path: Path, place: str, document: Document, read: Callable[[Path], dict[str, Any]]
) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        read(tmp_path)
    path = document.write(tmp_path / place, {})
    path.write_text(json.dumps({"schema": document.schema + 1}))
    with pytest.raises(ConfigError, match=f"reads schema {document.schema}"):
        read(tmp_path)


def test_what_was_not_done_yet_is_told(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    assert not run.is_judged()
    assert not run.package.exists()
    documents.VERDICT.write(tmp_path, {})
    documents.PACKAGE.write(run.package.path, {})
    assert run.is_judged()
    assert run.package.exists()


def test_the_outputs_of_training_are_in_the_order_of_its_steps(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    folders = (run.validated.path, run.prepared_path, run.model.path, run.evaluation.path)
    assert tuple(path.name for path in folders) == STEP_OUTPUTS


def test_every_file_has_its_hash_by_its_place(tmp_path: Path) -> None:
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots" / "b").write_bytes(b"")
    (tmp_path / "a").write_bytes(b"x")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    found = file_hashes(tmp_path)
    assert list(found) == ["a", "plots/b"]
    assert found["plots/b"] == empty != found["a"]
