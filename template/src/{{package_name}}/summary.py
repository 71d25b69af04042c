"""Results for the CI: tables on a job's page, and values that later steps read.

GitHub Actions names a file for each in the environment; elsewhere nothing is written.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path


def summarise(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Append a table in Markdown to the summary of the job."""
    lines = [
        f"### {_escaped(title)}",
        "",
        _line(columns),
        _line(["---"] * len(columns)),
        *(_line(row) for row in rows),
        "",
    ]
    _append("GITHUB_STEP_SUMMARY", "\n".join(lines))


def _line(cells: Iterable[object]) -> str:
    return f"| {' | '.join(_escaped(cell) for cell in cells)} |"


def _escaped(value: object) -> str:
    text = " ".join(str(value).split())
    for character in "\\|<`*_[":
        text = text.replace(character, f"\\{character}")
    return text


def _append(variable: str, text: str) -> None:
    path = os.environ.get(variable)
    if path:
        with Path(path).open("a", encoding="utf-8") as stream:
            stream.write(f"{text}\n")
