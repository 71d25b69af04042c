"""A whole check: events of the version that serves, late labels, and what is kept of it."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fakes.labelled_events import NOW, TARGETS, ago, events, predictions, write_bare_version
from fakes.platform import FakePlatform
from mlops.artifacts.performance_result import Outcome, PerformanceResult
from mlops.artifacts.predictions import GENERATED, SCORE
from mlops.errors import ConfigError, Hold
from mlops.monitoring.feedback import Checked, Request, check_performance, source_of
from mlops.progress import silent
from mlops.settings.loading import LoadedSettings, load_settings
from mlops.settings.project import Project
from mlops.tasks import Task

GOOD = [0.9, 0.9, 0.1, 0.1]
RIGHT = [1, 1, 0, 0]
Check = Callable[..., PerformanceResult]
IDS = ["0", "1", "2", "3"]


@pytest.fixture
def platform(tmp_path: Path) -> FakePlatform:
    """Version 9 serves, and 2 did before."""
    fake = FakePlatform(tmp_path / "platform")
    write_bare_version(fake.folder / "versions" / "9", TARGETS[Task.BINARY], holdout={"f1": 0.8})
    endpoint = fake.endpoint("tiny-dev")
    endpoint.serve("blue", 9, share=100)
    endpoint.serve("green", 2)
    return fake


def settings_with(project: Project, **overrides: Any) -> LoadedSettings:
    dotted: dict[str, Any] = {"feedback.min_rows": 3, "gate.thresholds.f1": 0.7}
    dotted |= {key.replace("__", "."): value for key, value in overrides.items()}
    return load_settings(project, overrides=dotted, variables={}, clock=lambda: NOW)


@pytest.fixture
def check(project: Project, platform: FakePlatform) -> Callable[..., Checked]:
    def run(labels: Path | None, days: float = 30, **overrides: Any) -> Checked:
        settings = settings_with(project, **overrides)
        request = Request(labels, timedelta(days=days))
        return check_performance(platform, settings, request, silent)

    return run


def see(platform: FakePlatform, *frames: pl.DataFrame, **others: Any) -> None:
    platform.endpoint("tiny-dev").events = predictions(*frames, **others)


def by_id(folder: Path, labels: list[Any], ids: list[str] | None = None) -> Path:
    path = folder / "labels.parquet"
    pl.DataFrame({"inference_id": ids or IDS[: len(labels)], "label": labels}).write_parquet(path)
    return path


@pytest.mark.parametrize(
    ("labels", "outcome", "value"),
    [(RIGHT, Outcome.OK, 1.0), ([0, 1, 0, 1], Outcome.BELOW, 0.5)],
)
def test_labels_that_came_judge_the_version_that_serves(
    platform: FakePlatform, check: Callable[..., Checked], tmp_path: Path,
    labels: list[int], outcome: Outcome, value: float,
) -> None:  # fmt: skip
    see(platform, events(GOOD, [ago(1)] * 4))
    result = check(by_id(tmp_path, labels)).result
    assert (result.outcome, result.realised.value) == (outcome, value)
    assert (result.judged.model_version, result.judged.deployment) == (9, "blue")
    assert (result.coverage, result.limit, result.holdout["f1"]) == (1.0, 0.7, 0.8)


def test_labels_ten_days_late_and_a_window_of_a_day_are_never_green(
    platform: FakePlatform, check: Callable[..., Checked], tmp_path: Path
) -> None:
    """The labels are of other predictions than those of the window: nothing joins."""
    old, new = events(GOOD, [ago(10.5)] * 4), events(GOOD, [ago(0.2)] * 4, ids=["a", "b", "c", "d"])
    see(platform, old, new)
    labels = by_id(tmp_path, RIGHT)
    result = check(labels, days=1).result
    assert (result.outcome, result.realised.rows) == (Outcome.NOT_ENOUGH, 0)
    assert (result.predictions.mature, result.labels.unknown, result.coverage) == (4, 4, 0.0)
    late = check(labels, days=1, feedback__delay_days=10).result
    assert (late.outcome, late.realised.rows) == (Outcome.OK, 4)
    assert late.predictions.immature == 4


@pytest.mark.parametrize(
    ("labels", "outcome", "why"),
    [
        (RIGHT, Outcome.NOT_ENOUGH, "1 files of events could not be read, and f1 is within its"),
        ([0, 1, 0, 1], Outcome.BELOW, "f1 is 0.5000"),
    ],
)
def test_what_could_not_be_read_is_never_green(
    platform: FakePlatform, check: Callable[..., Checked], tmp_path: Path,
    labels: list[int], outcome: Outcome, why: str,
) -> None:  # fmt: skip
    see(platform, events(GOOD, [ago(1)] * 4), unread={"part-1": "damaged"})
    result = check(by_id(tmp_path, labels)).result
    assert result.outcome is outcome
    assert result.reason.startswith(why)
    assert platform.endpoint("tiny-dev").kept[0]["outcome"] == outcome.value


def test_without_any_prediction_nothing_is_green(
    platform: FakePlatform, check: Callable[..., Checked], tmp_path: Path
) -> None:
    see(platform, events([], []))
    result = check(by_id(tmp_path, RIGHT)).result
    assert (result.outcome, result.coverage) == (Outcome.NOT_ENOUGH, None)
    assert result.estimated.outcome is Outcome.NOT_ENOUGH


def test_young_predictions_are_not_judged(
    platform: FakePlatform, check: Callable[..., Checked], tmp_path: Path
) -> None:
    see(platform, events([*GOOD, 0.9], [ago(9), ago(8), ago(8), ago(8), ago(6)], ids=[*IDS, "4"]))
    labels = by_id(tmp_path, [*RIGHT, 0], [*IDS, "4"])
    result = check(labels, feedback__delay_days=7).result
    assert (result.realised.rows, result.realised.value) == (4, 1.0)
    assert (result.labels.immature, result.predictions.immature) == (1, 1)


def test_too_few_labels_are_not_enough(
    platform: FakePlatform, check: Callable[..., Checked], tmp_path: Path
) -> None:
    see(platform, events(GOOD, [ago(1)] * 4))
    result = check(by_id(tmp_path, [1, 1])).result
    assert (result.outcome, result.coverage) == (Outcome.NOT_ENOUGH, 0.5)
    assert "2 of 4 mature predictions have a label" in result.reason


def test_other_versions_and_failures_are_counted_and_left_out(
    platform: FakePlatform, check: Callable[..., Checked], tmp_path: Path
) -> None:
    see(
        platform,
        events(GOOD, [ago(1)] * 4),
        events([0.1] * 3, [ago(1)] * 3, ids=["x", "y", "z"], version=2),
        events([0.1], [ago(1)], ids=["f"], status=400),
        events([float("nan")], [ago(1)], ids=["n"]),
        events([0.9] * 2, [ago(1)] * 2, ids=["g", "h"], source=GENERATED),
        dropped=5,
        unread={"part-1": "damaged"},
    )
    result = check(by_id(tmp_path, [*RIGHT, 1, 1, 1, 1], [*IDS, "x", "y", "z", "g"])).result
    seen = result.predictions
    assert (result.realised.rows, result.labels.unknown, result.labels.elsewhere) == (4, 1, 3)
    assert (seen.mature, seen.failed, seen.incomplete, seen.dropped) == (4, 1, 1, 5)
    assert (seen.generated, result.estimated.rows) == (2, 4)
    assert (seen.other_versions, seen.unread) == ({"2": 3}, {"part-1": "damaged"})


def test_while_traffic_is_split_the_version_with_most_of_it_is_judged(
    platform: FakePlatform, check: Callable[..., Checked], tmp_path: Path
) -> None:
    endpoint = platform.endpoint("tiny-dev")
    for name, version, share in (("blue", 9, 30), ("grey", 9, 30), ("green", 2, 40)):
        endpoint.serve(name, version, share=share)
    see(platform, events(GOOD, [ago(1)] * 4))
    assert check(by_id(tmp_path, RIGHT)).result.judged.model_version == 9


def test_a_model_that_is_only_scored_is_judged_too(
    platform: FakePlatform, check: Callable[..., Checked], tmp_path: Path
) -> None:
    endpoint = platform.endpoint("tiny-dev")
    for name in ("blue", "green"):
        endpoint.serve(name, 9, share=0)
    older = events(GOOD, [ago(5)] * 4, ids=["a", "b", "c", "d"], version=2, source=SCORE)
    see(platform, older, events(GOOD, [ago(1)] * 4, source=SCORE))
    judged = check(by_id(tmp_path, RIGHT)).result
    assert (judged.judged.model_version, judged.judged.deployment) == (9, None)
    assert (judged.outcome, judged.predictions.other_versions) == (Outcome.OK, {"2": 4})
    see(platform, events(GOOD, [ago(1)] * 4))
    with pytest.raises(Hold, match="nothing serves at tiny-dev"):
        check(by_id(tmp_path, RIGHT))


def test_labels_by_key_and_day(
    platform: FakePlatform, check: Callable[..., Checked], tmp_path: Path
) -> None:
    keys = ["m1", "m2", "m3", "m4", "m1"]
    times = [*[ago(1.1)] * 4, ago(1.05)]
    see(platform, events([*GOOD, 0.1], times, keys=keys, ids=[*IDS, "4"]))
    path = tmp_path / "labels.csv"
    lines = [f"m{n + 1},{ago(1.1).date()},{label}" for n, label in enumerate(RIGHT)]
    path.write_text("\n".join(["machine,date,label", *lines, ""]))
    result = check(path, telemetry__keys=True).result
    assert (result.labels.by, result.realised.rows, result.realised.value) == ("key", 4, 1.0)
    assert result.coverage == 1.0


def test_labels_by_key_need_events_that_name_keys(
    platform: FakePlatform, check: Callable[..., Checked], tmp_path: Path
) -> None:
    see(platform, events(GOOD, [ago(1)] * 4))
    path = tmp_path / "labels.csv"
    path.write_text(f"machine,date,label\nm1,{ago(1).date()},1\n")
    with pytest.raises(ConfigError, match="the events of predictions name none") as error:
        check(path)
    assert "telemetry.keys: true" in error.value.remedy
    result = check(path, telemetry__keys=True).result
    assert result.outcome is Outcome.NOT_ENOUGH
    assert "before telemetry.keys was true" in result.reason
    assert result.labels.unknown == 1


def test_raw_data_are_labelled_by_labels_py(
    platform: FakePlatform, check: Callable[..., Checked], tmp_path: Path
) -> None:
    """A machine with an alarm within ten days after the prediction has the label 1."""
    raw = tmp_path / "raw"
    raw.mkdir()
    rows = [(f"m{n}", ago(25).date(), 1.0) for n in range(4)]
    rows += [("m0", ago(15).date(), 150.0), ("m1", ago(15).date(), 150.0), ("m2", NOW.date(), 1.0)]
    schema = {"machine": pl.String, "day": pl.Date, "reading": pl.Float64}
    pl.DataFrame(rows, schema=schema, orient="row").write_parquet(raw / "d.parquet")
    seen = events(GOOD, [ago(20)] * 4, keys=["m0", "m1", "m2", "m3"])
    see(platform, seen, events([0.5], [ago(1)], keys=["m0"], ids=["young"]))
    result = check(raw, feedback__delay_days=10, telemetry__keys=True).result
    assert (result.outcome, result.realised.rows, result.realised.value) == (Outcome.OK, 4, 1.0)
    assert result.labels.notes == (), "young predictions are not asked about"
    see(platform, events(GOOD, [ago(20)] * 4))
    with pytest.raises(ConfigError, match="labels are by machine"):
        check(raw, feedback__delay_days=10)


def test_the_window_begins_at_midnight_also_where_labels_are_half_a_day_late(
    platform: FakePlatform, check: Callable[..., Checked], tmp_path: Path
) -> None:
    see(platform, events(GOOD, [ago(1)] * 4))
    late = check(by_id(tmp_path, RIGHT), days=2, feedback__delay_days=0.25).result.realised.window
    assert late.end == ago(0.25).isoformat()
    assert late.start == f"{ago(2.25).date()}T00:00:00+00:00"


@pytest.mark.parametrize(
    ("task", "outputs", "labels", "metric", "limit", "outcome"),
    [
        (Task.REGRESSION, [10.0, 20.0, 30.0, 40.0], [12.0, 22.0, 32.0, 42.0], "mae", 3.0, "ok"),
        (Task.REGRESSION, [10.0, 20.0, 30.0, 40.0], [14.0, 24.0, 34.0, 44.0], "mae", 3.0, "below"),
        (Task.MULTICLASS, [[0.8, 0.1, 0.1]] * 4, ["blue"] * 4, "accuracy", 0.9, "ok"),
        (Task.MULTICLASS, [[0.8, 0.1, 0.1]] * 4, ["blue", "red"] * 2, "accuracy", 0.9, "below"),
    ],
)
def test_each_task_is_judged_by_its_own_metric(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: Task,
    outputs: list[Any], labels: list[Any], metric: str, limit: float, outcome: str,
) -> None:  # fmt: skip
    monkeypatch.setattr("mlops.usecase.use_case.UseCase.task", task)
    fake = FakePlatform(tmp_path / "platform")
    write_bare_version(fake.folder / "versions" / "9", TARGETS[task])
    fake.endpoint("tiny-dev").serve("blue", 9, share=100)
    see(fake, events(outputs, [ago(1)] * 4, TARGETS[task]))
    (project.root / "conf" / "base.yaml").write_text("")
    overrides = {"gate__metric": metric, f"gate__thresholds__{metric}": limit}
    if task is not Task.BINARY:
        overrides |= {"gate__thresholds__f1": None, "gate__thresholds__roc_auc": None}
    settings = settings_with(project, **overrides)
    request = Request(by_id(tmp_path, labels), timedelta(days=30))
    result = check_performance(fake, settings, request, silent).result
    assert (result.outcome.value, result.realised.rows) == (outcome, 4)
    assert (result.estimated.metric is None) == (task is Task.REGRESSION)


def test_without_labels_the_performance_is_estimated_and_nothing_is_green(
    platform: FakePlatform, check: Callable[..., Checked]
) -> None:
    see(platform, events(GOOD, [ago(1)] * 4))
    result = check(None).result
    assert result.outcome is Outcome.NOT_ENOUGH
    assert "no labels are named" in result.reason
    assert result.estimated.metrics["accuracy"] == pytest.approx(0.9)


def test_the_estimate_is_of_the_newest_predictions(
    platform: FakePlatform, check: Callable[..., Checked], tmp_path: Path
) -> None:
    see(platform, events([0.9, 0.9, 0.6], [ago(40), ago(35), ago(1)]))
    result = check(by_id(tmp_path, [1, 1]), feedback__delay_days=30).result
    assert (result.estimated.rows, result.predictions.mature) == (1, 2)
    assert result.estimated.metrics["accuracy"] == pytest.approx(0.6)


def test_what_was_found_is_kept(
    platform: FakePlatform, check: Callable[..., Checked], tmp_path: Path, project: Project
) -> None:
    slices: dict[str, list[Any]] = {"a": [30.0, 30.0, 1.0, 1.0], "c": ["x"] * 4}
    see(platform, events(GOOD, [ago(1)] * 4, features=slices))
    checked = check(by_id(tmp_path, [0, 1, 0, 1]))
    folder = project.state_dir / "monitoring" / "tiny-dev" / "performance"
    assert checked.document.parent == folder
    content = json.loads(checked.document.read_text())
    assert (content["schema"], content["check"]) == (1, "performance")
    assert (content["outcome"], content["limit"], content["coverage"]) == ("below", 0.7, 1.0)
    assert content["model_version"] == 9
    kept = platform.endpoint("tiny-dev").kept
    assert [(row["kind"], row["slice"], row["outcome"]) for row in kept] == [
        ("realised", None, "below"),
        ("estimated", None, "ok"),
    ]
    assert kept[0] == {
        "check": "performance",
        "time": NOW.isoformat(),
        "environment": "dev",
        "endpoint": "tiny-dev",
        "deployment": "blue",
        "model_name": "tiny",
        "model_version": 9,
        "kind": "realised",
        "slice": None,
        "metric": "f1",
        "value": 0.5,
        "limit": 0.7,
        "outcome": "below",
        "rows": 4,
        "labelled": 4,
        "coverage": 1.0,
        "window_start": "2024-05-31T00:00:00+00:00",
        "window_end": NOW.isoformat(),
    }


def test_slices_of_both_kinds_are_kept(
    platform: FakePlatform, check: Callable[..., Checked], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from fakes.tiny_use_case import slices

    monkeypatch.setattr(slices, "SLICES", {"side": pl.col("a").cast(pl.Int64)})
    see(platform, events(GOOD, [ago(1)] * 4, features={"a": [3.0, 4.0, 3.0, 4.0], "c": ["x"] * 4}))
    check(by_id(tmp_path, RIGHT), gate__min_slice_rows=2)
    kept = platform.endpoint("tiny-dev").kept
    assert [(row["kind"], row["slice"], row["rows"], row["labelled"]) for row in kept[1:]] == [
        ("realised", "side=3", 2, 2),
        ("realised", "side=4", 2, 2),
        ("estimated", None, 4, 0),
        ("estimated", "side=3", 2, 0),
        ("estimated", "side=4", 2, 0),
    ]


def test_the_source_of_conf_is_found_from_the_root_and_an_argument_wins(
    project: Project, tmp_path: Path
) -> None:
    assert source_of(settings_with(project), None) is None
    configured = settings_with(project, feedback__source="later.csv")
    with pytest.raises(ConfigError, match=r"feedback\.source: .*later\.csv does not exist"):
        source_of(configured, None)
    (project.root / "later.csv").touch()
    assert source_of(configured, None) == project.root / "later.csv"
    assert source_of(configured, tmp_path) == tmp_path
    with pytest.raises(ConfigError, match="nowhere does not exist"):
        source_of(configured, tmp_path / "nowhere")
