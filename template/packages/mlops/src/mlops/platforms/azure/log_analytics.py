"""Asking a Log Analytics workspace by its API: a query in KQL, answered by rows."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import requests

from mlops.errors import ConfigError, PlatformError
from mlops.platforms.base import NotObserved

API = "https://api.loganalytics.azure.com/v1/workspaces/{workspace}/query"
SCOPE = "https://api.loganalytics.io/.default"
TIME = "TimeGenerated"
_NO_SUCH_TABLE = "SEM0100"
"""Azure's number for a name that it cannot resolve."""
_TOO_MANY, _SERVER_ERROR = 429, 500
_TIMEOUT_SECONDS = 60.0
_ATTEMPTS = 4
_LONGEST_WAIT = 60.0
_PAGE_ROWS = 30_000

Row = Mapping[str, Any]


@dataclass(frozen=True)
class LogTable:
    """A table of the workspace.

    Attributes:
        name: its name.
        holds: what is in it, as a message calls it.
        comes: what has to be so that rows come.
        may_lack: whether it may not be there yet: it has no rows then.
    """

    name: str
    holds: str
    comes: str
    may_lack: bool = False


class TooMuch(NotObserved):
    """The answer is larger than Log Analytics gives at once."""


def query(
    session: requests.Session, token: str, workspace: str, text: str, table: LogTable
) -> list[dict[str, Any]]:
    """Return the rows that a query finds; what may pass by itself is asked again a few times.

    Raises:
        ConfigError: the workspace does not exist or may not be read.
        NotObserved: Log Analytics does not answer.
        TooMuch: it answers a part of the rows only.
        PlatformError: it answers something else than rows.
    """
    answer = _answer(session, token, workspace, text)
    if answer.status_code in (401, 403):
        raise ConfigError(
            f"{table.holds} may not be read",
            "give who runs this the role Log Analytics Reader on the Log Analytics workspace "
            f"{workspace}",
        )
    if answer.status_code in (400, 404):
        if table.may_lack and _NO_SUCH_TABLE in answer.text and table.name in answer.text:
            return []
        raise ConfigError(
            f"Log Analytics does not answer the query for {table.name} ({answer.text[:300]})",
            f"check azure.log_analytics_workspace_id, and that {table.comes}",
        )
    if answer.status_code != requests.codes.ok:
        raise PlatformError(
            f"Log Analytics answered {answer.status_code}: {answer.text[:300]}", "try again"
        )
    content = answer.json()
    rows = rows_of(content)
    if "error" in content:
        raise TooMuch(f"Log Analytics answers a part of {table.holds} only", "take a shorter time")
    return rows


def pages(
    ask: Callable[[str], list[dict[str, Any]]],
    text: Callable[[datetime, int], str],
    start: datetime,
    size: int = _PAGE_ROWS,
) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of a query, so many at a time, in the order of time.

    Rows of the moment in which a page ends come again in the next one.

    Args:
        ask: returns the rows of a query.
        text: returns the query for the first so many rows from a time on, in the order of time.
        start: from when on.
        size: how many rows at a time.

    Raises:
        NotObserved: more rows are of one moment, or one row is larger, than is answered at once.
    """
    since = start
    while True:
        try:
            rows = ask(text(since, size))
        except TooMuch:
            if size == 1:
                raise
            size = max(1, size // 4)
            continue
        yield rows
        if len(rows) < size:
            return
        newest = parse_time(str(rows[-1][TIME]))
        if newest <= since:
            raise NotObserved(
                f"more than {size:,} rows of Log Analytics are of one moment, {newest.isoformat()}"
            )
        since = newest


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


def parse_time(text: str) -> datetime:
    """Return a time of the log: UTC, with up to seven digits of a second."""
    return datetime.fromisoformat(text)


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
