import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from fakes.tiny_use_case import labels
from mlops.artifacts.prepared import Prepared
from mlops.errors import ConfigError, Interrupted, Refused
from mlops.progress import silent
from mlops.settings.loading import LoadedSettings
from mlops.tuning import study
from mlops.tuning.study import Asked, Found, Trial, search

ASKED = Asked(metric="f1", folds=3, sampler="random", seed=5)
Parts = tuple[Prepared, LoadedSettings]
Answer = tuple[dict[str, Any], float | None]


def answers(found: Found) -> list[Answer]:
    return [(trial.params, trial.value) for trial in found.trials]


def run(parts: Parts, folder: Path, asked: Asked = ASKED, trials: int = 5) -> Found:
    return search(*parts, asked, trials, folder, silent)


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of the trials that were measured."""
    numbers: list[int] = []
    before = study._Study.tried

    def tried(self: Any, number: int, *rest: Any, **more: Any) -> Trial:
        numbers.append(number)
        return before(self, number, *rest, **more)

    monkeypatch.setattr(study._Study, "tried", tried)
    return numbers


def test_a_search_finds_better_parameters_without_the_holdout(parts: Parts, tmp_path: Path) -> None:
    found = run(parts, tmp_path / "t", trials=8)
    best = found.best(1)[0]
    assert found.now.params == {}
    assert found.improves
    assert best.value is not None
    assert found.now.value is not None
    assert best.value > found.now.value + 0.1
    assert best.params["depth"] > 1
    values = [trial.value for trial in found.trials if trial.value is not None]
    assert [trial.value for trial in found.best(8)] == sorted(values, reverse=True)


@pytest.mark.parametrize("sampler", ["random", pytest.param("tpe", marks=pytest.mark.slow)])
def test_the_same_seed_gives_the_same_answer_and_another_one_another(
    parts: Parts, tmp_path: Path, sampler: str
) -> None:
    asked = replace(ASKED, sampler=sampler)
    first = answers(run(parts, tmp_path / "a", asked))
    assert answers(run(parts, tmp_path / "b", asked)) == first
    other = answers(run(parts, tmp_path / "c", replace(asked, seed=6)))
    assert [params for params, _ in other] != [params for params, _ in first]


@pytest.mark.parametrize("sampler", ["random", pytest.param("tpe", marks=pytest.mark.slow)])
def test_an_interrupted_search_goes_on_to_the_same_answer(
    parts: Parts, tmp_path: Path, fits: list[int], sampler: str
) -> None:
    asked = replace(ASKED, sampler=sampler)
    whole = run(parts, tmp_path / "whole", asked, trials=14)
    fits.clear()

    def interrupt(line: str, *_stage: Any) -> None:
        if line.startswith("trial 12 "):
            raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="12 of 14 trials are kept; the same command goes on"):
        search(*parts, asked, 14, tmp_path / "t", interrupt)
    assert fits == [-1, *range(12)]
    fits.clear()
    resumed = run(parts, tmp_path / "t", asked, trials=14)
    assert fits == [12, 13]
    assert resumed.resumed == 12
    assert answers(resumed) == answers(whole)


def test_a_finished_search_is_only_read_and_a_longer_one_goes_on(
    parts: Parts, tmp_path: Path, fits: list[int]
) -> None:
    first = run(parts, tmp_path / "t", trials=3)
    fits.clear()
    assert answers(run(parts, tmp_path / "t", trials=2)) == answers(first)[:2]
    assert fits == []
    assert answers(run(parts, tmp_path / "t", trials=4))[:3] == answers(first)
    assert fits == [3]


def test_the_file_says_what_was_asked_and_found(parts: Parts, tmp_path: Path) -> None:
    found = run(parts, tmp_path / "t", trials=2)
    content = json.loads(found.file.read_text())
    assert content["schema"] == 1
    assert found.file.name == f"{content['id']}.json"
    assert (content["metric"], content["folds"], content["seed"]) == ("f1", 3, 5)
    assert [each["params"] for each in content["trials"]] == [p for p, _ in answers(found)]
    assert content["now"]["value"] == found.now.value


@pytest.mark.parametrize(
    "changed", [{"metric": "roc_auc"}, {"folds": 4}, {"seed": 6}, {"sampler": "tpe"}]
)
def test_what_is_asked_otherwise_is_another_study(
    parts: Parts, tmp_path: Path, changed: dict[str, Any]
) -> None:
    run(parts, tmp_path / "t", trials=1)
    run(parts, tmp_path / "t", replace(ASKED, **changed), trials=1)
    assert len(list((tmp_path / "t").iterdir())) == 2


def test_other_data_are_another_study(parts: Parts, tmp_path: Path) -> None:
    prepared, settings = parts
    run(parts, tmp_path / "t", trials=1)
    path = prepared.folder / "train.parquet"
    prepared.train().head(150).write_parquet(path)
    run((prepared, settings), tmp_path / "t", trials=1)
    assert len(list((tmp_path / "t").iterdir())) == 2


def test_the_direction_of_the_metric_is_followed(parts: Parts, tmp_path: Path) -> None:
    found = run(parts, tmp_path / "t", replace(ASKED, metric="log_loss"), trials=6)
    values = [trial.value for trial in found.trials if trial.value is not None]
    assert found.best(1)[0].value == min(values)
    assert found.improves == (min(values) < (found.now.value or 0))


def test_a_trial_that_cannot_be_fitted_is_named_and_the_others_go_on(
    parts: Parts, tmp_path: Path, tunable: Callable[..., None]
) -> None:
    def space(trial: Any) -> dict[str, Any]:
        return {"criterion": trial.suggest_categorical("criterion", ["gini", "wrong"])}

    tunable(space)
    found = run(parts, tmp_path / "t", trials=6)
    failed = [trial for trial in found.trials if trial.value is None]
    assert 0 < len(failed) < 6
    assert all("cannot be fitted" in trial.problem for trial in failed)
    assert {trial.params["criterion"] for trial in found.best(6)} == {"gini"}


def test_a_search_of_which_nothing_can_be_measured_is_refused(
    parts: Parts, tmp_path: Path, tunable: Callable[..., None]
) -> None:
    tunable(lambda trial: {"criterion": trial.suggest_categorical("criterion", ["wrong"])})
    with pytest.raises(Refused, match="none of 2 trials could be measured: the model"):
        run(parts, tmp_path / "t", trials=2)


def test_a_metric_of_another_task_is_named_with_those_that_there_are(
    parts: Parts, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="--metric: mae is no metric of a binary model; there"):
        run(parts, tmp_path / "t", replace(ASKED, metric="mae"))


def test_what_labels_depend_on_is_not_tuned(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared, settings = parts
    cutoff = date.fromisoformat(prepared.cutoff)

    def by_depth(_reference: date, params: Any) -> date:
        return cutoff - timedelta(days=params.depth - 1)

    monkeypatch.setattr(labels, "label_cutoff", by_depth)
    with pytest.raises(ConfigError, match="each trial would answer another question"):
        run((prepared, settings), tmp_path / "t")


def test_a_space_that_changes_between_two_calls_is_noticed(
    parts: Parts, tmp_path: Path, tunable: Callable[..., None]
) -> None:
    """The code's hash would tell; here only the function in memory is another one."""
    run(parts, tmp_path / "t", trials=1)
    tunable(lambda trial: {"depth": trial.suggest_int("depth", 8, 9)})
    with pytest.raises(ConfigError, match="holds other parameters for trial 0"):
        run(parts, tmp_path / "t", trials=2)


def test_too_small_a_training_part_is_refused(parts: Parts, tmp_path: Path) -> None:
    prepared, settings = parts
    prepared.train().head(2).write_parquet(prepared.folder / "train.parquet")
    with pytest.raises(Refused, match="2 entities, too few for 3 folds"):
        run((prepared, settings), tmp_path / "t")
