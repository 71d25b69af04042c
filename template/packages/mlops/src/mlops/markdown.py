"""Tables and text in Markdown that no value can break: for reports, cards and the CI's pages."""

import re
from collections.abc import Iterable, Sequence

_SPECIAL = re.compile(r"([\\`*_\[<|&~$#])")


def escaped(value: object) -> str:
    """Return text on one line that Markdown shows as it is."""
    return _SPECIAL.sub(r"\\\1", " ".join(str(value).split()))


def table(columns: Sequence[object], rows: Iterable[Sequence[object]]) -> list[str]:
    """Return the lines of a table, headings first; each cell is shown as it is."""
    rule = f"| {' | '.join('---' for _ in columns)} |"
    return [_line(columns), rule, *map(_line, rows)]


def checks_table(checks: Iterable[tuple[str, str, str, bool]]) -> list[str]:
    """Return the lines of a table of checks: each a name, what was found and asked, and passed."""
    rows = [(*said, "passed" if passed else "FAILED") for *said, passed in checks]
    return table(("check", "found", "asked", ""), rows)


def _line(cells: Iterable[object]) -> str:
    return f"| {' | '.join(escaped(cell) for cell in cells)} |"
