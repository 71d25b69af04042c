"""Projects with several answers, and Azure's types."""

from collections.abc import Iterator

import pytest

from tests.infra.bicep_types import AzureTypes
from tests.infra.project import ANSWERS, Infra
from tests.support import Template


@pytest.fixture(scope="package")
def projects(template: Template, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Infra]:
    folder = tmp_path_factory.mktemp("infra")
    return {
        name: Infra(template.render(folder / name, **answers)) for name, answers in ANSWERS.items()
    }


@pytest.fixture
def infra(projects: dict[str, Infra]) -> Infra:
    return projects["default"]


@pytest.fixture(scope="package")
def types() -> Iterator[AzureTypes]:
    with AzureTypes() as found:
        yield found
