"""A file that is read as a whole says what the same file says line by line."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mlops.artifacts.event_folders import EventFolders
from mlops.monitoring import event_store, plain_lines
from mlops.monitoring.event_store import LINE_SCHEMA, LONG, read_events
from mlops.monitoring.plain_lines import read_plain
from mlops.window import Window

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOURS = Window(NOON - timedelta(hours=4), NOON)


def line(seconds: float = 60, **changed: Any) -> dict[str, Any]:
    """Return an event of so many seconds before noon, as a server writes it."""
    return {
        "schema": 1,
        "time": (NOON - timedelta(seconds=seconds)).isoformat(timespec="microseconds"),
        "source": "request",
        "environment": "dev",
        "endpoint": "tiny-dev",
        "deployment": "blue",
        "model_name": "tiny",
        "model_version": 3,
        "latency_ms": 1.5,
        "status": 200,
        "error_type": None,
        "inference_id": f"{seconds}",
        "key": 'a "features":null é',
        "row": 0,
        "prediction": 1,
        "probability": 0.75,
        "features": {"size": 2, "colour": None},
        **changed,
    }


FAILED = {"status": 500, "prediction": None, "probability": None, "error_type": "KeyError"}
DROPPED = {"schema": 1, "time": line(30)["time"], "dropped": 7}
PLAIN = [
    line(1),
    line(60),
    line(70, prediction=0, probability=0),
    line(80, **FAILED),
    line(90, source="direct"),
    line(100, deployment=None, source="generated", key=None),
    line(3 * 3600),
    line(4 * 3600),
    line(4 * 3600 + 1),
    line(-1),
    DROPPED,
    {**DROPPED, "time": line(-10)["time"]},
]
WITHOUT = [{**each, "features": None} for each in PLAIN if "dropped" not in each]
OTHERS: dict[str, list[Any]] = {
    "a name of a class": [line(), line(prediction="yes")],
    "several classes": [line(prediction="yes", probability={"yes": 0.7, "no": 0.3})],
    "an amount": [line(prediction=12.5, probability=None)],
    "an amount of whole numbers": [line(prediction=12, probability=None)],
    "some with features": [line(), line(features=None)],
    "another time zone": [line(time="2026-05-01T13:59:00.000000+02:00")],
    "a time without a fraction": [line(time="2026-05-01T11:59:00+00:00")],
    "another schema": [line(), line(schema=2)],
    "no status": [line(), line(status=None)],
    "no row": [line(), {name: each for name, each in line().items() if name != "row"}],
    "no features": [{name: each for name, each in line().items() if name != "features"}],
    "no event": [line(), "null\n"],
    "a text": [line(), "what\n"],
    "an empty line": [line(), "\n", line(70)],
    "a line cut off": [line(), json.dumps(line(70))[:50]],
    "half a character": [line(key="\ud800")],
    "a number in the place of a text": [line(key=12)],
    "too large a number": [line(status=2**70)],
    "a large version": [line(model_version=2**62)],
    "a fraction": [line(status=200.0)],
    "yes or no": [line(row=False)],
    "spaces": [json.dumps(line(features=None)) + "\n"],
    "nothing": [],
}


ALIKE = {"a large version", "a number in the place of a text"}
"""What is read as a whole, too, and says the same."""


def write(folder: Path, lines: list[Any]) -> Path:
    path = folder / "tiny-dev" / "requests" / "2026-05-01" / "blue-1-a.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = [
        each if isinstance(each, str) else json.dumps(each, separators=(",", ":")) + "\n"
        for each in lines
    ]
    path.write_text("".join(texts), encoding="utf-8")
    return path


def read(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, whole: bool
) -> tuple[pl.DataFrame, int, dict[str, str]]:
    with monkeypatch.context() as patched:
        if not whole:
            patched.setattr(event_store, "LONG", timedelta(days=99))
        found = read_events(EventFolders(folder / "tiny-dev"), HOURS)
    return found.rows.collect().sort("time"), found.dropped, dict(found.unread)


@pytest.mark.parametrize("lines", [PLAIN, WITHOUT], ids=["with features", "without"])
def test_plain_lines_are_read_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: list[Any]
) -> None:
    path = write(tmp_path, lines)
    found = read_plain(path, HOURS, LINE_SCHEMA)
    assert found
    assert len(found[0]) == 7
    whole, by_line = (read(tmp_path, monkeypatch, whole=each) for each in (True, False))
    assert whole[0].equals(by_line[0])
    assert whole[1:] == by_line[1:]
    assert whole[1] == (7 if lines is PLAIN else 0)


@pytest.mark.parametrize("kind", OTHERS)
def test_of_other_lines_nothing_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    write(tmp_path, OTHERS[kind])
    whole, by_line = (read(tmp_path, monkeypatch, whole=each) for each in (True, False))
    assert whole[0].equals(by_line[0])
    assert whole[1:] == by_line[1:]


@pytest.mark.parametrize("kind", sorted(OTHERS.keys() - ALIKE))
def test_lines_of_another_form_are_not_read_as_a_whole(tmp_path: Path, kind: str) -> None:
    assert read_plain(write(tmp_path, OTHERS[kind]), HOURS, LINE_SCHEMA) is None


def test_a_large_file_and_a_short_window_are_read_line_by_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, PLAIN)
    monkeypatch.setattr(plain_lines, "LONGEST", path.stat().st_size - 1)
    assert read_plain(path, HOURS, LINE_SCHEMA) is None

    def never(*_given: object) -> None:
        raise AssertionError

    monkeypatch.setattr(event_store, "read_plain", never)
    short = Window(NOON - LONG + timedelta(seconds=1), NOON)
    assert len(read_events(EventFolders(tmp_path / "tiny-dev"), short).rows.collect()) == 5
    with pytest.raises(AssertionError):
        read_events(EventFolders(tmp_path / "tiny-dev"), HOURS)
