"""Where events of predictions go on Azure: Application Insights, and features the data collector.

telemetry.py loads this file, which stands beside it and alone, in its own thread and with the first
event: what is imported here is heavy, and no request waits for it. The exporter is Microsoft's, on
a connection string of its own: the inference server's knows the key alone, and sends nothing where
only who signs in may write.

A row of AppEvents is an event; all of its properties are texts. `value` is the probability of label
1, that of the class predicted, or the number predicted. Features are no part of it: Azure ML's data
collector writes those that are allowed to the workspace's storage, as the collection `features`
with the columns `inference_id` and `features` (JSON). The id is a column since the collector puts
many requests under one correlation id.
"""

import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

EVENT, LOST = "prediction", "lost_predictions"
DIRECT = "direct"
"""The source of events that nobody reads: they are not sent."""
COLLECTION = "features"
_NAME = "microsoft.custom_event.name"
_SCOPE = "https://monitor.azure.com//.default"
"""As the exporter asks for it, so that the token that it keeps is the same."""
_PROPERTIES = (
    *("inference_id", "key", "source", "environment", "endpoint", "deployment", "model_name"),
    *("model_version", "latency_ms", "status", "error_type", "prediction", "row"),
)
_TOLD_OF_LOSS = ("environment", "endpoint", "deployment", "model_name", "dropped", "error_type")
_LONGEST = 8192
"""So many characters of a property are kept; a longer list of probabilities is left out."""
_AT_ONCE, _CHARACTERS = 500, 1_000_000
"""So many events, and characters of them, are sent at once."""
_SECONDS = 10.0
_LOG_SECONDS = 60.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Without these the exporter reports on itself, also to its maker, and asks there for its settings.
_QUIET = (
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED",
    "APPLICATIONINSIGHTS_SDKSTATS_DISABLED",
)

log = logging.getLogger("azmlinfsrv.telemetry")
Event = Mapping[str, Any]


class NotSent(Exception):
    """Events were not taken; `lost` is how many."""

    def __init__(self, reason: str, lost: int) -> None:
        super().__init__(reason)
        self.lost = lost


class Insights:
    """What keeps the lines of telemetry.py on Azure.

    Args:
        connection_string: of Application Insights.
        features: whether features may be collected.
        credential: who sends; None: whoever has the connection string.
    """

    def __init__(
        self, connection_string: str, *, features: bool = False, credential: Any = None
    ) -> None:
        for name in _QUIET:
            os.environ[name] = "true"
        # what it says each time, telemetry.py says once a minute
        logging.getLogger("azure").setLevel(logging.CRITICAL)
        from azure.monitor.opentelemetry.exporter import AzureMonitorLogExporter

        self._status: int | None = None
        self._credential = credential
        self._exporter: Any = AzureMonitorLogExporter(
            connection_string=connection_string,
            credential=credential,
            disable_offline_storage=True,
            raw_response_hook=self._note,
            retry_total=0,
            timeout=_SECONDS,
            read_timeout=_SECONDS,
        )
        self._record = _recorder()
        self._collector = Features() if features else None

    def write(self, _day: str, lines: Sequence[str]) -> None:
        """Send the events of all these lines.

        Raises:
            NotSent: some were not taken.
        """
        sent = 0
        for part in parts(lines):
            events = [event for event in map(json.loads, part) if event.get("source") != DIRECT]
            if self._collector is not None:
                self._collector.collect([each for each in events if each.get("features")])
            if problem := self._send([self._record(*event_of(each)) for each in events]):
                raise NotSent(problem, len(lines) - sent)
            sent += len(part)

    def _send(self, records: Sequence[Any]) -> str:
        """Send records; return why they were not taken, or nothing."""
        if not records:
            return ""
        if self._credential is not None:
            try:
                self._credential.get_token(_SCOPE)
            except Exception as error:
                return f"its identity gets no token: {type(error).__name__}"
        self._status = None
        if self._exporter.export(records).name == "SUCCESS":
            return ""
        said = "did not answer" if self._status is None else f"answered {self._status}"
        return f"Application Insights {said}"

    def _note(self, response: Any) -> None:
        self._status = int(response.http_response.status_code)


class Features:
    """Azure ML's data collector, which sends to a process beside this one and never waits."""

    def __init__(self) -> None:
        import pandas as pd
        from azureml.ai.monitoring import Collector

        self._frame: Callable[[Any], Any] = pd.DataFrame
        self._again = 0.0
        self._collector: Any = Collector(name=COLLECTION, on_error=self._say)

    def collect(self, events: Sequence[Event]) -> None:
        """Collect the features of events; what fails is told in the log, once a minute at most."""
        if not events:
            return
        try:
            rows = [
                {"inference_id": each["inference_id"], "features": _json(each["features"])}
                for each in events
            ]
            self._collector.collect(self._frame(rows))
        except Exception as error:
            self._say(error)

    def _say(self, error: Exception) -> None:
        now = time.perf_counter()
        if now >= self._again:
            self._again = now + _LOG_SECONDS
            log.warning("features of predictions were not collected: %s", error)


def open_insights(told: Mapping[str, Any]) -> Insights:
    """Return the sink that SCORING_TELEMETRY names; the deployment's own identity sends."""
    from azure.identity import ManagedIdentityCredential

    client = str(told.get("client_id") or "") or None
    return Insights(
        str(told["connection_string"]),
        features=bool(told["features"]),
        credential=ManagedIdentityCredential(client_id=client),
    )


def event_of(line: Event) -> tuple[str, datetime, dict[str, str]]:
    """Return the name, time and properties of a line: a prediction, or how many were lost."""
    at = datetime.fromisoformat(line["time"])
    if "dropped" in line:
        return LOST, at, {name: str(line[name]) for name in _TOLD_OF_LOSS if line.get(name)}
    found = {name: str(line[name]) for name in _PROPERTIES if line.get(name) is not None}
    value, probabilities = line["probability"], ""
    if isinstance(value, Mapping):
        probabilities = _json([*value.values()])
        value = value[line["prediction"]]
    elif value is None:
        value = line["prediction"]
    if value is not None:
        found["value"] = repr(float(value))
    if probabilities and len(probabilities) <= _LONGEST:
        found["probabilities"] = probabilities
    return EVENT, at, found


def parts(lines: Sequence[str]) -> Iterator[list[str]]:
    """Yield lines, in order, so many as are sent at once."""
    part: list[str] = []
    size = 0
    for line in lines:
        if part and (len(part) == _AT_ONCE or size + len(line) > _CHARACTERS):
            yield part
            part, size = [], 0
        part.append(line)
        size += len(line)
    if part:
        yield part


def _recorder() -> Callable[[str, datetime, Mapping[str, str]], Any]:
    """Return what makes the exporter's record of an event, by the OpenTelemetry that is there."""
    from opentelemetry.sdk import _logs
    from opentelemetry.sdk.resources import Resource

    logs: Any = _logs
    resource = Resource.get_empty()

    def record(name: str, at: datetime, properties: Mapping[str, str]) -> Any:
        since = at - _EPOCH
        given: dict[str, Any] = {
            "timestamp": (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1000,
            "attributes": {_NAME: name, **properties},
        }
        if hasattr(logs, "ReadableLogRecord"):
            from opentelemetry._logs import LogRecord

            return logs.ReadableLogRecord(LogRecord(**given), resource)
        return logs.LogData(logs.LogRecord(resource=resource, **given), None)

    return record


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
