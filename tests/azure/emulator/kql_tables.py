"""Queries of Log Analytics: duckdb-kql translates one to SQL, which DuckDB runs on the rows.

The tables are AppEvents and, as far as a column is named there, AmlOnlineEndpointTrafficLog.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import duckdb_kql

from .state import Event

TABLE = "AppEvents"
TRAFFIC = "AmlOnlineEndpointTrafficLog"
_TRAFFIC_TEXTS = ("EndpointName", "DeploymentName", "Method", "Path", "XRequestId")
_TRAFFIC_NUMBERS = ("ResponseCode", "ModelStatusCode", "TotalDurationMs")
_KINDS = {"VARCHAR": "string", "BIGINT": "long", "DOUBLE": "real"}


def run(
    query: str, events: Sequence[Event], traffic: Sequence[Mapping[str, Any]]
) -> tuple[list[tuple[str, str]], list[list[Any]]]:
    """Return the columns of a query's answer, each with its type, and the rows.

    Raises:
        SyntaxError: the query is not understood.
    """
    with duckdb_kql.connect() as database:
        database.execute("SET threads = 1")
        database.execute("SET TimeZone = 'UTC'")
        database.execute(
            f"CREATE TABLE {TABLE} (TimeGenerated TIMESTAMP, Name VARCHAR, Properties JSON)"
        )
        if events:
            database.executemany(
                f"INSERT INTO {TABLE} VALUES (?, ?, ?)",
                [(_utc(time), name, json.dumps(given)) for time, name, given in events],
            )
        texts = ", ".join(f"{name} VARCHAR" for name in _TRAFFIC_TEXTS)
        numbers = ", ".join(f"{name} INTEGER" for name in _TRAFFIC_NUMBERS)
        database.execute(f"CREATE TABLE {TRAFFIC} (TimeGenerated TIMESTAMP, {texts}, {numbers})")
        if traffic:
            names = (*_TRAFFIC_TEXTS, *_TRAFFIC_NUMBERS)
            database.executemany(
                f"INSERT INTO {TRAFFIC} VALUES (?{', ?' * len(names)})",
                [(_utc(row["TimeGenerated"]), *(row[name] for name in names)) for row in traffic],
            )
        try:
            answer = database.sql(str(duckdb_kql.to_sql(query)))
        except Exception as error:
            raise SyntaxError(f"{type(error).__name__}: {error}") from error
        columns = [
            (name, _KINDS.get(str(kind), "datetime" if "TIMESTAMP" in str(kind) else "long"))
            for name, kind in zip(answer.columns, answer.types, strict=True)
        ]
        return columns, [[_json(value) for value in row] for row in answer.fetchall()]


def _utc(time: str) -> datetime:
    return datetime.fromisoformat(time).astimezone(UTC).replace(tzinfo=None)


def _json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat() + "Z"
    return int(value) if isinstance(value, Decimal) else value
