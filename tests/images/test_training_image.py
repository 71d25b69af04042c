"""The training image: what is in it, and the steps of the pipeline run as a job runs them.

Its Dockerfile is built as it is, on a stand-in base: this machine's distribution, with its Python.
"""

import json
import re
from pathlib import Path

import pytest
import yaml

from .checks import CHECKS, Built

pytestmark = [pytest.mark.slow, pytest.mark.needs("images")]

GIVEN = {
    "inputs.environment": "dev",
    "inputs.git_commit": "0123456789" * 4,
    "inputs.git_dirty": "False",
}


@pytest.mark.parametrize("check", CHECKS)
def test_it_is_as_it_should_be(training: Built, check: str) -> None:
    assert CHECKS[check](training) == []


def test_it_runs_the_pipeline_on_a_jobs_copy_of_the_code(
    project: Path, training: Built, tmp_path: Path
) -> None:
    pipeline = project / "aml" / "pipelines" / "train.yml"
    for step in yaml.safe_load(pipeline.read_text(encoding="utf-8"))["jobs"].values():
        component = yaml.safe_load((pipeline.parent / step["component"]).read_text("utf-8"))
        for output in component["outputs"]:
            (tmp_path / output).mkdir()  # Azure ML makes it before the command runs
        command = re.sub(r"\$\[\[.*?\]\]", "", component["command"])
        command = re.sub(
            r"\$\{\{(\w+\.(\w+))\}\}",
            lambda name: GIVEN.get(name[1]) or str(tmp_path / name[2]),
            command,
        )
        seen = [training.source.code, tmp_path]
        training.container.run("bash", "-c", command, folder=training.source.code, volumes=seen)
    evaluation = json.loads((tmp_path / "evaluation" / "evaluation.json").read_text("utf-8"))
    assert evaluation["model"]["roc_auc"] > 0.5
    model = json.loads((tmp_path / "model" / "training.json").read_text("utf-8"))
    assert model["git"]["commit"] == GIVEN["inputs.git_commit"]
