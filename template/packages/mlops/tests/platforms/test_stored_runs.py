"""How a run is found by what is shown of its id."""

from pathlib import Path

import pytest

from mlops.errors import ConfigError
from mlops.platforms.stored_runs import find_stored_run, short_ids

MLFLOW = "0123456789abcdef0123456789abcdef"
JOB = "train-dev-20261129-002318-abc123"


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    for name in (MLFLOW, JOB, ".0123456789unfinished"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.mark.parametrize("run_id", [MLFLOW, JOB])
def test_what_is_shown_of_an_id_finds_the_run(runs: Path, run_id: str) -> None:
    shown = short_ids([MLFLOW, JOB])[run_id]
    assert len(shown) < 14
    for typed in (run_id, shown):
        found = find_stored_run(runs, typed)
        assert found
        assert found.folder == runs / run_id


@pytest.mark.parametrize("typed", ["0123456", "89abcdef01", "..", "", "*"])
def test_less_than_what_is_shown_finds_nothing(runs: Path, typed: str) -> None:
    assert find_stored_run(runs, typed) is None


def test_runs_that_look_alike_are_shown_whole_and_named(runs: Path) -> None:
    other = MLFLOW[:8] + "f" * 24
    (runs / other).mkdir()
    assert short_ids([MLFLOW, other]) == {MLFLOW: MLFLOW, other: other}
    with pytest.raises(ConfigError, match=f"{MLFLOW}, {other}"):
        find_stored_run(runs, MLFLOW[:8])
