"""The platforms know each other's common ground alone, and so do their callers."""

import ast
from itertools import permutations
from pathlib import Path

import pytest

import mlops.platforms
from mlops.settings.platform_names import PLATFORM_NAMES

ROOM = Path(mlops.platforms.__file__).parent
SOURCE = ROOM.parent
OF_THIS_MACHINE = {"ops/ui.py", "simulation/world.py"}
"""They are about what is kept on this machine, whatever the platform is."""


def imported(module: Path) -> set[str]:
    """Every module that a file imports, also inside functions; of `from a import b` also a.b."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
    return names


ROOMS = sorted(path.parent.name for path in ROOM.glob("*/__init__.py"))


def test_each_platform_has_a_room() -> None:
    assert sorted(PLATFORM_NAMES) == ROOMS


@pytest.mark.parametrize(("platform", "other"), list(permutations(ROOMS, 2)))
def test_no_platform_imports_from_another(platform: str, other: str) -> None:
    modules = sorted((ROOM / platform).rglob("*.py"))
    assert len(modules) > 5
    room = f"mlops.platforms.{other}"
    found = {
        f"{module.name}: {name}"
        for module in modules
        for name in imported(module)
        if name == room or name.startswith(f"{room}.")
    }
    assert found == set()


@pytest.mark.parametrize("module", sorted(path.name for path in ROOM.glob("*.py")))
def test_what_platforms_share_knows_none_of_them(module: str) -> None:
    rooms = tuple(f"mlops.platforms.{room}" for room in ROOMS)
    found = {name for name in imported(ROOM / module) if name.startswith(rooms)}
    if module == "__init__.py":  # it alone chooses one
        assert found
    else:
        assert found == set()


def test_callers_know_no_platform() -> None:
    rooms = tuple(f"mlops.platforms.{room}" for room in ROOMS)
    callers = [path for path in SOURCE.rglob("*.py") if ROOM not in path.parents]
    assert len(callers) > 50
    found = {
        path.relative_to(SOURCE).as_posix()
        for path in callers
        if any(name.startswith(rooms) for name in imported(path))
    }
    assert found == OF_THIS_MACHINE
