"""Events sent to Application Insights from this machine, by Microsoft's own exporter."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from mlops.errors import ConfigError, PlatformError

SCOPE = "https://monitor.azure.com/.default"
ROLE = "Monitoring Metrics Publisher"
NAME = "microsoft.custom_event.name"
"""The attribute by which the exporter knows an event, and calls it."""
LONGEST = 8192
"""So many characters of a property are kept."""
_QUIET = (
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED",
    "APPLICATIONINSIGHTS_SDKSTATS_DISABLED",
)
"""Without these the exporter reports on itself, also to its maker, and asks there for settings."""
_AT_ONCE = 500
_RETRIES = 3
_LONGEST_WAIT = 10
_PARTLY = 206
_REFUSED = (401, 403)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Event:
    """What is kept as a row of AppEvents."""

    name: str
    time: datetime
    properties: Mapping[str, str]


@dataclass
class _Said:
    """The last answer, if there was one."""

    status: int | None = None

    def note(self, response: Any) -> None:
        self.status = int(response.http_response.status_code)


@dataclass
class EventSender:
    """What sends events to one Application Insights.

    Args:
        connection_string: where it is.
        credential: who sends, as azure-identity knows it.
    """

    connection_string: str = field(repr=False)
    credential: Any = field(repr=False)

    def send(self, events: Sequence[Event]) -> None:
        """Send events, and return when they were taken.

        Raises:
            ConfigError: the connection string is none, or who sends may not.
            PlatformError: they were not taken.
        """
        said = _Said()
        exporter = self._exporter(said)
        from opentelemetry.sdk._logs.export import LogRecordExportResult

        try:
            for first in range(0, len(events), _AT_ONCE):
                said.status = None
                records = [_record(each) for each in events[first : first + _AT_ONCE]]
                if exporter.export(records) is not LogRecordExportResult.SUCCESS:
                    raise _refusal(said.status)
        finally:
            exporter.shutdown()

    def _exporter(self, said: _Said) -> Any:
        for name in _QUIET:
            os.environ[name] = "true"
        from azure.monitor.opentelemetry.exporter import AzureMonitorLogExporter

        try:
            return AzureMonitorLogExporter(
                connection_string=self.connection_string,
                credential=self.credential,
                disable_offline_storage=True,
                raw_response_hook=said.note,
                retry_backoff_max=_LONGEST_WAIT,
                **dict.fromkeys(("retry_total", "retry_connect", "retry_read"), _RETRIES),
            )
        except ValueError as error:
            raise ConfigError(
                f"azure.insights_connection_string cannot be read ({error})",
                "copy it from the output insightsConnectionString of infra/, or from the overview "
                "of Application Insights in the portal",
            ) from None


def _record(event: Event) -> Any:
    from opentelemetry._logs import LogRecord
    from opentelemetry.sdk._logs import ReadableLogRecord
    from opentelemetry.sdk.resources import Resource

    since = event.time - _EPOCH
    nanoseconds = (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1000
    attributes = {NAME: event.name, **event.properties}
    return ReadableLogRecord(
        LogRecord(timestamp=nanoseconds, attributes=attributes), Resource.get_empty()
    )


def _refusal(status: int | None) -> ConfigError | PlatformError:
    if status in _REFUSED:
        return ConfigError(
            f"Application Insights takes no events from who runs this ({status})",
            f"give them the role {ROLE} on Application Insights, which takes some minutes",
        )
    if status is None:
        return PlatformError(
            "Application Insights cannot be reached",
            "check azure.insights_connection_string and the network, then try again",
        )
    part = "only a part of the events" if status == _PARTLY else "no events"
    return PlatformError(f"Application Insights took {part} ({status})", "try again")
