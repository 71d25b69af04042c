"""The events of one endpoint in Log Analytics: of requests, and of what checks found.

A property of an event is a text there. A check is kept twice: each of its values as a property,
which queries read, and the whole as JSON, of which it is read back as it was.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from mlops.artifacts.predictions import REQUEST, event_schema
from mlops.errors import PlatformError
from mlops.monitoring.event_properties import EVENTS, TIME
from mlops.monitoring.rules.kql import literal, to_rows, within
from mlops.platforms.azure.event_sender import LONGEST, Event
from mlops.platforms.azure.log_analytics import LogTable, pages, parse_time
from mlops.window import Window

LOG = LogTable(EVENTS, "the log of events", "Application Insights writes there", may_lack=True)
LOST = "lost_predictions"
"""The event by which a server says how many it could not send."""
PROBABILITIES = "probabilities"
HAS_FEATURES = "has_features"
_WHOLE = "whole"
_SKEW = timedelta(seconds=1)
"""By so much less the exporter may round a time."""

Ask = Callable[[str], list[dict[str, Any]]]


def check_events(endpoint: str, checks: Sequence[Mapping[str, Any]]) -> list[Event]:
    """Return the events by which findings of checks are kept.

    Raises:
        PlatformError: one is too long to be kept.
    """
    return [_check_event(endpoint, check) for check in checks]


def read_checks(ask: Ask, endpoint: str, name: str, window: Window) -> list[dict[str, Any]]:
    """Return what checks of a name found in a window, oldest first."""

    def text(since: datetime, rows: int) -> str:
        lines = (
            EVENTS,
            f"where Name == {literal(name)}",
            within(since, window.end + _SKEW),
            f"where {_of(endpoint)}",
            f"project {TIME}, {_WHOLE} = tostring(Properties.{_WHOLE})",
            f"order by {TIME} asc",
            f"take {rows}",
        )
        return "\n| ".join(lines)

    found = {
        (str(row[TIME]), str(row[_WHOLE])): json.loads(row[_WHOLE])
        for page in pages(ask, text, window.start - _SKEW)
        for row in page
        if row[_WHOLE]
    }
    at = {key: datetime.fromisoformat(check["time"]) for key, check in found.items()}
    inside = [key for key in found if window.start <= at[key] < window.end]
    return [found[key] for key in sorted(inside, key=at.__getitem__)]


def read_requests(ask: Ask, endpoint: str, window: Window) -> pl.DataFrame:
    """Return the events of requests in a window: the columns of `event_schema`, no features."""
    source = literal(REQUEST)
    where = f"{_of(endpoint)} and tostring(Properties.source) == {source}"

    more = {PROBABILITIES: f"tostring(Properties.{PROBABILITIES})"}

    def text(since: datetime, rows: int) -> str:
        return to_rows("prediction", where, since, window.end, rows, more)

    schema = event_schema()
    tables = [
        pl.DataFrame([tuple(_values(row)) for row in page], schema, orient="row")
        for page in pages(ask, text, window.start)
    ]
    return pl.concat([pl.DataFrame(schema=schema), *tables]).unique("inference_id")


def count_lost(ask: Ask, endpoint: str, window: Window) -> int:
    """Return how many events the servers of an endpoint say that they could not send."""
    lines = (
        EVENTS,
        f"where Name == {literal(LOST)}",
        within(window.start, window.end),
        f"where {_of(endpoint)}",
        "summarize lost = sum(tolong(Properties.dropped))",
    )
    rows = ask("\n| ".join(lines))
    return int(rows[0]["lost"] or 0) if rows else 0


def _of(endpoint: str) -> str:
    return f"tostring(Properties.endpoint) == {literal(endpoint)}"


def _check_event(endpoint: str, check: Mapping[str, Any]) -> Event:
    whole = json.dumps(dict(check), allow_nan=False)
    if len(whole) > LONGEST:
        raise PlatformError(
            f"what the check {check['check']} found is too long to be kept: {len(whole):,} "
            f"characters, at most {LONGEST:,}"
        )
    flat = {name: str(value) for name, value in check.items() if value is not None}
    properties = {"endpoint": endpoint, **flat, _WHOLE: whole}
    return Event(str(check["check"]), datetime.fromisoformat(check["time"]), properties)


def _values(row: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the columns of an event, in the order of `event_schema`."""
    for name in event_schema():
        if name == "time":
            yield parse_time(str(row[TIME])).astimezone(UTC)
        elif name == PROBABILITIES:
            yield json.loads(row[name]) if row[name] else None
        elif name == HAS_FEATURES:
            yield False
        else:
            yield row[name] if row[name] != "" else None
