"""How requests went, read from the log that Azure ML keeps of an online endpoint's traffic.

The log arrives minutes late and out of order. So the same window of time is read again and again,
each request is counted once, and gets its number when it is first seen.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import requests

from mlops.monitoring.rules.kql import literal, to_rows
from mlops.platforms.answers import own_status
from mlops.platforms.azure.log_analytics import TIME, LogTable, Row, pages, parse_time, query
from mlops.platforms.base import NotObserved, Observation
from mlops.platforms.traffic_rules import DIRECT_AGENT
from mlops.progress import Report
from mlops.window import Window

TABLE = "AmlOnlineEndpointTrafficLog"
COLUMNS = (
    "TimeGenerated",
    "DeploymentName",
    "ResponseCode",
    "ModelStatusCode",
    "TotalDurationMs",
    "XRequestId",
)
LATE = timedelta(minutes=15)
SKEW = timedelta(minutes=1)
"""By so much Azure's clock may be behind."""
_ROWS = 20_000
_REQUEST = "request"
_LOG = LogTable(
    TABLE,
    "the log of requests",
    f"a diagnostic setting of the endpoint sends its category {TABLE} there",
)


@dataclass
class TrafficLog:
    """The observations of one endpoint that were seen so far, numbered one by one.

    `read_at` is when the log was last read, by the monotonic clock.

    Args:
        started: requests before this time are not looked at.
    """

    started: datetime
    read_at: float | None = None
    _seen: dict[tuple[str, str], datetime] = field(default_factory=dict)
    _found: list[Observation] = field(default_factory=list)
    _newest: datetime | None = None

    def __post_init__(self) -> None:
        # as with the local router, the numbers of a later log are above those of an earlier one
        self._base = int(self.started.timestamp() * 1_000_000)

    @property
    def window_start(self) -> datetime:
        """The time from which the log has to be read again."""
        newest = self._newest or self.started
        return max(self.started, newest - LATE)

    def is_due(self, every_seconds: float) -> bool:
        """Tell whether the log is to be read again."""
        return self.read_at is None or time.monotonic() - self.read_at >= every_seconds

    def restart(self, now: datetime) -> None:
        """Look at nothing that was answered before now: traffic or mirror have just changed."""
        self.started = max(self.started, now)

    def add(
        self, rows: Sequence[Row], mirrored: frozenset[str], began_before: datetime | None = None
    ) -> None:
        """Take in rows of the log; those that were seen before count for nothing.

        Args:
            rows: the rows, in any order.
            mirrored: the deployments that get copies of requests and have no traffic.
            began_before: what began later is left for another time.
        """
        for row in sorted(rows, key=lambda row: str(row["TimeGenerated"])):
            moment = parse_time(str(row["TimeGenerated"]))
            seconds = float(row["TotalDurationMs"] or 0) / 1000
            if began_before and moment - timedelta(seconds=seconds) > began_before:
                continue
            deployment = str(row["DeploymentName"])
            # a copy carries the id of the request that it is a copy of
            key = (str(row["XRequestId"]), deployment)
            if moment < self.started or key in self._seen:
                continue
            self._seen[key] = moment
            self._newest = max(moment, self._newest or moment)
            self._found.append(
                Observation(
                    sequence=self._base + len(self._found) + 1,
                    deployment=deployment,
                    status=status_of(row),
                    seconds=seconds,
                    mirrored=deployment in mirrored,
                )
            )
        self.read_at = time.monotonic()
        self._forget()

    def after(self, sequence: int) -> list[Observation]:
        """Return the observations with a higher number, oldest first."""
        return self._found[max(0, sequence - self._base) :]

    def _forget(self) -> None:
        """Drop the ids of requests that no window holds any more."""
        if self._newest:
            limit = self.window_start
            self._seen = {key: seen for key, seen in self._seen.items() if seen >= limit}


def traffic_query(endpoint: str, since: datetime, rows: int = _ROWS) -> str:
    """Return the query for the requests of an endpoint that it gave to a deployment itself."""
    return (
        f"{TABLE}\n"
        f"| where EndpointName == '{endpoint}'\n"
        f"| where TimeGenerated >= datetime({since.isoformat()})\n"
        f"| where UserAgent !startswith '{DIRECT_AGENT}'\n"
        f"| project {', '.join(COLUMNS)}\n"
        "| order by TimeGenerated asc\n"
        f"| take {rows}"
    )


def fresh_query(endpoint: str, since: datetime) -> str:
    """Return the query for one request of an endpoint since a time, whoever sent it."""
    return (
        f"{TABLE}\n"
        f"| where EndpointName == '{endpoint}'\n"
        f"| where TimeGenerated >= datetime({since.isoformat()})\n"
        "| take 1"
    )


def await_row(
    ask: Callable[[], Sequence[Row]],
    patience_seconds: float,
    pause_seconds: float,
    report: Report,
    clock: Any = time,
) -> None:
    """Ask again and again until there is a row.

    Args:
        ask: returns the rows that there are.
        patience_seconds: for how long.
        pause_seconds: between two questions.
        report: is told that it takes time.
        clock: has `monotonic` and `sleep`.

    Raises:
        NotObserved: there was none, or Log Analytics did not answer.
    """
    began = clock.monotonic()
    problem = ""
    while True:
        try:
            if ask():
                return
        except NotObserved as error:
            problem = f"{error.message}, and "
        waited = clock.monotonic() - began
        if waited >= patience_seconds:
            raise NotObserved(
                f"{problem}none of the requests of the last {waited:.0f} s is in the log "
                "(azure.log_patience_seconds): it may begin up to 90 minutes after its diagnostic "
                "setting was made"
            )
        report(f"waiting for a first request in the log: {waited:.0f} s")
        clock.sleep(pause_seconds)


def status_of(row: Row) -> int:
    """Return the status of the deployment's answer; Azure's front gives 424 for all but 200."""
    return own_status(int(row["ResponseCode"] or 0), int(row.get("ModelStatusCode") or 0))


def query_traffic(
    session: requests.Session, token: str, workspace: str, endpoint: str, since: datetime
) -> list[dict[str, Any]]:
    """Read the log of an endpoint's requests from a time on; some rows may come twice.

    Raises:
        ConfigError: the workspace does not exist or may not be read.
        NotObserved: Log Analytics does not answer.
    """
    return [
        row
        for page in pages(
            lambda text: query(session, token, workspace, text, _LOG),
            lambda start, size: traffic_query(endpoint, start, size),
            since,
            _ROWS,
        )
        for row in page
    ]


def query_fresh(
    session: requests.Session, token: str, workspace: str, endpoint: str, since: datetime
) -> list[dict[str, Any]]:
    """Return one request of an endpoint since a time, whoever sent it, or nothing; see above."""
    return query(session, token, workspace, fresh_query(endpoint, since), _LOG)


def query_any(session: requests.Session, token: str, workspace: str) -> list[dict[str, Any]]:
    """Return one request of any endpoint, or nothing; see above."""
    return query(session, token, workspace, f"{TABLE}\n| take 1", _LOG)


def read_front_log(
    ask: Callable[[str, LogTable], list[dict[str, Any]]], endpoint: str, window: Window
) -> list[dict[str, Any]]:
    """Return all requests of an endpoint in a window; see `Endpoint.front_log`.

    A table to which no request has come yet has no rows.
    """
    table = replace(_LOG, may_lack=True)

    def text(since: datetime, rows: int) -> str:
        where = f"EndpointName == {literal(endpoint)}"
        return to_rows("traffic", where, since, window.end, rows, {_REQUEST: "XRequestId"})

    found = {
        (row[TIME], row["deployment"], row.pop(_REQUEST)): row
        for page in pages(lambda asked: ask(asked, table), text, window.start)
        for row in page
    }
    return [{"time": row.pop(TIME), **row} for row in found.values()]
