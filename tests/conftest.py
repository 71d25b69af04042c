import pytest

from .support import Template

pytest_plugins = ["tests.components"]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """This template in a git repository of its own: do not change it."""
    return Template.make(tmp_path_factory.mktemp("template"))
