"""What docs/obligations.md of a project names as support, and what of it is not there."""

import re
from collections.abc import Iterator
from pathlib import Path

from mlops.artifacts import documents
from mlops.artifacts.version_folder import ONNX, VersionFolder

from tests.template.assistants import CODE, wrong_call

PAGE = "docs/obligations.md"
HEAD = "Supported by"
COMMAND = "uv run mlops "
_FOLDER = VersionFolder(Path())
VERSION_FILES = {
    *(each.name for each in (documents.LINEAGE, documents.CARD, documents.SIGNATURE)),
    *(each.name for each in (_FOLDER.model_card, _FOLDER.card_page, _FOLDER.seal)),
    ONNX,
}
"""The files of a version that the page may name."""
NO_FILE = {"retraining"}
"""What stands between backticks and is the name of settings."""


def rows(text: str) -> list[list[str]]:
    """Return the cells of the rows of each table of duties."""
    found, inside = [], False
    for line in text.splitlines():
        cells = [each.strip() for each in line.strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif HEAD in cells:
            inside = True
        elif inside and set(line) - set("|- "):
            found.append(cells)
    return found


def named(text: str) -> list[str]:
    """Return what the second column names between backticks."""
    return [code for cells in rows(text) for code in CODE.findall(cells[1])]


def version_files(text: str) -> set[str]:
    """Return the files of a version's folder that the page names."""
    return {code for code in named(text) if re.fullmatch(r"[\w.-]+\.\w+", code)}


def problems(text: str, project: Path) -> Iterator[str]:
    """Yield what is wrong with the page in a project."""
    for cells in rows(text):
        if len(cells) != 3 or not all(cells):
            yield f"no three cells: {cells}"
    for code in named(text):
        if code.startswith(COMMAND):
            if wrong := wrong_call(code.removeprefix(COMMAND).split()):
                yield f"{code}: {wrong}"
        elif "/" in code:
            if not (project / code).exists():
                yield f"there is no {code}"
        elif code not in VERSION_FILES | NO_FILE:
            yield f"no version holds {code}"
    if re.search(r"\bcompl(?:iant|ies|y with)\b", text, re.IGNORECASE):
        yield "it claims what nobody but a person can say"
