"""Messages name our commands as people type them."""

import ast
from collections.abc import Iterator
from pathlib import Path

import mlops
from mlops.hints import typed

SOURCE = Path(mlops.__file__).parent


def texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and value of the strings of a module, but for those that document it."""
    docs = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.lineno, node.value


def bare(source: str) -> list[int]:
    """Return the lines whose strings name a command without what goes before it."""
    return [line for line, text in texts(ast.parse(source)) if "`mlops " in text]


def test_a_command_is_named_as_people_type_it() -> None:
    assert typed("status") == "`uv run mlops status`"
    assert bare('"""See `mlops a`."""\nx = f"{y}: see `mlops status`"\n') == [2]
    paths = sorted(SOURCE.rglob("*.py"))
    found = [(path.name, bare(path.read_text(encoding="utf-8"))) for path in paths]
    assert [each for each in found if each[1]] == []
