"""Nothing grows so large that a reader loses the thread."""

import ast
from pathlib import Path

import pytest

from fakes.places import PROJECT

MACHINERY = PROJECT / "packages" / "mlops"
SOURCES = [*(MACHINERY / "src").rglob("*.py"), *(PROJECT / "serving").glob("*.py")]
TESTS = list((MACHINERY / "tests").rglob("*.py"))
FUNCTION_LINES = 60
MODULE_LINES = 450
COMMAND_LINES = 300
TEST_LINES = 600


def lines_of(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def long_functions(path: Path, limit: int) -> list[str]:
    """Return the functions of a module that have more lines than the limit."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return [
        f"{path.name}:{node.lineno} {node.name}"
        for node in functions
        if (node.end_lineno or 0) - node.lineno + 1 > limit
    ]


def test_there_is_something_to_measure() -> None:
    assert len(SOURCES) > 100
    assert any(path.name == "score.py" for path in SOURCES)


def test_no_function_is_too_long() -> None:
    assert [each for path in SOURCES for each in long_functions(path, FUNCTION_LINES)] == []


def test_no_module_is_too_long() -> None:
    assert [path.name for path in SOURCES if lines_of(path) > MODULE_LINES] == []


def test_a_command_s_module_is_short() -> None:
    folder = MACHINERY / "src" / "mlops" / "cli"
    assert [path.name for path in folder.glob("*.py") if lines_of(path) >= COMMAND_LINES] == []


def test_no_test_is_too_long() -> None:
    assert [path.name for path in TESTS if lines_of(path) >= TEST_LINES] == []


@pytest.mark.parametrize(("lines", "found"), [(60, []), (61, ["long.py:1 long"])])
def test_the_limit_is_meant(tmp_path: Path, lines: int, found: list[str]) -> None:
    path = tmp_path / "long.py"
    path.write_text("def long():\n" + "    pass\n" * (lines - 1))
    assert long_functions(path, FUNCTION_LINES) == found
