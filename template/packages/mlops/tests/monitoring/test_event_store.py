"""Events of predictions, read from what servers and `mlops score` wrote."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fakes.places import PROJECT
from mlops.artifacts.event_folders import EventFolders
from mlops.artifacts.predictions import Predictions, event_schema
from mlops.features import Feature, Features, Kind
from mlops.monitoring.event_store import read_events
from mlops.monitoring.events import Source, events_of, write_events
from mlops.window import Window

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
DAY = Window(NOON - timedelta(hours=12), NOON + timedelta(hours=12))
FEATURES = Features(
    (
        Feature("size", False, 1.0),
        Feature("new", False, True, kind=Kind.BOOLEAN),
        Feature("colour", True, "red", kind=Kind.CATEGORY, categories=("red",)),
    )
)
Write = Callable[..., Path]


def event(**changed: Any) -> dict[str, Any]:
    """Return a line of a server."""
    return {
        "schema": 1,
        "time": NOON.isoformat(),
        "source": "request",
        "environment": "dev",
        "endpoint": "tiny-dev",
        "deployment": "blue",
        "model_name": "tiny",
        "model_version": 3,
        "latency_ms": 1.5,
        "status": 200,
        "error_type": None,
        "inference_id": "1",
        "key": None,
        "prediction": 1,
        "probability": 0.75,
        "row": 0,
        "features": {"size": 2, "new": True, "colour": " red "},
        **changed,
    }


@pytest.fixture
def folders(tmp_path: Path) -> EventFolders:
    return EventFolders(tmp_path / "tiny-dev")


@pytest.fixture
def write(folders: EventFolders) -> Write:
    """Write lines to a file of a server."""

    def written(
        *lines: dict[str, Any] | str, day: str = "2026-05-01", name: str = "blue-1-a"
    ) -> Path:
        path = folders.requests / day / f"{name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        texts = [line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines]
        path.write_text("".join(texts))
        return path

    return written


def rows(found: Predictions) -> list[dict[str, Any]]:
    return found.rows.collect().to_dicts()


def test_a_line_becomes_a_row_of_the_canonical_columns(folders: EventFolders, write: Write) -> None:
    write(event())
    found = read_events(folders, DAY, FEATURES)
    assert found.rows.collect_schema() == event_schema(FEATURES)
    assert rows(found) == [
        {
            "inference_id": "1",
            "key": None,
            "time": NOON,
            "source": "request",
            "endpoint": "tiny-dev",
            "deployment": "blue",
            "model_name": "tiny",
            "model_version": 3,
            "latency_ms": 1.5,
            "status": 200,
            "error_type": None,
            "prediction": "1",
            "value": 0.75,
            "probabilities": None,
            "row": 0,
            "has_features": True,
            "feature.size": 2.0,
            "feature.new": 1.0,
            "feature.colour": "red",
        }
    ]
    assert (found.dropped, dict(found.unread)) == (0, {})
    assert read_events(folders, DAY).rows.collect_schema() == event_schema()


def test_nothing_was_ever_written(folders: EventFolders) -> None:
    found = read_events(folders, DAY, FEATURES)
    assert rows(found) == []
    assert found.rows.collect_schema() == event_schema(FEATURES)


@pytest.mark.parametrize(
    ("prediction", "probability", "told"),
    [
        ("eel", {"cat": 0.25, "eel": 0.75}, ("eel", 0.75, [0.25, 0.75])),
        (83.5, None, ("83.5", 83.5, None)),
        (0, 0.25, ("0", 0.25, None)),
        (None, None, (None, None, None)),
    ],
)
def test_each_task_has_its_value(
    folders: EventFolders, write: Write, prediction: Any, probability: Any, told: tuple[Any, ...]
) -> None:
    write(event(prediction=prediction, probability=probability))
    (row,) = rows(read_events(folders, DAY))
    assert (row["prediction"], row["value"], row["probabilities"]) == told


def test_versions_with_other_features_stand_in_one_window(
    folders: EventFolders, write: Write
) -> None:
    write(
        event(features={"size": 1.0, "gone": 1}),
        event(features={"size": "large", "new": False, "colour": 5}),
        event(features={}),
    )
    found = read_events(folders, DAY, FEATURES).rows.collect()
    assert found["feature.size"].to_list() == [1.0, None, None]
    assert found["feature.new"].to_list() == [None, 0.0, None]
    assert found["feature.colour"].to_list() == [None, None, None]


@pytest.mark.parametrize("cut", [1, 30, 200])
def test_a_line_that_was_cut_off_at_the_end_counts_for_nothing(
    folders: EventFolders, write: Write, cut: int
) -> None:
    write(event(), json.dumps(event(inference_id="2"))[:cut])
    found = read_events(folders, DAY)
    assert [row["inference_id"] for row in rows(found)] == ["1"]
    assert dict(found.unread) == {}


@pytest.mark.parametrize(
    "line",
    [
        "{\n",
        "5\n",
        "{}\n",
        "\x00\n",
        json.dumps(event(schema=2)) + "\n",
        json.dumps(event(time="yesterday")) + "\n",
        json.dumps(event(probability="high")) + "\n",
        json.dumps(event(status=1e30)) + "\n",
        json.dumps(event(model_version=10**30)) + "\n",
        json.dumps({**event(), "dropped": 2**63}) + "\n",
        "[" * 100_000 + "\n",
    ],
    ids=range(11),
)
def test_what_is_no_event_is_named_and_the_others_are_read(
    folders: EventFolders, write: Write, line: str
) -> None:
    write(event(), line, event(inference_id="2"))
    found = read_events(folders, DAY)
    assert [row["inference_id"] for row in rows(found)] == ["1", "2"]
    assert dict(found.unread) == {"2026-05-01/blue-1-a.jsonl": "1 of its lines are no events"}


def test_a_file_that_cannot_be_read_is_named(folders: EventFolders, write: Write) -> None:
    write(event())
    (folders.requests / "2026-05-01" / "blue-2-b.jsonl").mkdir()
    score = folders.score("r")
    score.mkdir(parents=True)
    (score / "part-00000.parquet").write_bytes(b"PAR1 no")
    pl.DataFrame({"a": [1]}).write_parquet(score / "part-00001.parquet")
    found = read_events(folders, DAY)
    assert len(rows(found)) == 1
    assert set(found.unread) == {
        "2026-05-01/blue-2-b.jsonl",
        "score-r/part-00000.parquet",
        "score-r/part-00001.parquet",
    }
    assert "schema None" in found.unread["score-r/part-00001.parquet"]
    assert found.of_scores == {each for each in found.unread if each.startswith("score-")}
    assert found.of_scores < found.unread.keys()


def test_what_was_dropped_in_the_window_is_added_up(folders: EventFolders, write: Write) -> None:
    loss = {"schema": 1, "dropped": 3, "deployment": "blue"}
    earlier = (DAY.start - timedelta(seconds=1)).isoformat()
    write(
        {**loss, "time": NOON.isoformat()},
        event(),
        {**loss, "time": NOON.isoformat(), "dropped": 4},
        {**loss, "time": earlier},
    )
    assert read_events(folders, DAY).dropped == 7


def test_requests_that_name_their_deployment_are_not_read(
    folders: EventFolders, write: Write
) -> None:
    write(event(source="direct"), event(inference_id="2"))
    assert [row["inference_id"] for row in rows(read_events(folders, DAY))] == ["2"]


def test_the_window_ends_before_its_end_and_other_days_are_not_opened(
    folders: EventFolders, write: Write
) -> None:
    write(event(time=DAY.start.isoformat()), event(time=DAY.end.isoformat()))
    write("no event\n", day="2026-04-30")
    write("no event\n", day="2026-05-02")
    found = read_events(folders, DAY)
    assert [row["time"] for row in rows(found)] == [DAY.start]
    assert dict(found.unread) == {}


def test_lines_as_servers_write_them_are_told_apart_by_their_beginning(
    folders: EventFolders, write: Write
) -> None:
    """Those of another time are not parsed; a beginning of another form is, whatever its time."""
    window = Window(NOON, NOON + timedelta(minutes=5))

    def line(at: datetime, **changed: Any) -> str:
        told = at.isoformat(timespec="microseconds")
        return json.dumps(event(time=told, **changed), separators=(",", ":")) + "\n"

    tick = timedelta(microseconds=1)
    zone = timezone(timedelta(hours=2))
    broken = line(NOON - tick)[:60] + "\n"
    write(
        *(line(at) for at in (NOON - tick, NOON, window.end - tick, window.end)),
        broken,
        line(NOON.astimezone(zone), inference_id="east"),
        line((NOON - tick).astimezone(zone), inference_id="too early"),
        line(NOON)[:60] + "\n",
    )
    found = read_events(folders, window)
    assert [(row["inference_id"], row["time"]) for row in rows(found)] == [
        ("1", NOON),
        ("1", window.end - tick),
        ("east", NOON),
    ]
    assert dict(found.unread) == {"2026-05-01/blue-1-a.jsonl": "1 of its lines are no events"}


def test_a_server_begins_its_lines_so() -> None:
    source = (PROJECT / "serving" / "telemetry.py").read_text(encoding="utf-8")
    assert '"schema": SCHEMA,\n            "time": at.isoformat(timespec="microseconds"),' in source


def test_half_a_character_is_no_fault(folders: EventFolders, write: Write) -> None:
    write(event(key="\ud800x", features={"colour": "\udfff"}))
    (row,) = rows(read_events(folders, DAY, FEATURES))
    assert (row["key"], row["feature.colour"]) == ("?x", "?")


def scored(folder: Path, scores: pl.DataFrame, **changed: Any) -> Path:
    """Write events of `mlops score`."""
    folder.mkdir(parents=True, exist_ok=True)
    fields: dict[str, Any] = {
        "run": "r",
        "environment": "dev",
        "deployment": None,
        "model_name": "tiny",
        "model_version": 4,
        "keys": True,
        "features": ("size", "colour"),
        **changed,
    }
    table = pl.DataFrame(
        {"size": [0.5, None], "colour": ["red", None]},
        schema={"size": pl.Float32, "colour": pl.String},
    )
    path = folder / "part-00000.parquet"
    write_events(events_of(scores, ["x", "y"], Source(**fields), NOON, table), path)
    return path


@pytest.mark.parametrize(
    ("scores", "told"),
    [
        (
            {"prediction": [1, 0], "probability": [0.75, 0.25]},
            [("1", 0.75, None), ("0", 0.25, None)],
        ),
        ({"prediction": [2.5, 3.0]}, [("2.5", 2.5, None), ("3.0", 3.0, None)]),
        (
            {
                "prediction": ["eel", "cat"],
                "probability": [{"cat": 0.25, "eel": 0.75}, {"cat": 1.0, "eel": 0.0}],
            },
            [("eel", 0.75, [0.25, 0.75]), ("cat", 1.0, [1.0, 0.0])],
        ),
    ],
    ids=["binary", "regression", "multiclass"],
)
def test_events_of_scoring_are_read_beside_those_of_requests(
    folders: EventFolders, write: Write, scores: dict[str, Any], told: list[tuple[Any, ...]]
) -> None:
    write(event(model_version=3))
    scored(folders.score("r"), pl.DataFrame(scores))
    found = read_events(folders, DAY, FEATURES)
    assert found.rows.collect_schema() == event_schema(FEATURES)
    table = found.rows.filter(source="score").collect()
    assert table.select("prediction", "value", "probabilities").rows() == told
    assert table["key"].to_list() == ["x", "y"]
    assert table["endpoint"].unique().to_list() == ["tiny-dev"]
    assert table["feature.size"].to_list() == [0.5, None]
    assert table["feature.colour"].to_list() == ["red", None]
    assert table["feature.new"].null_count() == table["latency_ms"].null_count() == 2
    later = Window(DAY.end, DAY.end + timedelta(days=1))
    assert rows(read_events(folders, later)) == []


def test_files_of_scoring_from_before_they_held_features_are_read(folders: EventFolders) -> None:
    scores = pl.DataFrame({"prediction": [1, 0], "probability": [0.75, 0.25]})
    scored(folders.score("r"), scores, features=())
    table = read_events(folders, DAY, FEATURES).rows.collect()
    assert table["value"].to_list() == [0.75, 0.25]
    assert table["feature.size"].to_list() == [None, None]


def test_a_feature_that_is_of_another_kind_now_is_null(folders: EventFolders) -> None:
    scores = pl.DataFrame({"prediction": [1, 0], "probability": [0.75, 0.25]})
    scored(folders.score("r"), scores)
    other = Features(
        (Feature("size", False, "1", kind=Kind.CATEGORY), Feature("colour", True, 1.0))
    )
    table = read_events(folders, DAY, other).rows.collect()
    assert table["feature.size"].null_count() == table["feature.colour"].null_count() == 2
