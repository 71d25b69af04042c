"""Projects with several answers, and the compiler."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.components import bicep
from tests.infra.project import ANSWERS
from tests.support import Template
from tools.bicep import Bicep


@pytest.fixture(scope="session")
def compiler() -> Iterator[Bicep]:
    """Microsoft's compiler: one process for all tests."""
    with Bicep(str(bicep())) as started:
        yield started


@pytest.fixture(scope="session")
def projects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A project for each of ANSWERS, without its machinery, which nothing here needs."""
    folder = tmp_path_factory.mktemp("infra")
    template = Template.make_small(folder / "template", keep=[])
    return {name: template.render(folder / name, **answers) for name, answers in ANSWERS.items()}


@pytest.fixture
def infra(projects: dict[str, Path], tmp_path: Path) -> Path:
    """The folder infra/ of the default project, with what it reads beside it, to be changed."""
    for name in ("infra", "conf", "observability"):
        shutil.copytree(projects["default"] / name, tmp_path / name)
    return tmp_path / "infra"
