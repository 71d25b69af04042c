"""How requests went, read from the log that Azure ML keeps of an online endpoint's traffic.

The log arrives minutes late and out of order. So the same window of time is read again and again,
each request is counted once, and gets its number when it is first seen.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import requests

from mlops.errors import ConfigError, PlatformError
from mlops.platforms.answers import own_status
from mlops.platforms.base import NotObserved, Observation
from mlops.platforms.traffic_rules import DIRECT_AGENT
from mlops.progress import Report

API = "https://api.loganalytics.azure.com/v1/workspaces/{workspace}/query"
SCOPE = "https://api.loganalytics.io/.default"
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
_TOO_MANY, _SERVER_ERROR = 429, 500
_TIMEOUT_SECONDS = 60.0
_ATTEMPTS = 4
_LONGEST_WAIT = 60.0

Row = Mapping[str, Any]


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


def traffic_query(endpoint: str, since: datetime) -> str:
    """Return the query for the requests of an endpoint that it gave to a deployment itself."""
    return (
        f"{TABLE}\n"
        f"| where EndpointName == '{endpoint}'\n"
        f"| where TimeGenerated >= datetime({since.isoformat()})\n"
        f"| where UserAgent !startswith '{DIRECT_AGENT}'\n"
        f"| project {', '.join(COLUMNS)}\n"
        "| order by TimeGenerated asc\n"
        f"| take {_ROWS}"
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


def rows_of(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of a query's answer by the names of their columns.

    Raises:
        PlatformError: the answer has no such table.
    """
    try:
        table = answer["tables"][0]
        names = [column["name"] for column in table["columns"]]
        return [dict(zip(names, row, strict=True)) for row in table["rows"]]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise PlatformError(f"Log Analytics gave an answer without rows: {error!r}") from None


def status_of(row: Row) -> int:
    """Return the status of the deployment's answer; Azure's front gives 424 for all but 200."""
    return own_status(int(row["ResponseCode"] or 0), int(row.get("ModelStatusCode") or 0))


def parse_time(text: str) -> datetime:
    """Return a time of the log: UTC, with up to seven digits of a second."""
    return datetime.fromisoformat(text)


def query_traffic(
    session: requests.Session, token: str, workspace: str, endpoint: str, since: datetime
) -> list[dict[str, Any]]:
    """Read the log of an endpoint's requests from a time on.

    Raises:
        ConfigError: the workspace does not exist or may not be read.
        NotObserved: Log Analytics does not answer.
    """
    found: list[dict[str, Any]] = []
    while True:
        rows = query(session, token, workspace, traffic_query(endpoint, since))
        found += rows
        if len(rows) < _ROWS:
            return found
        newest = parse_time(str(rows[-1]["TimeGenerated"]))
        if newest <= since:
            return found
        since = newest


def query(session: requests.Session, token: str, workspace: str, text: str) -> list[dict[str, Any]]:
    """Return the rows that a query finds; what may pass by itself is asked again a few times.

    Raises:
        ConfigError: the workspace does not exist or may not be read.
        NotObserved: Log Analytics does not answer.
        PlatformError: it answers something else than rows.
    """
    answer = _answer(session, token, workspace, text)
    if answer.status_code in (401, 403):
        raise ConfigError(
            "the log of requests may not be read",
            "give who runs this the role Log Analytics Reader on the Log Analytics workspace "
            f"{workspace}",
        )
    if answer.status_code in (400, 404):
        raise ConfigError(
            f"Log Analytics does not answer the query for {TABLE} ({answer.text[:300]})",
            "check azure.log_analytics_workspace_id, and that a diagnostic setting of the endpoint "
            "sends its category AmlOnlineEndpointTrafficLog there",
        )
    if answer.status_code != requests.codes.ok:
        raise PlatformError(
            f"Log Analytics answered {answer.status_code}: {answer.text[:300]}", "try again"
        )
    return rows_of(answer.json())


def _answer(session: requests.Session, token: str, workspace: str, text: str) -> requests.Response:
    problem = ""
    for attempt in range(_ATTEMPTS):
        wait = float(2**attempt)
        try:
            answer = session.post(
                API.format(workspace=workspace),
                json={"query": text},
                headers={"Authorization": f"Bearer {token}"},
                timeout=_TIMEOUT_SECONDS,
            )
        except requests.RequestException as error:
            problem = f"Log Analytics cannot be reached: {error}"
        else:
            if answer.status_code < _SERVER_ERROR and answer.status_code != _TOO_MANY:
                return answer
            problem = f"Log Analytics answered {answer.status_code}: {answer.text[:300]}"
            asked = answer.headers.get("Retry-After", "")
            wait = float(asked) if asked.isdecimal() else wait
        if attempt < _ATTEMPTS - 1:
            time.sleep(min(wait, _LONGEST_WAIT))
    raise NotObserved(f"{problem}", "try again")
