"""A team's first days by commands: the demo, its own data, a feature more, a feature less.

What is asserted are the words that a person reads at each turn, and who serves after it.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.project.test_rfm import status, traffic, versions
from tests.support import Project, Template

pytestmark = [pytest.mark.project, pytest.mark.slow]

PROD = ("--environment", "prod")
FEATURES = "src/purchase_prediction/features.py"
LAST = "        average_gap=gap.fill_null(customers.tenure),\n"
MORE = "        per_visit=customers.monetary / customers.frequency,\n"
OWN_DATA = """
import sys
from datetime import date
from pathlib import Path
from purchase_prediction.sample import make_sample
Path("data").mkdir()
make_sample(3000, 7, 0.0, date.today()).write_csv("data/orders.csv")
"""


@pytest.fixture(scope="module")
def project(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = template.install(tmp_path_factory.mktemp("days") / "project", example="rfm")
    (project.path / "conf/dev.yaml").write_text("data: {fraction: 1.0}\n", encoding="utf-8")
    yield project
    project.mlops("stop", "--all")


def trained(project: Project) -> int:
    """Train on the team's own data and register; return the version."""
    run_id = project.mlops("train", "--data-dir", "data").split()[-1]
    # as docs/gate.md says of features that are gone
    project.mlops("evaluate", "--run-id", run_id, env={"MLOPS_GATE__COMPARE_TO_CHAMPION": "false"})
    project.mlops("register", "--run-id", run_id)
    return versions(project)[-1]


def serving(project: Project) -> int:
    """The version that callers of prod reach."""
    (name,) = [name for name, share in traffic(project).items() if share == 100]
    (prod,) = [each for each in status(project)["endpoints"] if each["environment"] == "prod"]
    return int(next(each["version"] for each in prod["deployments"] if each["name"] == name))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_the_first_days_of_a_team(project: Project) -> None:
    project.mlops("run")
    assert serving(project) == 1
    assert "made up" in project.mlops("status")

    project.run("python", "-c", OWN_DATA)
    said = project.mlops("run", "--data-dir", "data")
    assert "version 1 was not compared: it is made of made-up data" in said
    assert serving(project) == 2

    said = project.mlops("run", expect=1)
    assert "data against champion 2: made-up data" in said
    assert serving(project) == 2

    edit(project.path / FEATURES, LAST, LAST + MORE)
    third = trained(project)
    assert third == 3
    said = project.mlops("release", *PROD, "--model-version", "3", expect=1)
    assert "version 3 may refuse requests that purchase-prediction-prod answers now" in said
    assert "per_visit" in said
    assert serving(project) == 2
    reason = ("--breaking", "--reason", "the shop sends it since Monday")
    said = project.mlops("release", *PROD, "--model-version", "3", *reason)
    assert "per_visit" in said
    assert serving(project) == 3

    edit(project.path / FEATURES, '        "tenure",\n', "")
    assert trained(project) == 4
    said = project.mlops("release", *PROD, "--model-version", "4", expect=1)
    assert "tenure" in said
    assert serving(project) == 3
    project.mlops("release", *PROD, "--model-version", "4", *reason)
    assert serving(project) == 4
    project.mlops("rollback", *PROD)
    assert serving(project) == 3
