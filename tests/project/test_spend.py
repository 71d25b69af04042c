"""The second worked example: an amount, with categories, split in time."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.project.generated import ProjectChecks
from tests.support import Project, Template

pytestmark = pytest.mark.project


@pytest.fixture(scope="module")
def project(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = template.install(tmp_path_factory.mktemp("spend") / "project", example="spend")
    yield project
    project.mlops("stop", "--all")


def printed(said: str) -> dict[str, Any]:
    """The JSON that a command printed, after what it told people."""
    found: dict[str, Any] = json.loads(said[said.index("\n{") if said[0] != "{" else 0 :])
    return found


class TestSpend(ProjectChecks):
    @pytest.mark.slow
    def test_its_loop_answers_with_an_amount(self, project: Project) -> None:
        project.mlops("run")
        (folder,) = (project.path / ".mlops/registry/purchase-prediction").iterdir()
        signature = json.loads((folder / "signature.json").read_text(encoding="utf-8"))
        kinds = {each["name"]: each["kind"] for each in signature["features"]}
        assert signature["task"] == "regression"
        assert [name for name, kind in kinds.items() if kind == "category"] == [
            "channel",
            "country",
        ]
        assert "first_order" not in kinds

    @pytest.mark.slow
    @pytest.mark.parametrize("seed", [1, 2, 3])
    def test_the_limits_leave_room_for_another_sample(self, project: Project, seed: int) -> None:
        """A limit that only this seed meets would say nothing."""
        env = {"MLOPS_DATA__SAMPLE__SEED": str(seed), "MLOPS_DATA__FRACTION": "1.0"}
        run_id = project.mlops("train", env=env).split()[-1]
        project.mlops("evaluate", "--run-id", run_id, env=env)
        project.mlops("evaluate", "--run-id", run_id, "--threshold", "rmse=1", env=env, expect=1)


def test_where_it_is_split_is_said_in_conf(template: Template, tmp_path: Path) -> None:
    conf = (template.render(tmp_path / "project", example="spend") / "conf/base.yaml").read_text()
    assert "by: time" in conf
    assert "date: first_order" in conf
