"""Events that commands send, by the real exporter to an ingestion endpoint on this machine."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fakes.ingestion import Ingestion, ingestion
from mlops.errors import ConfigError, PlatformError
from mlops.platforms.azure import event_sender
from mlops.platforms.azure.event_sender import Event, EventSender

NOON = datetime(2026, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def there() -> Iterator[Ingestion]:
    with ingestion() as server:
        yield server


def sender(there: Ingestion) -> EventSender:
    return EventSender(there.connection_string, None)


def test_an_event_comes_as_it_was_sent(there: Ingestion) -> None:
    sender(there).send([Event("drift", NOON, {"column": "a", "empty": ""})])
    (item,) = there.items
    assert item["time"] == "2026-05-01T12:00:00.123456Z"
    assert item["data"]["baseType"] == "EventData"
    assert there.named("drift") == [{"column": "a", "empty": ""}]


def test_the_exporter_sends_nothing_of_itself(
    there: Ingestion, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in event_sender._QUIET:
        monkeypatch.delenv(name, raising=False)
    sender(there).send([Event("drift", NOON, {})])
    assert [os.environ[name] for name in event_sender._QUIET] == ["true"] * 3
    assert [item["data"]["baseType"] for item in there.items] == ["EventData"]


def test_many_events_go_in_parts(there: Ingestion) -> None:
    events = [Event("drift", NOON + timedelta(seconds=n), {"n": str(n)}) for n in range(501)]
    sender(there).send(events)
    assert there.batches == [500, 1]
    assert [each["n"] for each in there.named("drift")] == [str(n) for n in range(501)]


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (403, ConfigError, "Monitoring Metrics Publisher"),
        (401, ConfigError, "takes no events from who runs this"),
        (400, PlatformError, r"took no events \(400\)"),
        (206, PlatformError, r"took only a part of the events \(206\)"),
    ],
)
def test_what_is_not_taken_is_said(
    there: Ingestion, status: int, kind: type[Exception], said: str
) -> None:
    there.status = status
    with pytest.raises(kind, match=said):
        sender(there).send([Event("drift", NOON, {})])


def test_where_nothing_answers_it_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    from azure.core.exceptions import ServiceRequestError
    from azure.core.pipeline.transport import RequestsTransport

    def refuse(*_arguments: Any, **_options: Any) -> Any:
        raise ServiceRequestError("connection refused")

    monkeypatch.setattr(RequestsTransport, "send", refuse)
    monkeypatch.setattr(RequestsTransport, "sleep", lambda _self, _seconds: None)
    with ingestion() as there, pytest.raises(PlatformError, match="cannot be reached"):
        sender(there).send([Event("drift", NOON, {})])


def test_a_connection_string_that_is_none_is_said() -> None:
    with pytest.raises(ConfigError, match=r"azure\.insights_connection_string cannot be read"):
        EventSender("no connection string", None).send([])


def test_nothing_of_it_is_in_what_is_printed(there: Ingestion) -> None:
    assert there.connection_string not in repr(sender(there))
