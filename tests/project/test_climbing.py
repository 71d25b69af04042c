"""A team's own model climbs from level 1 to 3 by updates, and gets infrastructure on the way."""

import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.project.test_second_use_case import HERE
from tests.support import Project, Template, commit_all, contents
from tests.template.test_update import assert_no_conflict

pytestmark = [pytest.mark.project, pytest.mark.slow]

PACKAGE = "src/purchase_prediction"
OWN_TEST = """\
from purchase_prediction.model import make_model


def test_ours() -> None:
    assert make_model.__doc__
"""


@pytest.fixture(scope="module")
def project(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Blank at level 1 without infrastructure, filled with breast cancer's files."""
    folder = tmp_path_factory.mktemp("climbing") / "project"
    project = template.install(folder, example="blank", maturity_level=1, infrastructure="none")
    shutil.rmtree(folder / PACKAGE)
    shutil.copytree(HERE / "breast_cancer", folder / PACKAGE)
    # a tenth of some hundred rows, as in dev, would be too few
    (folder / "conf/dev.yaml").write_text("data: {fraction: 1.0}\n", encoding="utf-8")
    (folder / "tests/test_ours.py").write_text(OWN_TEST, encoding="utf-8")
    commit_all(folder)
    yield project
    project.mlops("stop", "--all")


def of_the_team(folder: Path) -> dict[str, bytes]:
    return {
        name: text
        for name, text in contents(folder).items()
        if name.startswith(("src/", "tests/", "conf/")) and "__pycache__" not in name
    }


def level(folder: Path) -> int:
    text = (folder / "pyproject.toml").read_text(encoding="utf-8")
    return int(tomllib.loads(text)["tool"]["mlops"]["maturity_level"])


def assert_green(project: Project) -> None:
    """The team's tests pass with no stub left, and so does the whole loop."""
    said = project.run("pytest", "--no-stubs", timeout=1200)
    assert re.search(r"\d+ passed", said)
    assert "failed" not in said
    assert "The whole loop ran in" in project.mlops("run", timeout=1800)
    project.mlops("stop", "--all")


def test_it_is_green_at_each_level_and_no_file_of_the_team_changes(
    template: Template, project: Project
) -> None:
    before = of_the_team(project.path)
    assert_green(project)
    for number, answers in ((2, {}), (3, {"infrastructure": "bicep"})):
        template.update(project.path, maturity_level=number, **answers)
        assert_no_conflict(project.path)
        assert level(project.path) == number
        found = of_the_team(project.path)
        assert {name: found[name] for name in before} == before
        new = found.keys() - before.keys()
        assert new == ({"conf/test.yaml", "conf/prod.yaml"} if number == 2 else set())
        before = found
        project.run("python", "--version")  # installs what is new
        commit_all(project.path)
        assert_green(project)
    assert (project.path / "infra/main.bicep").is_file()
    assert (project.path / ".github/workflows/infra.yml").is_file()
    project.run("pytest", "packages/mlops/tests/project", timeout=1200)
