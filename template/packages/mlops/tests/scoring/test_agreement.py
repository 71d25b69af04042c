"""Scoring and the endpoint give the same answers, and decide the same."""

import json
from pathlib import Path

import polars as pl
import pytest

from fakes.scoring_script import load_script
from fakes.typed_version import feature_rows, raw_rows
from mlops.artifacts.scores import part_files
from mlops.artifacts.version_folder import VersionFolder
from mlops.scoring.scorer import open_scorer
from mlops.tasks import Task
from scoring.conftest import Call, Versions


def requests_of(data: Path) -> list[dict[str, object]]:
    """Return what a caller would send for each shop, in order of the shops."""
    raw = pl.concat([pl.read_parquet(path) for path in sorted(data.glob("*.parquet"))])
    return feature_rows(raw).sort("shop").drop("shop").to_dicts()


def read(folder: str) -> pl.DataFrame:
    return pl.concat([pl.read_parquet(path) for path in part_files(Path(folder))])


@pytest.mark.parametrize("task", list(Task))
@pytest.mark.parametrize("alone", [False, True])
def test_the_scoring_script_answers_the_same(
    call: Call, data: Path, versions: Versions, task: Task, alone: bool
) -> None:
    scores = read(call(task).output)
    script = load_script()
    model = script.load_model(versions(task))
    rows = requests_of(data)
    assert any(row["colour"] == "never seen" for row in rows)
    assert all(any(row[name] is None for row in rows) for name in ("open", "colour"))
    batches = [[row] for row in rows] if alone else [rows]
    answers = [
        script.score(model, script.parse(json.dumps({"data": batch}), model.features).matrix)
        for batch in batches
    ]
    predictions = [each for answer in answers for each in answer["predictions"]]
    assert scores["shop"].to_list() == [f"s{n:06}" for n in range(25)]
    if task is Task.REGRESSION:
        assert scores["prediction"].to_list() == pytest.approx(predictions, abs=1e-6)
        assert "probability" not in scores.columns
        return
    assert scores["prediction"].to_list() == predictions
    assert len(set(predictions)) > 1
    expected = [each for answer in answers for each in answer["probabilities"]]
    found = scores["probability"].to_list()
    if task is Task.BINARY:
        assert found == pytest.approx(expected, abs=1e-6)
    else:
        assert [list(each) for each in found] == [list(each) for each in expected]
        for mine, theirs in zip(found, expected, strict=True):
            assert mine == pytest.approx(theirs, abs=1e-6)


def test_a_probability_that_is_the_threshold_but_for_its_rounding_decides_the_same(
    versions: Versions,
) -> None:
    """The server compares in double precision, in which fewer numbers are equal."""
    script, folder = load_script(), versions(Task.BINARY)
    scorer, model = open_scorer(VersionFolder(folder)), script.load_model(folder)
    rows = scorer.features.matrix(feature_rows(raw_rows(50)).cast({"visits": pl.Float32}))
    probability = float(scorer.raw(rows)[0])
    above = probability + 1e-12
    object.__setattr__(scorer, "threshold", above)
    object.__setattr__(model, "decision_threshold", above)
    assert scorer.answered(rows)["prediction"].to_list() == script.score(model, rows)["predictions"]
    assert scorer.answered(rows)["prediction"][0] == 0
