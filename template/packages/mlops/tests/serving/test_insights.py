"""Events sent to Application Insights by Microsoft's exporter, to an endpoint on this machine.

Here it runs with the OpenTelemetry of the commands; in deployments of the emulated Azure with that
of the inference server.
"""

import json
import logging
import socket
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from fakes.ingestion import Ingestion, connection_string, ingestion
from fakes.scoring_script import load_script
from mlops.artifacts.predictions import event_schema
from mlops.monitoring import telemetry as machinery
from mlops.monitoring.event_properties import SOURCES
from mlops.monitoring.telemetry import APPLICATION_INSIGHTS
from mlops.platforms.azure import collector as azure_collector
from mlops.platforms.azure import event_log

PREDICTION = SOURCES["prediction"]
LINE = {
    "schema": 1,
    "time": "2026-05-01T12:00:00.123456+00:00",
    "source": "request",
    "environment": "dev",
    "endpoint": "tiny-dev",
    "deployment": "blue",
    "model_name": "tiny",
    "model_version": 7,
    "latency_ms": 1.5,
    "status": 200,
    "error_type": None,
    "inference_id": "f" * 32,
    "key": "x",
    "row": 0,
    "prediction": 1,
    "probability": 0.75,
    "features": {"a": 1.0},
}
FAILED = {
    **LINE,
    "status": 500,
    "error_type": "ValueError",
    "prediction": None,
    "probability": None,
}
LOSS = {
    "schema": 1,
    "time": LINE["time"],
    "dropped": 5,
    "queue_was_full": 5,
    "not_written": 0,
    "error_type": None,
    **{name: LINE[name] for name in ("environment", "endpoint", "deployment", "model_name")},
}
Open = Callable[..., Any]


@pytest.fixture(scope="module")
def module() -> ModuleType:
    script: Any = load_script()
    return script._beside("insights")  # type: ignore[no-any-return]


@pytest.fixture
def there() -> Iterator[Ingestion]:
    with ingestion() as server:
        yield server


@pytest.fixture
def opened(module: ModuleType, there: Ingestion) -> Any:
    return module.Insights(there.connection_string)


def send(sink: Any, *lines: dict[str, Any]) -> None:
    sink.write("2026-05-01", [json.dumps(line) for line in lines])


def test_a_line_is_an_event_with_texts_alone(opened: Any, there: Ingestion) -> None:
    send(opened, LINE)
    (item,) = there.items
    assert item["name"] == "Microsoft.ApplicationInsights.Event"
    assert item["time"] == "2026-05-01T12:00:00.123456Z"
    assert there.named(PREDICTION.event) == [
        {
            "inference_id": "f" * 32,
            "key": "x",
            "source": "request",
            "environment": "dev",
            "endpoint": "tiny-dev",
            "deployment": "blue",
            "model_name": "tiny",
            "model_version": "7",
            "latency_ms": "1.5",
            "row": "0",
            "status": "200",
            "prediction": "1",
            "value": "0.75",
        }
    ]


def test_every_property_that_queries_read_is_sent_and_no_feature(
    opened: Any, there: Ingestion
) -> None:
    several = {**LINE, "prediction": "b", "probability": {"a": 0.25, "b": 0.75}}
    send(opened, several, FAILED)
    sent = {name for event in there.named(PREDICTION.event) for name in event}
    assert sent == {*PREDICTION.properties, "environment", event_log.PROBABILITIES}
    assert event_log.PROBABILITIES in event_schema()
    first, failed = there.named(PREDICTION.event)
    assert (first["value"], first["probabilities"]) == ("0.75", "[0.25,0.75]")
    assert {"prediction", "value", "probabilities"}.isdisjoint(failed)


def test_an_amount_is_its_own_value(opened: Any, there: Ingestion) -> None:
    send(opened, {**LINE, "prediction": 0.1 + 0.2, "probability": None})
    (event,) = there.named(PREDICTION.event)
    assert float(event["value"]) == 0.1 + 0.2
    assert event["prediction"] == event["value"]


def test_probabilities_of_too_many_classes_are_left_out(opened: Any, there: Ingestion) -> None:
    many = {str(number): 1 / 3 for number in range(500)}
    send(opened, {**LINE, "prediction": "7", "probability": many})
    (event,) = there.named(PREDICTION.event)
    assert event["value"] == repr(1 / 3)
    assert "probabilities" not in event


def test_what_was_lost_is_an_event_of_another_name(opened: Any, there: Ingestion) -> None:
    send(opened, LOSS)
    (event,) = there.named(event_log.LOST)
    assert (event["dropped"], event["endpoint"], event["deployment"]) == ("5", "tiny-dev", "blue")


def test_requests_of_our_own_are_not_sent(opened: Any, there: Ingestion) -> None:
    send(opened, {**LINE, "source": "direct"}, LINE)
    assert [each["source"] for each in there.named(PREDICTION.event)] == ["request"]


def test_many_events_go_in_parts(opened: Any, there: Ingestion) -> None:
    send(opened, *[LINE] * 501)
    assert there.batches == [500, 1]


def test_large_events_go_in_smaller_parts(module: ModuleType) -> None:
    lines = ["x" * 400_000] * 3
    assert [len(part) for part in module.parts(lines)] == [2, 1]


def test_what_is_refused_is_counted_from_where_it_was(opened: Any, there: Ingestion) -> None:
    there.status = 403
    with pytest.raises(Exception, match="Application Insights answered 403") as caught:
        send(opened, LINE, LINE)
    assert getattr(caught.value, "lost", None) == 2


def test_only_what_was_not_taken_is_lost(
    opened: Any, there: Ingestion, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = opened._record

    def refused_later(*event: Any) -> Any:
        there.status = 500 if there.items else 200
        return record(*event)

    monkeypatch.setattr(opened, "_record", refused_later)
    with pytest.raises(Exception, match="answered 500") as caught:
        send(opened, *[LINE] * 502)
    assert getattr(caught.value, "lost", None) == 2


def test_an_identity_without_a_token_is_told(module: ModuleType, there: Ingestion) -> None:
    class Nobody:
        def get_token(self, _scope: str) -> None:
            raise PermissionError("no identity here")

    sink = module.Insights(there.connection_string, credential=Nobody())
    with pytest.raises(Exception, match="its identity gets no token: PermissionError") as caught:
        send(sink, LINE)
    assert getattr(caught.value, "lost", None) == 1
    assert there.items == []


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_where_nothing_answers_all_is_lost(module: ModuleType) -> None:
    sink = module.Insights(connection_string(free_port()))
    with pytest.raises(Exception, match="Application Insights did not answer"):
        send(sink, LINE)


@pytest.fixture
def events(
    monkeypatch: pytest.MonkeyPatch, there: Ingestion, module: ModuleType
) -> Iterator[Callable[..., Any]]:
    """Begin with what a deployment is told, but for its identity."""
    script: Any = load_script()
    begun = []

    def begin(to: str = there.connection_string, **more: Any) -> Any:
        told = {name: LINE[name] for name in ("environment", "endpoint", "deployment")}
        told |= {"model_name": "tiny", "schema": 1, "features": [], "keys": False, "queue": 100}
        told |= {"sink": APPLICATION_INSIGHTS, "connection_string": to, **more}
        monkeypatch.setattr(
            module, "open_insights", lambda told: module.Insights(told["connection_string"])
        )
        found = script.telemetry.events_of(json.dumps(told), lambda _name: module)
        begun.append(found)
        return found

    yield begin
    there.gate.set()
    for each in begun:
        each.close()


def ask(kept: Any, rows: int = 1) -> None:
    """Do what the script does for each answer."""
    answer = {
        "inference_id": ["f"] * rows,
        "predictions": [1] * rows,
        "probabilities": [0.5] * rows,
    }
    kept.add(0.0, 7, rows=[{}] * rows, answer=answer)


def test_a_sink_that_is_slow_lets_nobody_wait(events: Callable[..., Any], there: Ingestion) -> None:
    """It has not answered yet when ten more requests are over: only then it is let go on."""
    there.gate.clear()
    kept = events(queue=5)
    ask(kept)
    kept._wake.set()
    assert there.reached.wait(60)
    for _ in range(10):
        ask(kept, rows=2)
    assert not there.gate.is_set()
    assert kept.dropped == 1 + 20 - 5
    there.gate.set()
    kept.close()
    assert len(there.named(PREDICTION.event)) == 5
    assert [each["dropped"] for each in there.named(event_log.LOST)] == ["16"]


def test_a_sink_that_refuses_reaches_no_request_and_is_told_in_the_log(
    events: Callable[..., Any], there: Ingestion, caplog: pytest.LogCaptureFixture
) -> None:
    there.status = 403
    kept = events()
    ask(kept, rows=3)
    with caplog.at_level(logging.WARNING, "azmlinfsrv.telemetry"):
        kept.close()
    assert kept.dropped == 3
    assert "3 events of predictions were dropped" in caplog.text
    assert "Application Insights answered 403" in caplog.text


def test_a_sink_that_is_dead_reaches_no_request_and_is_told_in_the_log(
    events: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    kept = events(connection_string(free_port()))
    ask(kept, rows=3)
    with caplog.at_level(logging.WARNING, "azmlinfsrv.telemetry"):
        kept.close()
    assert kept.dropped == 3
    assert "Application Insights did not answer" in caplog.text


def test_a_connection_string_that_is_none_costs_the_events_alone(
    events: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    kept = events("no connection string")
    ask(kept, rows=2)
    with caplog.at_level(logging.WARNING, "azmlinfsrv.telemetry"):
        kept.close()
    assert kept.dropped == 2
    assert "could not be written (ValueError)" in caplog.text


def test_nothing_heavy_is_loaded_before_the_first_request() -> None:
    script: Any = load_script()
    loaded: list[str] = []
    told = {**LINE, "sink": APPLICATION_INSIGHTS, "connection_string": "x", "queue": 5}
    told |= {"features": [], "keys": False}
    begun = script.telemetry.events_of(json.dumps(told), loaded.append)
    assert loaded == []
    assert begun._thread is None


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Stands in for azureml-ai-monitoring, which the emulated Azure runs; what it was given."""
    given: list[Any] = []

    class Collector:
        def __init__(self, *, name: str, on_error: Callable[[Exception], Any]) -> None:
            assert name == azure_collector.FEATURES
            self.on_error = on_error

        def collect(self, frame: Any) -> None:
            if frame["inference_id"].tolist() == ["fails"]:
                self.on_error(RuntimeError("the queue is full"))
            given.append(frame.to_dict("records"))

    fake = ModuleType("azureml.ai.monitoring")
    fake.Collector = Collector  # type: ignore[attr-defined]
    for name in ("azureml", "azureml.ai"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "azureml.ai.monitoring", fake)
    return given


def test_features_go_to_the_collector_with_the_name_of_their_prediction(
    module: ModuleType, there: Ingestion, collector: list[Any]
) -> None:
    sink = module.Insights(there.connection_string, features=True)
    row = {"a": 1e-12, "b": None, "c": "ü"}
    send(sink, {**LINE, "features": row}, {**LINE, "features": {}})
    ((found,),) = collector
    assert found["inference_id"] == LINE["inference_id"]
    assert json.loads(found["features"]) == row, "as they came, whatever their size"
    assert len(there.items) == 2


@pytest.mark.usefixtures("collector")
def test_a_collector_that_fails_costs_its_features_alone(
    module: ModuleType, there: Ingestion, caplog: pytest.LogCaptureFixture
) -> None:
    sink = module.Insights(there.connection_string, features=True)
    with caplog.at_level(logging.WARNING, "azmlinfsrv.telemetry"):
        send(sink, {**LINE, "inference_id": "fails"})
        send(sink, {**LINE, "inference_id": "fails"})
    assert len(there.items) == 2
    assert caplog.text.count("the queue is full") == 1, "once a minute"


def test_script_and_commands_speak_of_the_same(module: ModuleType) -> None:
    script: Any = load_script()
    assert script.telemetry.APPLICATION_INSIGHTS == machinery.APPLICATION_INSIGHTS
    assert PREDICTION.event == module.EVENT
    assert event_log.LOST == module.LOST
    assert azure_collector.FEATURES == module.COLLECTION
