"""Log Analytics: the log of the endpoints' front, and the events that were sent.

A query of the log may filter, name columns, order and limit; one of events, or one that computes
columns, may be anything that kql_tables.py understands.
"""

import operator
import re
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import kql_tables
from .errors import AzureError
from .state import State

TABLE = "AmlOnlineEndpointTrafficLog"
TYPES = {
    "TimeGenerated": "datetime",
    "ResponseCode": "int",
    "ModelStatusCode": "int",
    "TotalDurationMs": "int",
    "RequestDurationMs": "int",
    "ResponseDurationMs": "int",
}
COLUMNS = (
    *TYPES,
    "AuthType",
    "AzureMLWorkspaceName",
    "DeploymentName",
    "EndpointName",
    "Location",
    "Method",
    "ModelStatusReason",
    "OperationName",
    "Path",
    "ResponseCodeReason",
    "UserAgent",
    "XMSClientRequestId",
    "XRequestId",
    "_ResourceId",
)

Row = dict[str, Any]
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=~": lambda a, b: str(a).lower() == str(b).lower(),
    "startswith": lambda a, b: str(a).lower().startswith(str(b).lower()),
    "!startswith": lambda a, b: not str(a).lower().startswith(str(b).lower()),
    "contains": lambda a, b: str(b).lower() in str(a).lower(),
    "!contains": lambda a, b: str(b).lower() not in str(a).lower(),
}
_CONDITION = re.compile(
    r"(\w+)\s*(==|!=|=~|>=|<=|>|<|!?startswith|!?contains)\s*(.+)", re.IGNORECASE
)


class LogAnalytics:
    """One workspace."""

    def __init__(self, state: State, workspace: str) -> None:
        self._state = state
        self._workspace = workspace

    def routes(self) -> list[Route]:
        """Return the routes of Log Analytics."""
        return [Route("/v1/workspaces/{workspace}/query", self._query, methods=["POST"])]

    async def _query(self, request: Request) -> Response:
        if request.path_params["workspace"] != self._workspace:
            raise AzureError(404, "WorkspaceNotFoundError", "The workspace could not be found.")
        query = (await request.json())["query"]
        now = time.time()
        rows = [dict(row.columns) for row in self._state.traffic_log if row.visible_at <= now]
        if query.lstrip().startswith(kql_tables.TABLE) or "| extend " in query:
            return self._answer(*self._by_duckdb(query, rows))
        try:
            columns, rows = run(query, rows)
        except SyntaxError as error:
            raise self._not_understood(error) from error
        typed = [(name, TYPES.get(name, "string")) for name in columns]
        return self._answer(typed, [[row[name] for name in columns] for row in rows])

    def _by_duckdb(
        self, query: str, traffic: list[Row]
    ) -> tuple[list[tuple[str, str]], list[list[Any]]]:
        events = list(self._state.events)
        for table, rows in ((kql_tables.TABLE, events), (kql_tables.TRAFFIC, traffic)):
            if query.lstrip().startswith(table) and not rows:
                # as Azure does before the first row has come
                said = f"'where' operator: Failed to resolve table '{table}'"
                raise AzureError(400, "BadArgumentError", f"SEM0100: {said}")
        try:
            return kql_tables.run(query, events, traffic)
        except SyntaxError as error:
            raise self._not_understood(error) from error

    def _not_understood(self, error: SyntaxError) -> AzureError:
        self._state.client_faults.append(f"Log Analytics: {error}")
        return AzureError(400, "BadArgumentError", f"The query is not understood: {error}")

    def _answer(self, columns: list[tuple[str, str]], rows: list[list[Any]]) -> Response:
        named = [{"name": name, "type": kind} for name, kind in columns]
        return JSONResponse({"tables": [{"name": "PrimaryResult", "columns": named, "rows": rows}]})


def run(query: str, rows: Iterable[Row]) -> tuple[list[str], list[Row]]:
    """Run a query on rows; return the columns that are left, and the rows.

    Raises:
        SyntaxError: it holds something that is not understood here.
    """
    table, *stages = (part.strip() for part in re.split(r"\s*\|\s*", query.strip()))
    if table != TABLE:
        raise SyntaxError(f"the only table is {TABLE}, not {table!r}")
    columns, found = list(COLUMNS), list(rows)
    for stage in stages:
        verb, _, rest = stage.partition(" ")
        if verb == "where":
            for condition in re.split(r"\s+and\s+", rest.strip()):
                holds = _condition(condition, columns)
                found = [row for row in found if holds(row)]
        elif verb == "project":
            columns = [_known(name.strip(), columns) for name in rest.split(",")]
        elif verb in ("order", "sort"):
            found = _sorted(rest, columns, found)
        elif verb in ("take", "limit"):
            found = found[: int(rest)]
        else:
            raise SyntaxError(f"{verb!r} is not emulated")
    return columns, found


def _condition(text: str, columns: list[str]) -> Callable[[Row], bool]:
    found = _CONDITION.fullmatch(text.strip())
    if found is None:
        raise SyntaxError(f"the condition {text!r} is not emulated")
    name, compare = _known(found[1], columns), _OPERATORS[found[2].lower()]
    wanted = _literal(found[3].strip())

    def holds(row: Row) -> bool:
        value = _time(row[name]) if isinstance(wanted, datetime) else row[name]
        return compare(value, wanted)

    return holds


def _sorted(text: str, columns: list[str], rows: list[Row]) -> list[Row]:
    for key in reversed(text.strip().removeprefix("by").split(",")):
        name, _, direction = key.strip().partition(" ")
        # as in Kusto, the largest first unless something else is said
        by = operator.itemgetter(_known(name, columns))
        rows = sorted(rows, key=by, reverse=direction.strip() != "asc")
    return rows


def _known(name: str, columns: list[str]) -> str:
    if name not in columns:
        raise SyntaxError(f"there is no column {name!r}")
    return name


def _literal(text: str) -> Any:
    if found := re.fullmatch(r"(['\"])(.*)\1", text):
        return found[2]
    if found := re.fullmatch(r"datetime\((.+)\)", text):
        return _time(found[1].strip("'\" "))
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    raise SyntaxError(f"the value {text!r} is not emulated")


def _time(text: str) -> datetime:
    found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return found if found.tzinfo else found.replace(tzinfo=UTC)
