"""Finds the functions of the team's package that are still stubs, without importing them."""

import ast
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mlops.errors import ConfigError, StubNotFilled

_MACHINERY = Path(__file__).parents[1]
_ORDER = ("contract.py", "sample.py", "features.py", "labels.py", "model.py")
"""Each needs those before it; other files come last."""


@dataclass(frozen=True)
class Stub:
    """A function that raises StubNotFilled: where it is and what it says is to be written."""

    file: str
    line: int
    name: str
    what: str


def find_stubs(use_case: Path) -> list[Stub]:
    """Return the stubs in all modules of the folder `use_case`, in the order of filling them.

    A stub's `file` is relative to the folder, and its `line` is that of the function's `def`.

    Raises:
        ConfigError: a module is not valid Python.
    """
    stubs = []
    for path in sorted(use_case.rglob("*.py")):
        file = path.relative_to(use_case).as_posix()
        try:
            tree = ast.parse(path.read_bytes(), filename=file)
        except (SyntaxError, ValueError) as error:
            raise ConfigError(f"{path} is not valid Python: {error}") from None
        stubs += [
            Stub(file, owner.lineno, owner.name, _reason(call)) for owner, call in _raises(tree)
        ]
    return sorted(stubs, key=lambda stub: (_turn(stub.file), stub.file, stub.line))


def told(error: StubNotFilled) -> str:
    """Return what a caught error says is to be written, with file and function if a stub raised it.

    The machinery itself raises it too, where it does not get as far as to call one.
    """
    codes = [frame.f_code for frame, _line in traceback.walk_tb(error.__traceback__)]
    path = Path(codes[-1].co_filename) if codes else _MACHINERY
    if path.is_relative_to(_MACHINERY):
        return str(error)
    return f"{path.name}: {codes[-1].co_name}(): {error}"


def _turn(file: str) -> int:
    return _ORDER.index(file) if file in _ORDER else len(_ORDER)


_Function = ast.FunctionDef | ast.AsyncFunctionDef


def _raises(node: ast.AST, owner: _Function | None = None) -> Iterator[tuple[_Function, ast.expr]]:
    """Yield each `raise StubNotFilled` below `node` with the function that it stands in."""
    for child in ast.iter_child_nodes(node):
        inside = child if isinstance(child, _Function) else owner
        if isinstance(child, ast.Raise) and child.exc and inside and _is_stub(child.exc):
            yield inside, child.exc
        yield from _raises(child, inside)


def _is_stub(raised: ast.expr) -> bool:
    kind = raised.func if isinstance(raised, ast.Call) else raised
    name = kind.attr if isinstance(kind, ast.Attribute) else getattr(kind, "id", None)
    return name == StubNotFilled.__name__


def _reason(raised: ast.expr) -> str:
    if not isinstance(raised, ast.Call) or not raised.args:
        return ""
    argument = raised.args[0]
    return str(argument.value) if isinstance(argument, ast.Constant) else ast.unparse(argument)
