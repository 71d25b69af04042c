"""Only `mlops.artifacts` spells the names of what runs and versions hold."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import mlops
from mlops.artifacts import documents
from mlops.artifacts.documents import Document
from mlops.artifacts.prepared import holdout_file, train_file
from mlops.artifacts.run_folder import RunFolder
from mlops.artifacts.version_folder import VersionFolder

SOURCE = Path(mlops.__file__).parent
NOWHERE = Path()
RUN, VERSION = RunFolder(NOWHERE), VersionFolder(NOWHERE)

DOCUMENTS = {name: each for name, each in vars(documents).items() if isinstance(each, Document)}
FILES = {
    *(document.name for document in DOCUMENTS.values()),
    *(
        path.name
        for path in (
            RUN.validated.data,
            train_file(NOWHERE),
            holdout_file(NOWHERE),
            RUN.model.model,
            RUN.model.baseline,
            RUN.evaluation.quality_plot,
            RUN.evaluation.importance_plot,
            RUN.package.onnx,
            RUN.package.probes,
            RUN.package.drift_baseline,
            VERSION.onnx,
            VERSION.skops,
            VERSION.drift_baseline,
            VERSION.model_card,
        )
    ),
}
FOLDERS = {
    path.name
    for path in (
        RUN.validated.path,
        RUN.prepared_path,
        RUN.model.path,
        RUN.evaluation.path,
        RUN.package.path,
        VERSION.plots,
    )
}


def sources() -> list[Path]:
    return [
        path
        for path in sorted(SOURCE.rglob("*.py"))
        if path.relative_to(SOURCE).parts[0] != "artifacts"
    ]


def spelled(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield where a name stands: a file's in any path, a folder's as a part joined to a path."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            parts = set(node.value.split("/")) if " " not in node.value else set()
            yield from ((node.lineno, name) for name in sorted(parts & FILES))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            part = node.right
            if isinstance(part, ast.Constant) and part.value in FOLDERS:
                yield part.lineno, str(part.value)


def test_the_names_on_disk_are_those_that_others_know() -> None:
    assert {
        "validation-results.json",
        "data.parquet",
        "prepared.json",
        "train.parquet",
        "holdout.parquet",
        "training.json",
        "model.skops",
        "baseline.skops",
        "evaluation.json",
        "quality.png",
        "importance.png",
        "verdict.json",
        "package.json",
        "model.onnx",
        "baseline.parquet",
        "signature.json",
        "probes.json",
        "lineage.json",
        "card.json",
        "MODEL_CARD.md",
        "evidence.json",
        "approvals.json",
        "evidence-manifest.json",
        "audit-anchor.json",
    } == FILES
    assert {"validated", "prepared", "model", "evaluation", "package", "plots"} == FOLDERS


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_every_document_is_at_a_schema_that_this_version_reads(name: str) -> None:
    later = {"PREPARED": 2, "SIGNATURE": 2}
    assert DOCUMENTS[name].schema == later.get(name, 1)
    assert DOCUMENTS[name].older == tuple(range(1, DOCUMENTS[name].schema))


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_nobody_else_spells_them(path: Path) -> None:
    assert list(spelled(ast.parse(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    "code",
    ['folder / "model" / name', 'read("evaluation.json")', 'MODEL = "model/model.skops"'],
)
def test_a_name_that_is_spelled_is_found(code: str) -> None:
    assert len(list(spelled(ast.parse(code)))) == 1


def test_the_word_model_elsewhere_is_no_name() -> None:
    assert (
        list(spelled(ast.parse('evaluation["model"], {"plots": 1}, "see lineage.json first"')))
        == []
    )
