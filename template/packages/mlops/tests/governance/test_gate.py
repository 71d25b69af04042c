"""The gate refuses what it must; each refusal is shown here."""

import json
from typing import Any

import numpy as np
import polars as pl
import pytest

from fakes.tiny_version import MADE_UP, REAL
from mlops.artifacts.data_source import UNKNOWN, DataSource
from mlops.artifacts.run_folder import RunFolder
from mlops.errors import Refused
from mlops.files import file_sha256
from mlops.governance.champion import Comparison, compare
from mlops.governance.gate import Verdict, judge, judge_run, require_passed
from mlops.metrics import METRICS
from mlops.platforms.base import Run
from mlops.platforms.local.platform import LocalPlatform
from mlops.settings.loading import LoadedSettings, load_settings
from mlops.settings.sections import GateSettings, SampleThresholds, Thresholds
from mlops.steps import evaluate, fit
from mlops.steps.register import register_run

UNFAIR = "may have been trained on this holdout"
ONLY_F1 = Thresholds(f1=0.75, roc_auc=None)
NO_THRESHOLD = Thresholds(f1=None, roc_auc=None)
GATE = GateSettings(thresholds=ONLY_F1)


def evaluate_again(run: Run, settings: LoadedSettings) -> None:
    folder = RunFolder(run.folder)
    evaluate.run(folder.prepared_path, folder.model.path, folder.evaluation.path, settings)


def evaluation(f1: float | None = 0.8, baseline: float | None = 0.7, **more: Any) -> dict[str, Any]:
    return {"model": {"f1": f1}, "baseline": {"f1": baseline}, "slices": [], **more}


def passed(checks: Any) -> dict[str, bool]:
    return {check.name: check.passed for check in checks}


def comparison(champion: float | None, challenger: float = 0.8, problem: str = "") -> Comparison:
    metrics = {} if champion is None else {"f1": champion}
    return Comparison(3, metrics, {"f1": challenger}, problem or None)


def test_a_good_model_passes() -> None:
    checks = judge(evaluation(), GATE, comparison(0.8))
    assert passed(checks) == {
        "f1": True,
        "f1 against the baseline": True,
        "f1 against champion 3": True,
    }


def test_below_the_threshold() -> None:
    assert passed(judge(evaluation(f1=0.7499), GATE, None))["f1"] is False


def test_no_better_than_the_baseline() -> None:
    assert not passed(judge(evaluation(baseline=0.8), GATE, None))["f1 against the baseline"]


def test_worse_than_the_champion_by_more_than_the_tolerance() -> None:
    name = "f1 against champion 3"
    assert not passed(judge(evaluation(), GATE, comparison(0.81)))[name]
    lenient = GateSettings(thresholds=ONLY_F1, tolerance=0.02)
    assert passed(judge(evaluation(), lenient, comparison(0.81)))[name]
    assert not passed(judge(evaluation(), lenient, comparison(0.83)))[name]


@pytest.mark.parametrize("value", [None, float("nan")])
def test_a_metric_that_was_not_computed_refuses(value: float | None) -> None:
    assert passed(judge(evaluation(f1=value), GATE, None))["f1"] is False
    assert not passed(judge({**evaluation(), "model": {}}, GATE, None))["f1"]
    assert not passed(judge(evaluation(baseline=None), GATE, None))["f1 against the baseline"]


def test_a_champion_that_cannot_be_compared_refuses_unless_conf_leaves_it_out() -> None:
    unknown = comparison(None, problem="its features are gone")
    checks = judge(evaluation(), GATE, unknown)
    assert not passed(checks)["f1 against champion 3"]
    assert "its features are gone" in checks[-1].asked
    alone = GateSettings(thresholds=ONLY_F1, compare_to_champion=False)
    assert all(passed(judge(evaluation(), alone, unknown)).values())


def test_where_lower_is_better_the_limit_is_a_most() -> None:
    limits = Thresholds(f1=None, roc_auc=None, brier=0.2)
    gate = GateSettings(thresholds=limits, metric="brier")
    good = {"model": {"brier": 0.1}, "baseline": {"brier": 0.2}, "slices": []}
    bad = {"model": {"brier": 0.3}, "baseline": {"brier": 0.2}, "slices": []}
    better = Comparison(1, {"brier": 0.1}, {"brier": 0.1})
    worse = Comparison(1, {"brier": 0.1}, {"brier": 0.11})
    assert all(passed(judge(good, gate, better)).values())
    assert not any(passed(judge(bad, gate, worse)).values())


def test_every_metric_can_have_a_limit() -> None:
    assert set(Thresholds.model_fields) == set(METRICS)
    assert set(SampleThresholds.model_fields) == set(METRICS)


@pytest.mark.parametrize(
    ("source", "asked"),
    [
        (REAL, {"f1": "at least 0.7500"}),
        (UNKNOWN, {"f1": "at least 0.7500"}),
        (MADE_UP, {"f1": "at least 0.2000", "roc_auc": "at least 0.5000"}),
    ],
)
def test_a_model_of_made_up_data_has_limits_of_its_own(
    source: DataSource, asked: dict[str, str]
) -> None:
    gate = GateSettings(
        thresholds=ONLY_F1, sample_thresholds=SampleThresholds(f1=0.2), beat_baseline=False
    )
    checks = judge(evaluation(), gate, None, source)
    assert {check.name: check.asked for check in checks} == asked


def test_without_limits_in_conf_a_model_of_the_sample_must_beat_chance() -> None:
    assert GateSettings().limits(made_up=True) == {"roc_auc": 0.5}


def test_a_gate_without_any_check_refuses() -> None:
    verdict = Verdict("run", "sha", "sha", "sha", "sha", None, checks=(), judged_at="now")
    assert not verdict.passed


def slices(*values: tuple[str, int, float | None]) -> list[dict[str, Any]]:
    return [
        {"slice": "s", "value": name, "rows": rows, "metrics": {"f1": f1}}
        for name, rows, f1 in values
    ]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (slices(("a", 100, 0.78), ("b", 100, 0.82)), True),
        (slices(("a", 100, 0.6), ("b", 100, 0.9)), False),
        (slices(("a", 100, 0.8), ("b", 100, None)), False),
        (slices(("a", 100, 0.8), ("b", 9, 0.8)), False),
        (slices(("a", 100, 0.78), ("b", 100, 0.82), ("c", 9, 0.1)), True),
    ],
    ids=[
        "small gap",
        "large gap",
        "not computed",
        "one slice only",
        "tiny slice left out",
    ],
)
def test_slices(found: list[dict[str, Any]], expected: bool) -> None:
    gate = GateSettings(thresholds=NO_THRESHOLD, beat_baseline=False, max_slice_gap=0.1)
    checks = judge(evaluation(slices=found), gate, None)
    assert passed(checks) == {"f1 in slices": expected}


TEST = {"metric": "f1", "of_all_rows": 0.8, "groups": 2, "permutations": 999}


def group(name: str, f1: float | None, p: float, why: str | None = None) -> dict[str, Any]:
    metrics = {"f1": f1}
    return {
        "slice": "s",
        "value": name,
        "rows": 100,
        "metrics": metrics,
        "not_assessed": why,
        "p": p,
    }


@pytest.mark.parametrize(
    ("gap", "p", "passes"),
    [(0.2, 0.05, True), (0.2001, 0.05, False), (0.5, 0.051, True), (0.5, 0.001, False)],
)
def test_a_gap_counts_if_it_is_over_its_limit_and_more_than_chance(
    gap: float, p: float, passes: bool
) -> None:
    gate = GateSettings(thresholds=NO_THRESHOLD, beat_baseline=False, max_slice_gap=0.2)
    found = [group("a", 0.8, 0.9), group("b", 0.8 - gap + 1e-9, p)]
    check = judge(evaluation(slices=found, slice_test=TEST), gate, None)[0]
    assert check.passed is passes
    assert check.found.endswith(f"in s=b (p {p:.3f})")


def test_the_gap_that_counts_is_named_although_chance_made_a_larger_one() -> None:
    gate = GateSettings(thresholds=NO_THRESHOLD, beat_baseline=False, max_slice_gap=0.1)
    found = [group("a", 0.3, 0.4), group("b", 0.6, 0.01)]
    check = judge(evaluation(slices=found, slice_test=TEST), gate, None)[0]
    assert (check.passed, check.found) == (False, "0.2000 in s=b (p 0.010)")


def test_groups_tested_by_another_metric_are_not_assessed() -> None:
    gate = GateSettings(thresholds=NO_THRESHOLD, beat_baseline=False, max_slice_gap=0.1)
    found = evaluation(
        slices=[group("a", 0.8, 1.0), group("b", 0.8, 1.0)],
        slice_test={**TEST, "metric": "accuracy"},
    )
    check = judge(found, gate, None)[0]
    assert not check.passed
    assert check.found == "not assessed: the groups were tested by accuracy"


@pytest.mark.parametrize(("alpha", "assessed"), [(0.01, True), (0.009, False)])
def test_a_probability_that_the_test_cannot_tell_is_not_assessed(
    alpha: float, assessed: bool
) -> None:
    gate = GateSettings(
        thresholds=NO_THRESHOLD, beat_baseline=False, max_slice_gap=0.1, slice_alpha=alpha
    )
    found = evaluation(
        slices=[group("a", 0.8, 1.0), group("b", 0.8, 1.0)],
        slice_test={**TEST, "permutations": 99},
    )
    check = judge(found, gate, None)[0]
    assert check.passed is assessed
    assert ("not assessed" in check.found) is not assessed


@pytest.mark.parametrize(
    ("name", "why", "found"),
    [
        ("s", None, "2 assessed"),
        ("s", "its rows have one class", "not assessed: s=b: its rows have one class"),
        ("t", None, "no such slice in slices.py"),
    ],
)
def test_a_required_slice_has_every_group_assessed(name: str, why: str | None, found: str) -> None:
    gate = GateSettings(thresholds=NO_THRESHOLD, beat_baseline=False, required_slices=(name,))
    groups = [group("a", 0.8, 1.0), group("b", 0.8, 1.0, why)]
    check = judge(evaluation(slices=groups, slice_test=TEST), gate, None)[0]
    assert (check.name, check.found) == (f"groups of {name}", found)
    assert check.passed is (found == "2 assessed")


def test_a_required_group_of_few_rows_is_not_assessed() -> None:
    gate = GateSettings(thresholds=NO_THRESHOLD, required_slices=("s",), min_slice_rows=101)
    check = judge(evaluation(slices=[group("a", 0.8, 1.0)], slice_test=TEST), gate, None)[-1]
    assert (check.passed, check.found) == (False, "not assessed: s=a: 100 rows, and 101 are asked")


def test_the_verdict_is_kept_and_lets_the_model_be_registered(
    trained: tuple[LocalPlatform, str],
) -> None:
    platform, run_id = trained
    run = platform.run(run_id)
    verdict = judge_run(platform, run, platform.settings)
    assert verdict.passed
    assert require_passed(run)["model_sha256"] == file_sha256(run.folder / "model" / "model.skops")


def test_without_a_verdict_nothing_is_registered(trained: tuple[LocalPlatform, str]) -> None:
    platform, run_id = trained
    with pytest.raises(Refused, match="has no verdict"):
        register_run(platform, platform.run(run_id), platform.settings)
    assert platform.versions() == []


def test_a_refusing_verdict_registers_nothing(trained: tuple[LocalPlatform, str]) -> None:
    platform, run_id = trained
    run = platform.run(run_id)
    strict = load_settings(
        platform.settings.project, overrides={"gate.sample_thresholds.f1": 1.0}, variables={}
    )
    assert not judge_run(platform, run, strict).passed
    with pytest.raises(Refused, match=r"did not pass the gate \(f1\)"):
        register_run(platform, run, platform.settings)
    assert platform.versions() == []


def test_a_model_altered_after_its_verdict_is_refused(trained: tuple[LocalPlatform, str]) -> None:
    platform, run_id = trained
    run = platform.run(run_id)
    assert judge_run(platform, run, platform.settings).passed
    other = (run.folder / "model" / "baseline.skops").read_bytes()
    (run.folder / "model" / "model.skops").write_bytes(other)
    with pytest.raises(Refused, match="changed after its verdict"):
        register_run(platform, run, platform.settings)
    assert platform.versions() == []


@pytest.mark.parametrize("name", ["prepared/holdout.parquet", "evaluation/evaluation.json"])
def test_files_altered_after_the_verdict_are_refused(
    trained: tuple[LocalPlatform, str], name: str
) -> None:
    platform, run_id = trained
    run = platform.run(run_id)
    assert judge_run(platform, run, platform.settings).passed
    (run.folder / name).write_bytes((run.folder / name).read_bytes() + b" ")
    with pytest.raises(Refused, match=f"{name} was changed after its verdict"):
        register_run(platform, run, platform.settings)
    assert platform.versions() == []


def test_a_champion_whose_files_were_altered_is_not_scored(
    trained: tuple[LocalPlatform, str],
) -> None:
    platform, run_id = trained
    run = platform.run(run_id)
    judge_run(platform, run, platform.settings)
    onnx = register_run(platform, run, platform.settings).folder / "model.onnx"
    onnx.write_bytes(onnx.read_bytes() + b" ")
    with pytest.raises(Refused, match=r"model\.onnx"):
        judge_run(platform, run, platform.settings)


@pytest.mark.parametrize(
    "name", ["model/model.skops", "model/model.onnx", "prepared/holdout.parquet"]
)
def test_files_altered_after_the_evaluation_are_refused(
    trained: tuple[LocalPlatform, str], name: str
) -> None:
    platform, run_id = trained
    run = platform.run(run_id)
    (run.folder / name).write_bytes((run.folder / name).read_bytes() + b" ")
    with pytest.raises(Refused, match="was changed after"):
        judge_run(platform, run, platform.settings)


def test_the_same_model_again_is_accepted(trained: tuple[LocalPlatform, str]) -> None:
    platform, run_id = trained
    run = platform.run(run_id)
    assert judge_run(platform, run, platform.settings).passed
    register_run(platform, run, platform.settings)
    again = judge_run(platform, run, platform.settings)
    assert again.champion_version == 1
    assert again.passed


def test_a_worse_challenger_is_refused(trained: tuple[LocalPlatform, str]) -> None:
    platform, run_id = trained
    settings = platform.settings
    run = platform.run(run_id)
    judge_run(platform, run, settings)
    register_run(platform, run, settings)

    train = run.folder / "prepared" / "train.parquet"
    frame = pl.read_parquet(train)
    worse = frame["label"].to_numpy().copy()
    worse[: len(worse) // 4] = 1 - worse[: len(worse) // 4]
    frame.with_columns(label=pl.Series(worse)).write_parquet(train)
    fit.run(run.folder / "prepared", run.folder / "model", settings, {})
    evaluate_again(run, settings)
    lenient = load_settings(
        settings.project,
        overrides={"gate.sample_thresholds.f1": 0.1, "gate.beat_baseline": False},
        variables={},
    )
    verdict = judge_run(platform, run, lenient)
    assert passed(verdict.checks)["f1 against champion 1"] is False
    with pytest.raises(Refused):
        register_run(platform, run, settings)
    assert [known.version for known in platform.versions()] == [1]


def test_shuffled_labels_are_refused(trained: tuple[LocalPlatform, str]) -> None:
    platform, run_id = trained
    run = platform.run(run_id)
    random = np.random.default_rng(0)
    train = run.folder / "prepared" / "train.parquet"
    frame = pl.read_parquet(train)
    labels = pl.Series(random.permutation(frame["label"].to_numpy()))
    frame.with_columns(label=labels).write_parquet(train)
    fit.run(run.folder / "prepared", run.folder / "model", platform.settings, {})
    evaluate_again(run, platform.settings)
    assert not judge_run(platform, run, platform.settings).passed


@pytest.mark.parametrize(
    ("split", "problem"),
    [
        ({"holdout_fraction": 0.1, "salt": "holdout", "key": "machine"}, UNFAIR),
        ({"holdout_fraction": 0.25, "salt": "other", "key": "machine"}, UNFAIR),
        ({"holdout_fraction": 0.25, "salt": "holdout", "key": "plant"}, UNFAIR),
        ({"holdout_fraction": 0.5, "salt": "holdout", "key": "machine"}, None),
    ],
)
def test_a_champion_that_saw_the_holdout_is_not_compared(
    trained: tuple[LocalPlatform, str], split: dict[str, Any], problem: str | None
) -> None:
    platform, run_id = trained
    run = platform.run(run_id)
    judge_run(platform, run, platform.settings)
    version = register_run(platform, run, platform.settings)
    path = version.folder / "lineage.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "split": split}))
    found = compare(version, run, platform.settings.values.gate)
    if problem is None:
        assert found.problem is None
        assert found.champion["f1"] == found.challenger["f1"]
    else:
        assert problem in str(found.problem)


def test_a_champion_whose_features_are_gone_is_not_compared(
    trained: tuple[LocalPlatform, str],
) -> None:
    platform, run_id = trained
    run = platform.run(run_id)
    judge_run(platform, run, platform.settings)
    version = register_run(platform, run, platform.settings)
    path = run.folder / "prepared" / "prepared.json"
    content = json.loads(path.read_text())
    content["features"] = content["features"][1:]
    path.write_text(json.dumps(content))
    assert "highest" in str(compare(version, run, platform.settings.values.gate).problem)


def test_a_model_that_callers_would_have_to_ask_otherwise_is_warned_of(
    trained: tuple[LocalPlatform, str],
) -> None:
    platform, run_id = trained
    run = platform.run(run_id)
    judge_run(platform, run, platform.settings)
    version = register_run(platform, run, platform.settings)
    signature = json.loads((version.folder / "signature.json").read_text(encoding="utf-8"))
    signature["features"][0]["name"] = "former"
    (version.folder / "signature.json").write_text(json.dumps(signature), encoding="utf-8")
    lineage = json.loads((version.folder / "lineage.json").read_text(encoding="utf-8"))
    lineage["files"]["signature.json"] = file_sha256(version.folder / "signature.json")
    (version.folder / "lineage.json").write_text(json.dumps(lineage), encoding="utf-8")
    warning, _registered = judge_run(platform, run, platform.settings).warnings
    assert "callers of version 1 would have to send something else" in warning
    assert "highest must be sent and was not known before" in warning
    assert "former is no longer known and is refused" in warning
