"""The worked example does what it promises, with the commands that its README names."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tools.reserved_names import names_of_project, reserved_names

from .generated import ProjectChecks
from .support import LONG_PACKAGE, TESTS, Project, Template, run, uv

pytestmark = pytest.mark.project


@pytest.fixture(scope="module")
def project(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = template.install(tmp_path_factory.mktemp("rfm") / "project", example="rfm")
    yield project
    project.mlops("stop", "--all")


@pytest.fixture
def endurance(project: Project) -> Iterator[Path]:
    """Tests of the machinery under load, for a while among the project's own."""
    folder = project.path / "tests" / "integration" / "endurance"
    shutil.copytree(TESTS / "fixtures" / "endurance", folder)
    yield folder
    shutil.rmtree(folder)


def versions(project: Project) -> list[int]:
    """The registered versions, as `mlops status` tells."""
    said = project.mlops("status", "--json")
    status: dict[str, Any] = json.loads(said[said.index("{") :])
    return [version["version"] for version in status["versions"]]


class TestRfm(ProjectChecks):
    def test_coverage_is_at_least_90_percent(self, project: Project) -> None:
        """Of the run of all its tests, above."""
        assert float(project.run("coverage", "report", "--format", "total")) >= 90

    def test_types_hold_with_the_longest_package_name(
        self, project: Project, template: Template, tmp_path: Path
    ) -> None:
        other = template.render(tmp_path / "project", package_name=LONG_PACKAGE)
        run(
            *(uv(), "run", "--quiet", "--project", project.path),
            *("mypy", "--python-executable", project.python),
            folder=other,
        )

    def test_its_environment_holds_no_name_that_a_project_may_take(self, project: Project) -> None:
        """`make reserved` writes the names."""
        assert names_of_project(project.path) <= reserved_names()

    @pytest.mark.parametrize("module", ["test_load.py", "test_release_under_load.py"])
    def test_no_caller_notices_a_change(
        self, project: Project, endurance: Path, module: str
    ) -> None:
        """Too long for the project's own tests: half a minute of load, releases, a kill."""
        project.run("pytest", endurance / module)

    def test_the_loop_runs_twice_and_its_folder_can_move(
        self, project: Project, tmp_path: Path
    ) -> None:
        project.mlops("run")
        assert versions(project) == [1]
        project.mlops("run")
        assert versions(project) == [1, 2]
        project.mlops("stop", "--all")

        moved = Project(tmp_path / "moved here")
        shutil.copytree(project.path, moved.path, ignore=shutil.ignore_patterns(".venv"))
        hidden = project.path.rename(project.path.with_name("was here"))
        try:
            run(uv(), "sync", "--quiet", folder=moved.path)
            assert versions(moved) == [1, 2]
            moved.mlops("deploy", "--environment", "dev", "--model-version", "1")
            moved.mlops("smoke-test", "--environment", "dev")
        finally:
            moved.mlops("stop", "--all", expect=None)
            hidden.rename(project.path)
