"""Who may import whom: no module closes a cycle, and no package imports one that builds on it.

Every import counts, also one inside a function and one for types alone: what is hidden there is
needed all the same.
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import mlops

SOURCE = Path(mlops.__file__).parent

LAYERS = (
    {
        "errors",
        "files",
        "full_disk",
        "hints",
        "progress",
        "checks",
        "clock",
        "arrays",
        "features",
        "metrics",
        "tasks",
        "window",
        "markdown",
        "html_page",
    },
    {"diagnosis", "yaml_loader"},
    {"console", "ci.job"},
    {"settings", "usecase"},
    {
        "data",
        "artifacts",
        "platforms.auditing",
        "platforms.base",
        "platforms.lease_terms",
        "platforms.notes",
        "platforms.remote_rows",
        "platforms.watching",
        "signing",
    },
    {"steps"},
    {"monitoring", "governance", "tuning"},
    {"steps.register"},
    {"platforms"},
    {"monitoring.serving"},
    {
        "release",
        "scoring",
        "monitoring.drift_command",
        "monitoring.monitor",
        "monitoring.alerting",
        "monitoring.feedback",
        "monitoring.raw_labels",
        "monitoring.retraining",
        "reproduction",
        "forgetting",
    },
    {"ops", "ci", "aml", "testing", "monitoring.report", "simulation"},
    {"cli", "__main__"},
)
"""Modules and packages, each layer built on those above it; the longest name that fits counts."""


def modules(source: Path) -> dict[str, Path]:
    """Return the modules below a package's folder by their dotted name within it."""
    found = {}
    for path in sorted(source.rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(tree: ast.AST, package: str) -> Iterator[str]:
    """Yield what a module imports of its own package: dotted names within it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name.removeprefix(f"{package}.") for name in names if name != package)


def dependencies(source: Path) -> dict[str, set[str]]:
    """Return for every module the modules that it imports."""
    known = modules(source)
    found: dict[str, set[str]] = {}
    for name, path in known.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        asked = imported(tree, source.name)
        found[name] = {owner for each in asked if (owner := _module(each, known))} - {name}
    return found


def _module(name: str, known: Mapping[str, Path]) -> str:
    """Return the module that a name is or stands in; nothing for what is of another package."""
    owner = name.rpartition(".")[0]
    return next((each for each in (name, owner) if each in known), "")


def cycles(graph: Mapping[str, set[str]]) -> set[frozenset[str]]:
    """Return the groups of modules of which each needs every other."""
    reached = {name: _reachable(graph, name) for name in graph}
    groups = {
        frozenset(other for other in reached[name] if name in reached[other]) for name in graph
    }
    return {group for group in groups if group}


def _reachable(graph: Mapping[str, set[str]], start: str) -> set[str]:
    seen: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += graph[name]
    return seen


def layer(module: str) -> int:
    """Return the number of a module's layer.

    Raises:
        LookupError: it belongs to none.
    """
    places = {name: number for number, names in enumerate(LAYERS) for name in names}
    fitting = [name for name in places if f"{module}.".startswith(f"{name}.")]
    if not fitting:
        raise LookupError(f"{module} belongs to no layer: give it one in LAYERS")
    return places[max(fitting, key=len)]


def upwards(graph: Mapping[str, set[str]]) -> set[tuple[str, str]]:
    """Return the imports from a higher layer than a module's own."""
    return {
        (name, other)
        for name, others in graph.items()
        if name
        for other in others
        if layer(other) > layer(name)
    }


def test_no_module_closes_a_cycle() -> None:
    assert cycles(dependencies(SOURCE)) == set()


def test_no_module_imports_from_a_higher_layer() -> None:
    assert upwards(dependencies(SOURCE)) == set()


@pytest.mark.parametrize(
    "hidden",
    [
        "def run():\n    from house.b import x\n",
        "if TYPE_CHECKING:\n    import house.b\n",
        "from house import b\n",
    ],
)
def test_a_hidden_import_closes_a_cycle_too(tmp_path: Path, hidden: str) -> None:
    house = tmp_path / "house"
    house.mkdir()
    (house / "__init__.py").touch()
    (house / "a.py").write_text(hidden)
    (house / "b.py").write_text("from house.a import y\nimport json\n")
    assert cycles(dependencies(house)) == {frozenset({"a", "b"})}


def test_a_package_of_low_order_may_not_import_a_high_one() -> None:
    graph = {"steps.fit": {"governance.gate", "files"}, "steps.register": {"governance.gate"}}
    assert upwards(graph) == {("steps.fit", "governance.gate")}


def test_a_module_without_a_layer_is_named() -> None:
    with pytest.raises(LookupError, match="LAYERS"):
        layer("kitchen.sink")
