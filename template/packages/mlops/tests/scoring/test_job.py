"""One row a key as of the day, refused before anything is written where it cannot be."""

import json
import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import duckdb
import ibis
import polars as pl
import pytest

from fakes.killed_scoring import NOW
from fakes.project import TODAY
from fakes.typed_use_case import contract as contract_module
from fakes.typed_use_case import features as features_module
from fakes.typed_version import raw_rows
from mlops.artifacts.scores import MANIFEST, SCORED, SCORING
from mlops.data.personal import Personal
from mlops.errors import ConfigError, Refused
from mlops.files import file_hashes
from mlops.scoring import job
from mlops.scoring.job import Scored
from mlops.settings.project import Project
from mlops.tasks import Task
from scoring.conftest import Call, Versions
from scoring.test_agreement import read


def test_every_key_has_one_row_that_says_version_day_and_time(call: Call) -> None:
    scored = call()
    scores = read(scored.output)
    assert (scored.rows, scored.parts, scored.kept) == (25, 3, 0)
    assert scores["shop"].to_list() == [f"s{n:06}" for n in range(25)]
    assert scores.columns == [
        "shop", "prediction", "probability", "model_version", "reference_date", "scored_at",
    ]  # fmt: skip
    told = scores.select("model_version", "reference_date", "scored_at").unique().rows()
    assert told == [(1, TODAY, NOW)]
    folder = Path(scored.output)
    assert SCORING.read(folder)["model"]["version"] == 1
    assert SCORED.read(folder)["finished"] == NOW.isoformat()
    assert len((folder / MANIFEST).read_text().splitlines()) == 3
    assert pl.read_parquet(folder / "part-*.parquet").height == 25


def test_rows_after_the_reference_date_are_not_seen(call: Call, data: Path) -> None:
    day = TODAY - timedelta(days=1)
    later = read(call(output="later").output)
    before = pl.read_parquet(data / "a.parquet").filter(pl.col("day") <= day)
    earlier = read(call(day=day, output="earlier").output)
    before.write_parquet(data / "a.parquet")
    only = read(call(day=day, output="only").output)
    assert earlier.drop("scored_at").equals(only.drop("scored_at"))
    assert not earlier["probability"].equals(later["probability"])


def test_a_row_after_today_is_a_fault(call: Call, data: Path) -> None:
    late = raw_rows(1).with_columns(day=pl.lit(TODAY + timedelta(days=1)))
    late.write_parquet(data / "late.parquet")
    with pytest.raises(Refused, match=r"late.parquet: column day: must not be after today 2024"):
        call()


@pytest.mark.parametrize(("fresh", "age"), [(True, 40), (False, 40)])
def test_stale_data_are_refused_unless_a_day_was_named(call: Call, fresh: bool, age: int) -> None:
    day = TODAY + timedelta(days=age)
    if fresh:
        with pytest.raises(Refused, match="the data is not fresh"):
            call(day=day, fresh=True)
    else:
        assert call(day=day).rows == 25


def test_no_key_until_the_day_is_nothing_to_score(call: Call, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no shop has a row until 2020-01-01"):
        call(day=date(2020, 1, 1))
    assert not (tmp_path / "scores").exists()


def test_one_key_is_scored(call: Call, data: Path) -> None:
    pl.read_parquet(data / "a.parquet").head(3).write_parquet(data / "a.parquet")
    scored = call()
    assert (scored.rows, scored.parts) == (1, 1)
    assert read(scored.output)["shop"].to_list() == ["s000000"]


@pytest.mark.parametrize("content", [b"", b"shop,day\n1,2\n", b"PAR1 no"])
def test_a_bad_file_is_named_and_refused(
    call: Call, data: Path, tmp_path: Path, content: bytes
) -> None:
    (data / "bad.csv").write_bytes(content)
    with pytest.raises(Refused, match=r"bad\.csv: ") as refused:
        call()
    assert "score.bad_files: skip" in refused.value.remedy
    assert not (tmp_path / "scores").exists()


def test_a_bad_file_is_left_out_where_conf_says_so(call: Call, data: Path) -> None:
    usual = read(call(output="usual").output)
    (data / "bad [1].csv").write_bytes(b"shop\n1\n")
    (data / "other.xlsx").write_bytes(b"what it is")
    broken = raw_rows(40).with_columns(visits=pl.lit(-1))
    broken.write_parquet(data / "broken.parquet")
    scored = call(score__bad_files="skip")
    assert set(scored.left_out) == {"bad [1].csv", "broken.parquet", "other.xlsx"}
    assert "visits: must be at least 0" in scored.left_out["broken.parquet"]
    assert read(scored.output).drop("scored_at").equals(usual.drop("scored_at"))
    assert SCORED.read(Path(scored.output))["left_out"] == scored.left_out


def test_where_every_file_is_bad_all_is_refused(call: Call, data: Path) -> None:
    (data / "a.parquet").write_bytes(b"")
    with pytest.raises(Refused, match=r"a\.parquet: the file is empty") as refused:
        call(score__bad_files="skip")
    assert refused.value.remedy == "mend it"  # nothing would be left


def test_what_is_wrong_with_the_files_together_is_refused(call: Call, data: Path) -> None:
    shutil.copyfile(data / "a.parquet", data / "b.parquet")
    with pytest.raises(Refused, match=r"b\.parquet: .*repeat the key \(shop, day\)"):
        call(data__unique_key=["shop", "day"])
    scored = call(data__unique_key=["shop", "day"], score__bad_files="skip")
    assert list(scored.left_out) == ["b.parquet"]


def test_an_altered_version_is_refused(call: Call, versions: Versions, tmp_path: Path) -> None:
    folder = tmp_path / "altered"
    shutil.copytree(versions(Task.BINARY), folder)
    signature = json.loads((folder / "signature.json").read_text())
    (folder / "signature.json").write_text(json.dumps({**signature, "decision_threshold": 0.1}))
    with pytest.raises(Refused, match=r"signature\.json is not the file that was registered"):
        call(model=folder)
    assert not (tmp_path / "scores").exists()


def test_a_version_that_answers_otherwise_here_is_refused(
    call: Call, versions: Versions, tmp_path: Path
) -> None:
    folder = tmp_path / "other"
    shutil.copytree(versions(Task.BINARY), folder)
    probes = json.loads((folder / "probes.json").read_text())
    probes["probabilities"][3] += 0.1
    (folder / "probes.json").write_text(json.dumps(probes))
    lineage = json.loads((folder / "lineage.json").read_text())
    lineage["files"] |= {name: sha for name, sha in file_hashes(folder).items() if "probes" in name}
    (folder / "lineage.json").write_text(json.dumps(lineage))
    with pytest.raises(Refused, match=r"answers 1 of 20 probes otherwise .*by up to 0\.1"):
        call(model=folder)


CHANGES: dict[str, tuple[Callable[[ibis.Table], ibis.Table], str]] = {
    "drop": (lambda t: t.drop("colour"), "returns no colour, which version 1 asks for .a category"),
    "kind": (lambda t: t.mutate(colour=t.visits), "colour as a number, .* asks for a category"),
    "text": (lambda t: t.mutate(visits=t.colour), "visits as a category, .* asks for a number"),
    "flag": (lambda t: t.mutate(visits=t.open), "visits as a boolean, .* asks for a number"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_the_signature_asks_and_the_data_lack_is_refused(
    call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, change: str
) -> None:
    usual = features_module.build_features
    changed, said = CHANGES[change]
    monkeypatch.setattr(
        features_module, "build_features", lambda table, day: changed(usual(table, day))
    )
    with pytest.raises(Refused, match=said):
        call()
    assert not (tmp_path / "scores").exists()


def with_signature(folder: Path, target: Path, **changed: object) -> Path:
    """Copy a version whose feature `colour` is described otherwise."""
    shutil.copytree(folder, target)
    signature = json.loads((target / "signature.json").read_text())
    for feature in signature["features"]:
        if feature["name"] == "colour":
            feature |= changed
    (target / "signature.json").write_text(json.dumps(signature))
    lineage = json.loads((target / "lineage.json").read_text())
    lineage["files"]["signature.json"] = file_hashes(target)["signature.json"]
    (target / "lineage.json").write_text(json.dumps(lineage))
    return target


def test_a_null_that_the_version_does_not_answer_is_refused(
    call: Call, versions: Versions, tmp_path: Path
) -> None:
    folder = with_signature(versions(Task.BINARY), tmp_path / "strict", nullable=False)
    with pytest.raises(Refused, match=r"answers no null in what is null here: colour of \d keys"):
        call(model=folder)
    assert not (tmp_path / "scores").exists()


def test_a_feature_that_may_be_left_out_is_null_where_it_is_not_there(
    call: Call, versions: Versions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = with_signature(versions(Task.BINARY), tmp_path / "loose", optional=True)
    usual = features_module.build_features
    nulls = read(call(model=folder, output="nulls").output)
    monkeypatch.setattr(
        features_module, "build_features", lambda table, day: usual(table, day).drop("colour")
    )
    scores = read(call(model=folder).output)
    assert scores.height == 25
    assert not scores["probability"].equals(nulls["probability"])


def test_features_that_the_version_does_not_know_do_no_harm(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = features_module.build_features
    before = read(call(output="before").output)
    monkeypatch.setattr(
        features_module,
        "build_features",
        lambda table, day: usual(table, day).mutate(newer=ibis._.shop.length(), since=day),
    )
    after = read(call(output="after").output)
    assert after.drop("scored_at").equals(before.drop("scored_at"))


def test_a_key_twice_is_refused(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = features_module.build_features
    monkeypatch.setattr(
        features_module,
        "build_features",
        lambda table, day: usual(table, day).union(usual(table, day)),
    )
    with pytest.raises(ConfigError, match="null or repeated shop"):
        call()


def test_a_key_that_is_called_as_a_column_is_refused(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contract_module, "KEY", "prediction")
    with pytest.raises(ConfigError, match=r"KEY in contract\.py is 'prediction'"):
        call()


@pytest.mark.parametrize("task", list(Task))
def test_each_prediction_has_one_event(call: Call, task: Task) -> None:
    scored = call(task)
    events, scores = read(scored.events), read(scored.output)
    assert events["inference_id"].n_unique() == events.height == 25
    assert events["key"].null_count() == 25
    assert events["prediction"].equals(scores["prediction"])
    if task.classifies:
        assert events["probability"].equals(scores["probability"])
    told = events.select("time", "environment", "deployment", "model_name", "model_version")
    assert told.unique().rows() == [(NOW, "dev", "blue", "tiny", 1)]
    assert events["status"].unique().to_list() == [200]
    metadata = pl.read_parquet_metadata(Path(scored.events) / "part-00000.parquet")
    assert metadata["mlops.events.schema"] == "1"


def test_events_hold_the_features_where_they_may(
    call: Call, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    features = features_of_version(call(output="all"), project)
    assert features.columns == [
        "feature.amount", "feature.visits", "feature.open", "feature.colour",
    ]  # fmt: skip
    assert features["feature.colour"].null_count() < features.height == 25
    named = Personal(frozenset({"Amount", "open"}))
    monkeypatch.setattr(job, "personal_of", lambda _use_case: named)
    assert features_of_version(call(output="some"), project).columns == [
        "feature.visits", "feature.colour",
    ]  # fmt: skip
    none = call(output="none", telemetry__features=False)
    assert features_of_version(none, project).columns == []


def features_of_version(scored: Scored, project: Project) -> pl.DataFrame:
    """Return the features among the events; these are removed, and the next run makes its own."""
    events = read(scored.events)
    shutil.rmtree(scored.events)
    assert (project.state_dir / "events") in Path(scored.events).parents
    return events.select(pl.selectors.starts_with("feature."))


def test_without_telemetry_no_event_is_written(call: Call) -> None:
    scored = call(telemetry__enabled=False)
    assert (scored.rows, list(Path(scored.events).iterdir())) == (25, [])
    again = call(telemetry__enabled=False)
    assert again.kept == 3


def test_scoring_removes_events_that_are_too_old(call: Call, project: Project) -> None:
    old = project.state_dir / "events" / "tiny-dev" / "requests" / "2020-01-01" / "blue-1-a.jsonl"
    old.parent.mkdir(parents=True)
    old.touch()
    scored = call()
    assert not old.exists()
    assert len(list(Path(scored.events).iterdir())) == 3
    assert call(output="far", now=lambda: NOW + timedelta(days=91)).rows == 25
    assert len(list(Path(scored.events).iterdir())) == 3, "it is the same run, made anew"


def test_events_name_the_key_only_where_conf_allows_it(call: Call) -> None:
    scored = call(telemetry__keys=True)
    assert read(scored.events)["key"].to_list() == read(scored.output)["shop"].to_list()


def test_features_that_need_too_much_memory_name_the_setting(
    call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fails(*_arguments: object) -> None:
        raise duckdb.OutOfMemoryException("could not allocate")

    monkeypatch.setattr(ibis.Table, "to_parquet", fails)
    with pytest.raises(ConfigError, match=r"score\.memory_gb: 0\.5 allows"):
        call(score__memory_gb=0.5)
    assert not (tmp_path / "scores").exists()
