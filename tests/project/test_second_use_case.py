"""A table of ready features, with no dates and no transactions, needs no other machinery."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import Project, Template, run

pytestmark = [pytest.mark.project, pytest.mark.slow]


@pytest.fixture(scope="module")
def project(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The blank example, filled with breast cancer: what scikit-learn ships, one row a patient."""
    project = template.install(tmp_path_factory.mktemp("second") / "project", example="blank")
    package = project.path / "src/purchase_prediction"
    shutil.rmtree(package)
    shutil.copytree(Path(__file__).with_name("breast_cancer"), package)
    # a tenth of 569 rows, as in dev, would be too few
    (project.path / "conf/dev.yaml").write_text("data: {fraction: 1.0}\n", encoding="utf-8")
    yield project
    project.mlops("stop", "--all")


def test_the_loop_is_green(project: Project) -> None:
    project.mlops("run")


def test_its_tests_pass_with_no_stub_left(project: Project) -> None:
    project.run("pytest", "--no-stubs")


def test_only_the_use_case_was_changed(project: Project) -> None:
    changed = run("git", "status", "--porcelain", folder=project.path).splitlines()
    assert changed
    assert all("src/" in line or line.endswith(" conf/dev.yaml") for line in changed)
