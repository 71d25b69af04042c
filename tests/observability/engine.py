"""KQL executed: duckdb-kql translates it to SQL, which DuckDB runs on tables as Azure Monitor's."""

import math
import random
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import duckdb_kql
import polars as pl
from mlops.monitoring.event_properties import EVENTS, SOURCES, TIME, SourceName

from tests.observability.events import Row, as_table

_TRAFFIC = SOURCES["traffic"]
_TEXTS = ("EndpointName", "DeploymentName", "Method", "Path")


class Engine:
    """Tables with rows, and what a query answers of them.

    Args:
        rows: the events of each source.
        seed: decides how what is missing is written.
    """

    def __init__(self, rows: Mapping[SourceName, list[Row]], seed: int = 0) -> None:
        self._database = duckdb_kql.connect()
        self._database.execute("SET threads = 1")
        self._database.execute(
            f"CREATE TABLE {EVENTS} ({TIME} TIMESTAMP, Name VARCHAR, Properties JSON)"
        )
        columns = [
            f"{name} {'VARCHAR' if name in _TEXTS else 'INTEGER'}"
            for name in _TRAFFIC.columns.values()
        ]
        self._database.execute(
            f"CREATE TABLE {_TRAFFIC.table} ({TIME} TIMESTAMP, {', '.join(columns)})"
        )
        chance = random.Random(seed)
        for source, events in rows.items():
            self._insert(SOURCES[source].table, as_table(source, events, chance))

    def answer(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query's answer, in their order."""
        return [plain(row) for row in self._database.sql(sql).fetchall()]

    def _insert(self, table: str, rows: list[tuple[Any, ...]]) -> None:
        if rows:
            one = f"({', '.join('?' * len(rows[0]))})"
            values = [value for row in rows for value in row]
            self._database.execute(
                f"INSERT INTO {table} VALUES {', '.join([one] * len(rows))}", values
            )


def sql_of(kql: str) -> str:
    """Return a query as SQL."""
    return str(duckdb_kql.to_sql(kql))


def here(answer: pl.DataFrame) -> list[tuple[Any, ...]]:
    """Return the rows of an answer of the machinery, in their order."""
    return [plain(row) for row in answer.rows()]


def plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a row to be compared: 10 digits of a number, NaN as null, times without their zone."""
    return tuple(_plain(each) for each in row)


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return None if math.isnan(value) else float(f"{value:.10g}")
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value
