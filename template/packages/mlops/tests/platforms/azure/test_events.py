"""Events of an endpoint put together from Log Analytics and the workspace's storage."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fakes.tiny_version import FEATURES
from mlops.artifacts.predictions import event_schema
from mlops.errors import ConfigError, PlatformError
from mlops.features import Features
from mlops.monitoring.event_properties import TIME
from mlops.monitoring.events import Source, events_of, write_events
from mlops.platforms.azure import event_log
from mlops.platforms.azure.blobs import Blob, WorkspaceBlobs
from mlops.platforms.azure.client import AzureClients
from mlops.platforms.azure.collected import with_features
from mlops.platforms.azure.collector import ROOT
from mlops.platforms.azure.events import AzureEvents
from mlops.platforms.azure.scored import FOLDER, keep_scored, read_scored
from mlops.platforms.base import NotObserved
from mlops.settings.loading import LoadedSettings
from mlops.window import Window

TINY = Features.read(FEATURES)
NAME = "tiny-dev"
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
DAY = Window(NOON - timedelta(hours=12), NOON + timedelta(hours=12))
SOURCE = Source("run", "dev", "blue", "tiny", 7, keys=True, features=("a",))


class Blobs(WorkspaceBlobs):
    """The workspace's files, in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.changed: dict[str, datetime] = {}
        self.prefixes: list[str] = []

    def listed(self, prefix: str) -> Iterator[Blob]:
        self.prefixes.append(prefix)
        for name in sorted(self.kept):
            if name.startswith(prefix):
                yield Blob(name, self.changed.get(name, NOON))

    def read(self, name: str) -> bytes:
        return self.kept[name]

    def write(self, name: str, path: Path) -> None:
        self.kept[name] = path.read_bytes()

    def collect(self, hour: str, *rows: dict[str, Any], deployment: str = "blue") -> str:
        """Let the collector write a line; return the file's name."""
        name = f"{ROOT}/{NAME}/{deployment}/features/{hour}/one.jsonl"
        line = json.dumps({"specversion": "1.0", "data": rows}) + "\n"
        self.kept[name] = self.kept.get(name, b"") + line.encode()
        return name


@pytest.fixture
def blobs() -> Blobs:
    return Blobs()


def event(number: int, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = dict.fromkeys(event_schema())
    found |= {"inference_id": f"id{number}", "time": NOON, "deployment": "blue"}
    return found | {"prediction": "1", "status": 200} | more


def table(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), event_schema())


def row(number: int, **features: Any) -> dict[str, Any]:
    return {"inference_id": f"id{number}", "features": json.dumps(features)}


def test_features_come_to_their_predictions(blobs: Blobs) -> None:
    blobs.collect("2026/05/01/12", row(2, a=2.0, b=5, c=1.5), row(1, a=1, b=None))
    blobs.collect("2026/05/01/13", row(3, a="text"), deployment="green")
    events = table(event(1), event(2), event(3, deployment="green"), event(4, prediction=None))
    found, unread = with_features(blobs, NAME, events, TINY)
    told = {each["inference_id"]: each for each in found.iter_rows(named=True)}
    assert found.schema == event_schema(TINY)
    assert (told["id1"]["feature.a"], told["id1"]["feature.b"]) == (1.0, None)
    assert (told["id2"]["feature.a"], told["id2"]["feature.c"]) == (2.0, 1.5)
    assert told["id3"]["feature.a"] is None, "a text is no number"
    assert told["id4"]["feature.a"] is None
    assert unread == {}


def test_only_files_of_those_hours_are_read(blobs: Blobs) -> None:
    right = blobs.collect("2026/05/01/12", row(1, a=1.0))
    for hour in ("2026/05/01/10", "2026/05/01/14", "2026/04/01/12", "2026/05/03/12"):
        blobs.kept[blobs.collect(hour)] = b"never read"
    _, unread = with_features(blobs, NAME, table(event(1)), TINY)
    assert unread == {}
    assert {prefix[-11:] for prefix in blobs.prefixes} >= {"2026/05/01/"}
    assert right in blobs.kept


def test_over_midnight_both_days_are_read(blobs: Blobs) -> None:
    late = datetime(2026, 5, 1, 23, 59, 59, tzinfo=UTC)
    blobs.collect("2026/05/02/00", row(1, a=1.0))
    found, _ = with_features(blobs, NAME, table(event(1, time=late)), TINY)
    assert found["feature.a"].to_list() == [1.0]


def test_what_the_collector_has_not_written_yet_is_null(blobs: Blobs) -> None:
    blobs.collect("2026/05/01/12", row(1, a=1.0))
    found, unread = with_features(blobs, NAME, table(event(1), event(2)), TINY)
    assert sorted(found["feature.a"].to_list(), key=str) == [1.0, None]
    assert unread == {}


def test_no_features_at_all_are_not_taken_for_missing_ones(blobs: Blobs) -> None:
    with pytest.raises(NotObserved, match=r"no features of the 1 predictions .* were collected"):
        with_features(blobs, NAME, table(event(1)), TINY)
    found, _ = with_features(blobs, NAME, table(event(1, prediction=None)), TINY)
    assert found["feature.a"].to_list() == [None]
    nothing, _ = with_features(blobs, NAME, table(), TINY)
    assert nothing.schema == event_schema(TINY)


def test_a_file_that_is_broken_is_named_and_the_rest_read(blobs: Blobs) -> None:
    name = blobs.collect("2026/05/01/12", row(1, a=1.0))
    blobs.kept[name] += b'cut off\n{"no": "data"}\n'
    found, unread = with_features(blobs, NAME, table(event(1)), TINY)
    assert found["feature.a"].to_list() == [1.0]
    assert unread == {name: "2 of its lines are no features"}


def scored(path: Path, source: Source = SOURCE, at: datetime = NOON) -> None:
    scores = pl.DataFrame({"prediction": [1, 0], "probability": [0.75, 0.25]})
    features = pl.DataFrame({"a": [1.0, 2.0]})
    path.parent.mkdir(parents=True, exist_ok=True)
    write_events(events_of(scores, ["x", "y"], source, at, features), path)


def test_what_was_scored_is_read_wherever_it_was_scored(blobs: Blobs, tmp_path: Path) -> None:
    scored(tmp_path / "score-abc" / "part-00000.parquet")
    keep_scored(blobs, tmp_path / "score-abc")
    scored(tmp_path / "job" / "part-00000.parquet", replace(SOURCE, run="job"))
    job = (tmp_path / "job" / "part-00000.parquet").read_bytes()
    blobs.kept[f"{FOLDER}/brave_job_1/part-00000.parquet"] = job
    assert f"{FOLDER}/score-abc/part-00000.parquet" in blobs.kept
    found = read_scored(blobs, "dev", NAME, DAY, TINY)
    rows = found.rows.collect()
    assert rows["source"].to_list() == ["score"] * 4
    assert sorted(rows["feature.a"].to_list()) == [1.0, 1.0, 2.0, 2.0]
    assert rows["inference_id"].n_unique() == 4
    assert set(rows["endpoint"]) == {NAME}


def test_what_was_scored_for_others_or_before_is_not_read(blobs: Blobs, tmp_path: Path) -> None:
    cases = {"other": replace(SOURCE, environment="prod"), "old": SOURCE, "ours": SOURCE}
    for name, source in cases.items():
        at = NOON - timedelta(days=3) if name == "old" else NOON
        scored(tmp_path / name / "part-00000.parquet", source, at)
        keep_scored(blobs, tmp_path / name)
    old = f"{FOLDER}/old/part-00000.parquet"
    blobs.kept[old], blobs.changed[old] = b"never read", NOON - timedelta(days=3)
    found = read_scored(blobs, "dev", NAME, DAY, None)
    assert found.rows.collect().height == 2
    assert found.unread == {}


def test_a_file_that_is_no_part_is_named(blobs: Blobs) -> None:
    blobs.kept[f"{FOLDER}/job/part-00000.parquet"] = b"no parquet"
    found = read_scored(blobs, "dev", NAME, DAY, None)
    assert list(found.unread) == ["job/part-00000.parquet"]


def answers(*tables: list[dict[str, Any]]) -> Callable[[str], list[dict[str, Any]]]:
    left = list(tables)
    return lambda _text: left.pop(0)


def kept(check: dict[str, Any]) -> dict[str, Any]:
    """A check as Log Analytics answers it."""
    (found,) = event_log.check_events(NAME, [check])
    return {TIME: found.time.isoformat(), "whole": found.properties["whole"]}


def test_checks_come_back_as_they_were_in_order() -> None:
    check = {"check": "drift", "time": NOON.isoformat(), "psi": 0.1 + 0.2, "column": None, "n": 3}
    later = {**check, "time": (NOON + timedelta(hours=1)).isoformat()}
    outside = {**check, "time": DAY.end.isoformat()}
    rows = [kept(each) for each in (later, check, outside, check)]
    assert event_log.read_checks(answers(rows), NAME, "drift", DAY) == [check, later]


def test_each_value_of_a_check_is_a_property_for_queries() -> None:
    check = {"check": "drift", "time": NOON.isoformat(), "psi": 0.25, "column": None}
    (found,) = event_log.check_events(NAME, [check])
    assert found.name == "drift"
    assert found.time == NOON
    whole = json.dumps(check)
    assert found.properties == {
        "check": "drift",
        "time": NOON.isoformat(),
        "psi": "0.25",
        "endpoint": NAME,
        "whole": whole,
    }


def test_a_check_that_would_be_cut_off_is_refused() -> None:
    check = {"check": "drift", "time": NOON.isoformat(), "reason": "x" * 9000}
    with pytest.raises(PlatformError, match="too long to be kept"):
        event_log.check_events(NAME, [check])


def test_an_event_that_comes_on_two_pages_counts_once() -> None:
    answer: dict[str, Any] = dict.fromkeys(event_schema().keys() - {"time"})
    answer |= {TIME: "2026-05-01T12:00:00.1234567Z", "inference_id": "i", "error_type": ""}
    answer |= {"latency_ms": 1.5, "status": 200, "model_version": 7, "probabilities": "[0.5,0.5]"}
    found = event_log.read_requests(answers([answer, answer]), NAME, DAY)
    (event,) = found.iter_rows(named=True)
    assert event["time"] == datetime(2026, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)
    assert (event["error_type"], event["key"]) == (None, None)
    assert event["probabilities"] == [0.5, 0.5]


def test_losses_are_added_up() -> None:
    assert event_log.count_lost(answers([{"lost": 7}]), NAME, DAY) == 7
    assert event_log.count_lost(answers([{"lost": None}]), NAME, DAY) == 0
    assert event_log.count_lost(answers([]), NAME, DAY) == 0


def test_a_place_that_conf_does_not_name_is_asked_for(load: Callable[..., LoadedSettings]) -> None:
    session: Any = None
    events = AzureEvents(AzureClients(load()), NAME, session)
    with pytest.raises(ConfigError, match=r"set azure\.insights_connection_string in conf"):
        events.keep([])
    with pytest.raises(ConfigError, match=r"set azure\.log_analytics_workspace_id in conf"):
        events.checks("drift", DAY)
