"""The serving image, built once for a module that needs it."""

from collections.abc import Iterator

import pytest

from . import build
from .checks import Built


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    folder = tmp_path_factory.mktemp("serving")
    project = build.serving_project(folder / "project")
    with build.built(project, "serving", folder) as image:
        yield image
