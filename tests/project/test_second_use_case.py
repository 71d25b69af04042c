"""Tables of ready features of every task, without dates, need no other machinery."""

import importlib.resources
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import Project, Template, run

pytestmark = [pytest.mark.project, pytest.mark.slow]

USE_CASES = ("breast_cancer", "wine", "diabetes", "penguins")
HERE = Path(__file__).with_name("use_cases")
PLAIN = HERE / "plain_scikit_learn.py"
MOST_METRICS = 8


@pytest.fixture(scope="module", params=USE_CASES)
def project(
    template: Template, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Project]:
    """The blank example, filled with a table that a package ships."""
    project = template.install(tmp_path_factory.mktemp("second") / "project", example="blank")
    package = project.path / "src/purchase_prediction"
    shutil.rmtree(package)
    shutil.copytree(HERE / request.param, package)
    if request.param == "penguins":
        table = importlib.resources.files("palmerpenguins") / "data" / "penguins.csv"
        (package / "penguins.csv").write_bytes(table.read_bytes())
    # a tenth of some hundred rows, as in dev, would be too few
    (project.path / "conf/dev.yaml").write_text("data: {fraction: 1.0}\n", encoding="utf-8")
    if request.param != "breast_cancer":
        conf = project.path / "conf/base.yaml"
        lines = conf.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if "decision_threshold" not in line]
        conf.write_text("".join(kept).replace("training:\n", ""), encoding="utf-8")
    yield project
    project.mlops("stop", "--all")


def test_the_loop_is_green(project: Project) -> None:
    project.mlops("run")


def test_its_metrics_are_those_of_a_plain_script(project: Project) -> None:
    """The same estimator, the same split, and nothing of the machinery."""
    (evaluation,) = (project.path / ".mlops" / "runs").glob("*/evaluation/evaluation.json")
    found = json.loads(evaluation.read_text(encoding="utf-8"))["model"]
    script = project.path / "plain.py"
    shutil.copyfile(PLAIN, script)
    plain = json.loads(project.run("python", "plain.py", evaluation.parents[1].as_posix()))
    script.unlink()
    assert 5 <= len(plain) <= MOST_METRICS
    assert {name: found[name] for name in plain} == pytest.approx(plain, abs=1e-9)


def test_its_tests_pass_with_no_stub_left(project: Project) -> None:
    project.run("pytest", "--no-stubs")


def test_only_the_use_case_was_changed(project: Project) -> None:
    changed = run("git", "status", "--porcelain", folder=project.path).splitlines()
    assert changed
    assert all("src/" in line or " conf/" in line for line in changed)
