"""What commands hand to the CI: tables for a job's page, and values for its later steps.

GitHub Actions names a file for each in the environment; elsewhere nothing is written.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path


def summarise(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Append a heading and, unless it is empty, a table in Markdown to the job's page."""
    _append("GITHUB_STEP_SUMMARY", section(title, columns, rows))


def set_output(name: str, value: object) -> None:
    """Give a value to the later steps of the job."""
    _append("GITHUB_OUTPUT", f"{name}={value}")


def section(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a heading and, unless it is empty, a table in Markdown."""
    table = [_line(columns), _line("---" for _ in columns), *map(_line, rows)] if rows else []
    return "\n".join([f"### {_escaped(title)}", "", *table, ""])


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
