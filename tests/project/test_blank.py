"""The blank example: green from the start, and honest about what is missing."""

import pytest

from tests.project.generated import ProjectChecks
from tests.support import Project, Template

pytestmark = pytest.mark.project


@pytest.fixture(scope="module")
def project(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return template.install(tmp_path_factory.mktemp("blank") / "project", example="blank")


class TestBlank(ProjectChecks):
    def test_the_loop_says_which_stub_is_missing(self, project: Project) -> None:
        said = project.mlops("run", expect=2)
        assert "a stub of the use case is not filled yet" in said

    def test_stubs_can_be_refused(self, project: Project) -> None:
        said = project.run("pytest", "--no-stubs", expect=1)
        assert "StubNotFilled" in said
