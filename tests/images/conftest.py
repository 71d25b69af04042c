"""Both images, each built once for a module that needs it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import Template

from . import bases, build
from .checks import Built


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    folder = tmp_path_factory.mktemp("serving")
    project = build.serving_project(folder / "project")
    with build.built(project, "serving", folder) as image:
        yield image


@pytest.fixture(scope="module")
def project(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose lock has not the newest versions."""
    folder = tmp_path_factory.mktemp("trained") / "project"
    return build.training_project(template, folder, bases.python_version(bases.ensure()))


@pytest.fixture(scope="module")
def training(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    with build.built(project, "training", tmp_path_factory.mktemp("training")) as image:
        yield image
