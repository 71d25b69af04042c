"""What `mlops score` answers and what the real inference server answers are the same."""

from pathlib import Path

import pytest

from fakes.rig import Rig
from fakes.typed_version import feature_rows, raw_rows, write_typed_version
from mlops.artifacts.version_folder import VersionFolder
from mlops.platforms.base import ModelVersion
from mlops.progress import silent
from mlops.scoring.ask import ask, payload_of
from mlops.scoring.scorer import open_scorer
from mlops.steps.typed_table import check_features
from mlops.tasks import Task


@pytest.mark.parametrize(
    "task",
    [
        Task.MULTICLASS,
        *(pytest.param(t, marks=pytest.mark.slow) for t in (Task.BINARY, Task.REGRESSION)),
    ],
)
def test_the_endpoint_answers_as_scoring_does(rig: Rig, tmp_path: Path, task: Task) -> None:
    folder = write_typed_version(tmp_path / "version", task, number=3)
    rows = feature_rows(raw_rows(200, seed=2, new=("never seen", "Zu\u0308rich "))).sort("shop")
    scores = open_scorer(VersionFolder(folder)).score(check_features(rows, "shop"))
    rig.endpoint.deploy("green", ModelVersion("tiny", 3, folder), silent)
    try:
        sent = {"data": rows.drop("shop").to_dicts()}
        answer = rig.endpoint.invoke(sent, "green")
    finally:
        rig.endpoint.delete("green")
    assert answer.status == 200
    assert answer.body["model_version"] == 3
    if task is Task.REGRESSION:
        assert scores["prediction"].to_list() == pytest.approx(answer.body["predictions"], abs=1e-6)
        return
    assert scores["prediction"].to_list() == answer.body["predictions"]
    found, expected = scores["probability"].to_list(), answer.body["probabilities"]
    if task is Task.MULTICLASS:
        found, expected = ([x for row in each for x in row.values()] for each in (found, expected))
    assert found == pytest.approx(expected, abs=1e-6)


def test_a_person_asks_the_real_server(rig: Rig) -> None:
    answer = ask(rig.endpoint, payload_of('{"a": 1.0, "b": -0.5, "c": null}'))
    assert answer.body["model_version"] == rig.served()
