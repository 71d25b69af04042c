"""A prompt for an assistant that fills the next stub: what to write, from what, and what never."""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from mlops.data.personal import HIDDEN, NOTHING_PERSONAL, Personal, guarded, personal_of
from mlops.errors import StubNotFilled
from mlops.hints import typed
from mlops.markdown import table
from mlops.ops.profile_text import lines_of
from mlops.usecase.stubs import Stub, find_stubs
from mlops.usecase.use_case import UseCase

SAMPLE_ROWS = 5
_SAMPLE_SIZE, _SAMPLE_SEED = 100, 7
_TESTS = {
    "contract.py": ("test_contract",),
    "sample.py": ("test_sample", "test_contract"),
    "features.py": ("test_features",),
    "labels.py": ("test_labels", "test_features", "test_rows_after", "test_what_makes"),
    "model.py": ("test_model",),
}
"""How the names of those tests begin that a file has to turn green."""
_MAY_TOUCH = {"model.py": ("params.py",)}
"""Files that may be changed beside the stub's own."""
_NEVER = (
    "change a test, a limit or a setting in conf/, or anything in packages/, so that it passes",
    "weaken or leave out a check of the contract because rows fail it; one that was your own guess "
    "may go, and you say so",
    "write a value of real data into code, a test, a comment or a message",
    'take `metadata={"personal": True}` away, copy such a column under another name, or make a '
    "feature of it that names somebody",
    "read, copy or print raw files: what this page says of their columns is all you need to know",
    "let a feature see what the label is made of, or rows after its date",
    "catch the error of the stub, return a constant, or do anything else by which a test passes "
    "and the question stays open",
)


@dataclass(frozen=True)
class Material:
    """What a prompt is made of.

    Attributes:
        stub: the function to write.
        path: its file, from the project's root.
        source: the function as it stands.
        contract: the text of contract.py; empty while that is a stub.
        sample: the first rows of made-up data, by column; empty while there are none.
        profile: the columns of real data; None where nobody named any.
        left: how many stubs there are.
    """

    stub: Stub
    path: Path
    source: str
    contract: str
    sample: tuple[Mapping[str, object], ...]
    profile: Mapping[str, Any] | None
    left: int


def names_of_tests(file: str) -> tuple[str, ...]:
    """Return how the names of the tests begin that filling a file must turn green."""
    return _TESTS.get(file, (f"test_{Path(file).stem}",))


def material(
    use_case: UseCase, root: Path, day: date, profile: Mapping[str, Any] | None
) -> Material | None:
    """Collect what the prompt for the next stub is made of; None if there is no stub.

    Args:
        use_case: the team's package.
        root: the project's root.
        day: the reference date of the sample.
        profile: what `Profile.to_dict` returned of real data, if somebody named any.
    """
    stubs = find_stubs(use_case.folder)
    if not stubs:
        return None
    stub = stubs[0]
    path = use_case.folder / stub.file
    unfilled = {each.file for each in stubs}
    contract = use_case.folder / "contract.py"
    has_contract = "contract.py" not in unfilled and contract.is_file()
    has_sample = "sample.py" not in unfilled and (use_case.folder / "sample.py").is_file()
    return Material(
        stub,
        path.relative_to(root) if path.is_relative_to(root) else path,
        _function(path, stub),
        contract.read_text(encoding="utf-8") if has_contract else "",
        _sample(use_case, day) if has_contract and has_sample else (),
        profile,
        len(stubs),
    )


def prompt_of(given: Material) -> str:
    """Return the prompt, in Markdown."""
    stub = given.stub
    files = [given.path, *(given.path.parent / each for each in _MAY_TOUCH.get(stub.file, ()))]
    touched = " and ".join(f"`{each.as_posix()}`" for each in files)
    return "\n".join(
        [
            f"# Write `{stub.name}` in `{given.path.as_posix()}`",
            "",
            f"To write: {stub.what}. It is the next of {given.left} stubs in this project, and the "
            "only one to fill now. AGENTS.md says how to work here.",
            "",
            "## What it has to be",
            "",
            *_fenced(given.source, "python"),
            "",
            "The example in it is about another question: take its form, not its columns.",
            *_contract(given),
            *_rows(given),
            *_data(given),
            *_proof(stub, touched),
            "",
            "## Never",
            "",
            *(f"- {each}." for each in _NEVER),
            "",
            "If the columns do not say what is meant, ask, and name what is open.",
        ]
    )


def _function(path: Path, stub: Stub) -> str:
    """Return the text of the stub's function, and of the constants that stand beside it."""
    text = path.read_text(encoding="utf-8")
    parts = []
    for node in ast.parse(text).body:
        constant = isinstance(node, ast.Assign | ast.AnnAssign)
        if constant or any(getattr(each, "lineno", 0) == stub.line for each in ast.walk(node)):
            parts.append(ast.get_source_segment(text, node) or "")
    return "\n\n".join(parts)


def _sample(use_case: UseCase, day: date) -> tuple[Mapping[str, object], ...]:
    """Return the first rows of made-up data; columns declared personal are hidden here, too."""
    try:
        personal = personal_of(use_case)
    except StubNotFilled:
        return ()
    rows = guarded(
        lambda: use_case.sample(_SAMPLE_SIZE, _SAMPLE_SEED, 0.0, day).head(SAMPLE_ROWS).to_dicts(),
        "make_sample",
        personal=personal or NOTHING_PERSONAL,
        package=use_case.folder,
    )
    return tuple(_hidden(row, personal) for row in rows)


def _hidden(row: Mapping[str, object], personal: Personal) -> Mapping[str, object]:
    return {name: HIDDEN if name in personal.columns else value for name, value in row.items()}


def _contract(given: Material) -> list[str]:
    if not given.contract:
        return []
    return ["", "## The contract of the raw data", "", *_fenced(given.contract, "python")]


def _rows(given: Material) -> list[str]:
    if given.stub.file == "contract.py":
        return []
    head = ["", "## Rows to think with", ""]
    if not given.sample:
        return [*head, "There is no sample yet: `sample.py` is to be written first."]
    names = list(given.sample[0])
    rows = [[row[name] for name in names] for row in given.sample]
    return [*head, "Made up by `make_sample`, none of them real:", "", *table(names, rows)]


def _data(given: Material) -> list[str]:
    head = ["", "## The columns of the real data", ""]
    if given.profile is None:
        command = typed("stubs --prompt --data-dir DIR")
        return [*head, f"Nobody named any. A person can: {command} adds what may be told of them."]
    return [*head, *lines_of(given.profile)]


def _proof(stub: Stub, touched: str) -> list[str]:
    wanted = " or ".join(names_of_tests(stub.file))
    return [
        "",
        "## Done when",
        "",
        "This is green, and names this stub no more. A test that waits for another stub counts as "
        "an expected failure, and says nothing until that one is filled:",
        "",
        *_fenced(f'uv run pytest -rx tests/test_use_case.py -k "{wanted}"', ""),
        "",
        "So are `uv run ruff check .` and `uv run mypy`, and you changed nothing but "
        f"{touched}. Then stop: {typed('stubs --prompt')} has the next one.",
    ]


def _fenced(text: str, language: str) -> Sequence[str]:
    fence = "`" * max(3, _longest_run(text) + 1)
    return [f"{fence}{language}", *text.strip("\n").splitlines(), fence]


def _longest_run(text: str) -> int:
    runs = "".join(each if each == "`" else " " for each in text).split()
    return max(map(len, runs), default=0)
