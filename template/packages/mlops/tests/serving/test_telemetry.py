"""The events that the scoring server keeps, and that nothing about them reaches an answer."""

import json
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from fakes.scoring_script import load_script
from fakes.tiny_version import ROW, told, write_version
from fakes.waiting import wait_for
from mlops.artifacts.predictions import DIRECT, GENERATED, REQUEST
from mlops.artifacts.version_folder import verify_version
from mlops.monitoring import event_store
from mlops.monitoring import telemetry as machinery
from mlops.monitoring.telemetry import APPLICATION_INSIGHTS, FILES, Telemetry
from mlops.platforms.traffic_rules import DIRECT_AGENT, REHEARSAL_AGENT
from mlops.settings.monitoring_sections import TelemetrySettings

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
Start = Callable[..., Any]


class Response:
    """Stands in for the inference server's own response class."""

    def __init__(self, message: Any, status_code: int, json_str: bool = False) -> None:
        assert json_str
        self.status_code = status_code
        self.body = message


class Sink:
    """Keeps lines once the gate is open, or fails."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self.gate = threading.Event()
        self.reached = threading.Event()
        self.error: Exception | None = None

    def write(self, _day: str, lines: Sequence[str]) -> None:
        self.reached.set()
        self.gate.wait()
        if self.error:
            raise self.error
        self.lines += map(json.loads, lines)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [each for each in self.lines if "dropped" not in each]

    @property
    def dropped(self) -> int:
        return sum(each.get("dropped", 0) for each in self.lines)


@pytest.fixture(scope="module")
def score() -> ModuleType:
    return load_script()


@pytest.fixture
def start(score: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start the script in a folder, told what `Telemetry` tells; with a sink: that one."""
    folder = write_version(tmp_path / "version", version=7)
    server = ModuleType("aml_response")
    server.AMLResponse = Response  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "azureml_inference_server_http.api.aml_response", server)
    monkeypatch.setattr(sys.modules["__main__"], "scoring_time", NOON.timestamp, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AZUREML_MODEL_DIR", str(folder))
    for name, value in told(folder).items():
        monkeypatch.setenv(name, value)

    def started(sink: Sink | None = None, **settings: Any) -> Any:
        plan = Telemetry("dev", TelemetrySettings(**settings))
        variables = plan.told("tiny-dev", "blue", verify_version(folder), FILES)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        score.init()
        if sink is not None:
            score._events._sink = lambda: sink
        return score

    yield started
    if score._events is not None:
        score._events.close()


def ask(script: Any, rows: int = 1, **more: Any) -> Any:
    return script.run(json.dumps({"data": [ROW] * rows, **more}))


def files(folder: Path) -> list[Path]:
    return sorted((folder / "events" / "tiny-dev" / "requests").rglob("*.jsonl"))


def written(script: Any, folder: Path) -> list[dict[str, Any]]:
    """Let the events be written, and return them."""
    script._events.close()
    return [json.loads(line) for path in files(folder) for line in path.read_text().splitlines()]


def test_each_row_leaves_a_line_in_the_file_of_its_process_and_day(
    start: Start, tmp_path: Path
) -> None:
    script = start(keys=True)
    answer = script.run(json.dumps({"data": [ROW, {**ROW, "c": None}], "keys": ["x", 5]}))
    first, second = written(script, tmp_path)
    (path,) = files(tmp_path)
    assert path.parent.name == "2026-05-01"
    assert path.name.startswith(f"blue-{os.getpid()}-")
    assert path.stat().st_mode & 0o077 == 0, "nobody else may read it"
    latency = first.pop("latency_ms")
    assert 0 < latency < 60_000
    assert datetime.fromisoformat(first.pop("time")).date() == NOON.date()
    assert first == {
        "schema": event_store.LINE_SCHEMA,
        "source": "request",
        "environment": "dev",
        "endpoint": "tiny-dev",
        "deployment": "blue",
        "model_name": "tiny",
        "model_version": 7,
        "status": 200,
        "error_type": None,
        "inference_id": answer["inference_id"][0],
        "key": "x",
        "prediction": answer["predictions"][0],
        "probability": answer["probabilities"][0],
        "row": 0,
        "features": ROW,
    }
    assert (second["key"], second["features"]["c"], second["row"]) == ("5", None, 1)


@pytest.mark.parametrize(
    ("agent", "source"),
    [(DIRECT_AGENT, DIRECT), (REHEARSAL_AGENT, GENERATED), ("python-requests/2", REQUEST)],
)
def test_what_commands_ask_themselves_is_told_apart(
    start: Start, tmp_path: Path, agent: str, source: str
) -> None:
    script = start()
    script.run(json.dumps({"data": [ROW]}), {"User-Agent": agent})
    (line,) = written(script, tmp_path)
    assert line["source"] == source


@pytest.mark.parametrize(
    ("settings", "key", "names"),
    [({}, None, ["a", "b", "c"]), ({"features": False, "keys": True}, "x", None)],
)
def test_keys_and_features_are_kept_where_they_may_be(
    start: Start, tmp_path: Path, settings: dict[str, Any], key: str | None, names: list[str] | None
) -> None:
    script = start(**settings)
    ask(script, keys=["x"])
    (event,) = written(script, tmp_path)
    found = event["features"]
    assert (event["key"], found and list(found)) == (key, names)


def test_what_a_server_is_not_told_of_it_does_not_keep(
    start: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = start()
    facts = verify_version(tmp_path / "version")
    azure = Telemetry("dev").told("tiny-dev", "blue", facts, APPLICATION_INSIGHTS)
    off = Telemetry("dev", TelemetrySettings(enabled=False))
    assert off.told("tiny-dev", "blue", facts, FILES) == {}
    for content in ("", "{}", "no JSON", '{"schema": 9}', azure[machinery.VARIABLE]):
        monkeypatch.setenv(machinery.VARIABLE, content)
        script.init()
        assert script._events is None, content
        assert ask(script)["model_version"] == 7
    assert files(tmp_path) == []


def test_script_and_commands_speak_of_the_same(score: ModuleType) -> None:
    module = score.telemetry
    assert module.VARIABLE == machinery.VARIABLE
    assert module.FILES == FILES
    assert module.SCHEMA == machinery.SCHEMA == event_store.LINE_SCHEMA


def test_it_loads_nothing_that_the_server_has_not(score: ModuleType) -> None:
    loaded = {each.partition(".")[0] for each in vars(score.telemetry) if each in sys.modules}
    assert loaded <= sys.stdlib_module_names


@pytest.mark.parametrize("broken", ["parse", "score"])
def test_a_failure_leaves_events_and_stays_a_failure(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    script = start(keys=True)

    def fails(*_arguments: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(script, broken, fails)
    with pytest.raises(ZeroDivisionError):
        ask(script, rows=2, keys=["x", "y"])
    events = written(script, tmp_path)
    assert [each["key"] for each in events] == ([None] if broken == "parse" else ["x", "y"])
    for event in events:
        assert (event["status"], event["error_type"]) == (500, "ZeroDivisionError")
        assert (event["prediction"], event["probability"]) == (None, None)
        assert len(event["inference_id"]) == 32


def test_a_refusal_leaves_one_event_without_a_row(start: Start, tmp_path: Path) -> None:
    script = start(keys=True)
    assert ask(script, rows=2, keys=["x"]).status_code == 400
    (event,) = written(script, tmp_path)
    assert (event["status"], event["error_type"]) == (400, "BadRequest")
    assert (event["key"], event["features"], event["prediction"]) == (None, {}, None)


def test_a_sink_that_is_stuck_lets_no_answer_wait_and_what_is_lost_is_counted(
    start: Start,
) -> None:
    sink = Sink()
    script = start(sink, queue=5)
    ask(script)
    script._events._wake.set()
    sink.reached.wait()  # from here on the thread is stuck
    answers = [ask(script, rows=2) for _ in range(10)]
    assert {len(answer["predictions"]) for answer in answers} == {2}
    assert script._events.dropped == 1 + 20 - 5
    sink.gate.set()
    script._events.close()
    assert len(sink.events) == 5
    assert sink.dropped == 16
    (loss,) = [each for each in sink.lines if "dropped" in each]
    assert (loss["queue_was_full"], loss["not_written"], loss["deployment"]) == (16, 0, "blue")


def test_a_sink_that_is_stuck_for_good_does_not_hold_up_the_end(
    start: Start, score: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(score.telemetry, "CLOSE_SECONDS", 0.05)
    sink = Sink()
    script = start(sink)
    ask(script)
    script._events.close()
    assert sink.lines == []
    sink.gate.set()


def test_a_sink_that_fails_is_counted_and_told_in_the_log(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    sink = Sink()
    sink.error = OSError("no space")
    sink.gate.set()
    script = start(sink)
    assert ask(script, rows=3)["model_version"] == 7
    with caplog.at_level(logging.WARNING, "azmlinfsrv.telemetry"):
        script._events.close()
    assert script._events.dropped == 3
    assert "3 events of predictions were dropped" in caplog.text
    assert "OSError" in caplog.text


def test_a_folder_that_cannot_be_written_costs_the_events_and_no_answer(
    start: Start, tmp_path: Path
) -> None:
    (tmp_path / "events").write_text("a file where the folder should be")
    script = start()
    assert ask(script)["model_version"] == 7
    script._events.close()
    assert script._events.dropped == 1


def test_what_is_cut_off_by_a_full_disk_is_taken_back_and_counted(
    start: Start, score: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, calls = os.write, []

    def full(file: int, content: Any) -> int:
        calls.append(1)
        if len(calls) == 1:
            return write(file, content[:50])
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        return write(file, content)

    proxy = SimpleNamespace(**{name: getattr(os, name) for name in dir(os)})
    proxy.write = full
    monkeypatch.setattr(score.telemetry, "os", proxy)
    script = start()
    ask(script)
    (loss,) = written(script, tmp_path)
    assert (loss["dropped"], loss["not_written"], loss["error_type"]) == (1, 1, "OSError")


def test_a_line_that_cannot_be_built_is_counted(start: Start, tmp_path: Path) -> None:
    script = start()
    script._events.add(0.0, 7, rows=[{"a": float("nan")}])
    ask(script)
    event, loss = written(script, tmp_path)
    assert event["status"] == 200
    assert loss["dropped"] == 1


def test_a_thread_that_cannot_begin_reaches_no_answer_and_begins_with_a_later_request(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    script = start()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        assert ask(script)["model_version"] == 7
        script._events.close()
        script._events._ends = False
    ask(script)
    assert [line.get("dropped", 0) for line in written(script, tmp_path)] == [0, 0]


def test_events_are_written_while_the_server_goes_on(
    start: Start, score: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(score.telemetry, "FLUSH_SECONDS", 0.01)
    script = start()
    ask(script)
    wait_for(lambda: bool(files(tmp_path)) and bool(files(tmp_path)[0].read_text()))
    ask(script)
    assert len(written(script, tmp_path)) == 2
    assert len(files(tmp_path)) == 1


def test_the_event_s_own_day_is_that_of_its_file(
    start: Start, score: ModuleType, tmp_path: Path
) -> None:
    script = start()
    script._events._clock = lambda: datetime(2026, 5, 2, 0, 30, tzinfo=UTC).timestamp()
    now = score.perf_counter()
    script._events._waiting.append(
        score.telemetry._Asked(now, now - 3600, 7, 200, None, None, None, None, "", 1)
    )
    ask(script)
    written(script, tmp_path)
    assert [path.parent.name for path in files(tmp_path)] == ["2026-05-01", "2026-05-02"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only POSIX forks")
def test_a_forked_worker_begins_its_own_thread_and_file(start: Start, tmp_path: Path) -> None:
    script = start()
    ask(script)
    child = os.fork()
    if child == 0:
        ask(script)
        script._events.close()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert len(written(script, tmp_path)) == 2
    assert {path.name.split("-")[1] for path in files(tmp_path)} == {str(child), str(os.getpid())}


def test_personal_columns_are_never_named(tmp_path: Path) -> None:
    from mlops.data.personal import Personal

    facts = verify_version(write_version(tmp_path / "version"))
    plan = Telemetry("dev", personal=lambda: Personal(frozenset({"B"})))
    told: Mapping[str, str] = plan.told("tiny-dev", "blue", facts, FILES)
    assert json.loads(told[machinery.VARIABLE])["features"] == ["a", "c"]
