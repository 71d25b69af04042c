"""A project of the tests' own, with the tiny use case; trained once for all tests."""

import os
import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from fakes.project import write_project
from mlops.platforms.local.platform import LocalPlatform
from mlops.progress import silent
from mlops.settings.loading import LoadedSettings, load_settings
from mlops.settings.project import Project, find_project

# Several test processes share the cores: more threads in each would only wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")

BY_LIBRARY = {
    "cyclonedx_py": ["governance/test_bom.py", "cli/test_compliance_bom.py"],
    "lightgbm": ["steps/test_booster*.py"],
    "optuna": ["tuning/*.py", "cli/test_tune.py"],
}
"""What is tested only where a project has the extra that brings a library."""
collect_ignore_glob = [
    pattern
    for library, patterns in BY_LIBRARY.items()
    if find_spec(library) is None
    for pattern in patterns
]

ODD_FOLDERS = ["[v2]", "100% (copy)", "a%20b", "a#b", *([] if os.name == "nt" else ["a?b", "a*b"])]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that `-m "not heavy"` leaves out."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        trains = {"trained_once", "versions"} & set(fixtures)
        if trains or "integration" in item.path.parts:
            item.add_marker("heavy")


@pytest.fixture(autouse=True)
def _no_outer_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep settings of the machine, such as a pipeline's, out of the tests."""
    for name in os.environ:
        if name.startswith(("MLOPS_", "GITHUB_")):
            monkeypatch.delenv(name)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return write_project(tmp_path / "project")


@pytest.fixture
def settings(project: Project) -> LoadedSettings:
    return load_settings(project, variables={})


@pytest.fixture
def load(project: Project) -> Callable[..., LoadedSettings]:
    """Load the project's settings with some values changed."""

    def load_with(**overrides: Any) -> LoadedSettings:
        dotted = {key.replace("__", "."): value for key, value in overrides.items()}
        return load_settings(project, overrides=dotted, variables={})

    return load_with


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The project lies below folders whose names are patterns, queries or escapes to some."""
    root = tmp_path_factory.mktemp("trained").joinpath(*ODD_FOLDERS, "project")
    platform = LocalPlatform(load_settings(write_project(root), variables={}))
    return root, platform.train(None, silent).run_id


@pytest.fixture
def trained(trained_once: tuple[Path, str], tmp_path: Path) -> tuple[LocalPlatform, str]:
    """A copy of the project that was trained once: its platform and the run's id."""
    original, run_id = trained_once
    root = tmp_path / "trained"
    shutil.copytree(original, root)
    settings = load_settings(find_project(root), variables={})
    return LocalPlatform(settings), run_id
