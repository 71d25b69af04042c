"""The second worked example: an amount, with categories, split in time."""

import json
from collections.abc import Iterator

import pytest

from tests.project.generated import ProjectChecks
from tests.support import Project, Template

pytestmark = [pytest.mark.project, pytest.mark.slow]  # the first example shows nearly all of it


@pytest.fixture(scope="module")
def project(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = template.install(tmp_path_factory.mktemp("spend") / "project", example="spend")
    yield project
    project.mlops("stop", "--all")


class TestSpend(ProjectChecks):
    def test_its_hooks_pass(self, project: Project) -> None:
        super().test_its_hooks_pass(project)

    def test_its_loop_answers_with_an_amount(self, project: Project) -> None:
        project.mlops("run")
        folder = project.path / ".mlops/registry/purchase-prediction/1"
        signature = json.loads((folder / "signature.json").read_text(encoding="utf-8"))
        kinds = {each["name"]: each["kind"] for each in signature["features"]}
        assert signature["task"] == "regression"
        assert [name for name, kind in kinds.items() if kind == "category"] == [
            "channel",
            "country",
        ]
        assert "first_order" not in kinds
        lineage = json.loads((folder / "lineage.json").read_text(encoding="utf-8"))
        assert (lineage["split"]["by"], lineage["split"]["date"]) == ("time", "first_order")

    @pytest.mark.parametrize("seed", [1, 2, 3])
    def test_the_limits_leave_room_for_another_sample(self, project: Project, seed: int) -> None:
        """A limit that only this seed meets would say nothing."""
        env = {
            "MLOPS_DATA__SAMPLE__SEED": str(seed),
            "MLOPS_DATA__FRACTION": "1.0",
            "MLOPS_GATE__COMPARE_TO_CHAMPION": "false",
        }
        run_id = project.mlops("train", env=env).split()[-1]
        project.mlops("evaluate", "--run-id", run_id, env=env)
        project.mlops("evaluate", "--run-id", run_id, "--threshold", "rmse=1", env=env, expect=1)
