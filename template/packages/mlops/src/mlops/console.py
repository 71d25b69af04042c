"""What commands print: progress and tables on stderr, results as JSON on stdout."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from mlops.ci.job import summarise
from mlops.progress import Stage, StageReport

_SHORT = 20
"""Characters of a cell that is not broken."""
_BORDERS = 3
"""Characters of a column besides its cells."""


def console() -> Console:
    """Return a console on stderr; stdout belongs to results."""
    return Console(file=sys.stderr, soft_wrap=True, highlight=False)


@contextmanager
def progress(title: str) -> Iterator[StageReport]:
    """Show what a long operation is doing; yield the function that receives its lines."""
    screen = console()
    drawn = screen.status(Text(title)) if screen.is_terminal else None

    def report(line: str, stage: Stage | None = None, /) -> None:
        text = ": ".join(part for part in (title, stage, line) if part)
        if drawn:
            drawn.update(Text(text))
        else:
            screen.print(text, markup=False)

    with drawn or nullcontext():
        yield report


def show(message: str, style: str = "") -> None:
    """Print one line for people."""
    console().print(Text(message, style=style))


def show_result(message: str) -> None:
    """Print one line, as wide as the screen, of what the command was called for."""
    click.echo(message)


def show_table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    is_result: bool = False,
) -> None:
    """Print a table for people, and show it on the job's page in CI.

    The first column, which names what the others describe, is never broken, nor is one of short
    cells such as numbers and times while there is room; the others are broken between words.

    With `is_result` it goes to stdout, as what the command was called for.
    """
    rows = [tuple(row) for row in rows]
    summarise(title, columns, rows)
    screen = Console(highlight=False) if is_result else console()
    whole = _unbroken(columns, rows, screen.width)
    table = Table(title=Text(title), title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, overflow="fold", no_wrap=number in whole)
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in row))
    screen.print(table)


def _unbroken(columns: Sequence[str], rows: Sequence[Sequence[object]], width: int) -> set[int]:
    """Return the columns that are not broken: of the short ones as many as leave room for all."""
    cells = [[column, *(str(row[n]) for row in rows)] for n, column in enumerate(columns)]
    longest = [max(map(len, each)) for each in cells]
    words = [max(len(word) for cell in each for word in cell.split() or [""]) for each in cells]
    whole = [n for n, size in enumerate(longest) if n == 0 or size <= _SHORT]
    room = width - _BORDERS * len(cells) - 1
    while len(whole) > 1 and room < sum(
        longest[n] if n in whole else min(words[n], _SHORT) for n in range(len(cells))
    ):
        whole.pop()
    return {*whole}


def show_tree(tree: Tree) -> None:
    """Print a tree on stdout, as what the command was called for."""
    Console(highlight=False).print(tree)


def mark(passed: bool) -> Text:
    """Return a coloured `passed` or `FAILED`."""
    return Text("passed", style="green") if passed else Text("FAILED", style="bold red")


def emit(result: dict[str, Any]) -> None:
    """Print a result as JSON on stdout."""
    click.echo(json.dumps(result, indent=2, ensure_ascii=True, default=str))
