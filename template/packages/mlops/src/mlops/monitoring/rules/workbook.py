"""A workbook of Azure Monitor, from queries.

Its form is that of Microsoft's own workbooks (`workbooks-automate.md` of Azure Monitor's documents,
and its gallery); a text in braces would be taken for a parameter, so none is let in.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from mlops.hints import typed
from mlops.monitoring.rules.kql import to_kql, to_series
from mlops.monitoring.rules.shapes import Query
from mlops.window import span

_LOGS = 0
_SIZE_MEDIUM = 0
_VISUALIZATIONS = {"lines": "linechart", "areas": "areachart", "bars": "barchart", "table": "table"}


def workbook(queries: Sequence[Query]) -> dict[str, Any]:
    """Return what a workbook holds, but for the workspace whose logs it shows.

    Args:
        queries: what it shows, in this order.
    """
    head = {
        "type": 1,
        "name": "about",
        "content": {
            "json": "The charts of `observability/queries.yaml`, made by "
            f"{typed('observability write')}: change that file, not this workbook."
        },
    }
    return {
        "version": "Notebook/1.0",
        "items": [head, *(item for query in queries for item in _items(query))],
        "isLocked": False,
    }


def _items(query: Query) -> Iterable[dict[str, Any]]:
    yield {
        "type": 1,
        "name": f"{query.id}-text",
        "content": {"json": f"### {query.title}\n{query.tells}"},
    }
    drawn = query.chart.kind != "table"
    over_time = query.chart.kind in ("lines", "areas")
    settings: dict[str, Any] = {}
    if drawn:
        settings = {"chartSettings": {"yAxis": list(query.chart.show)}}
        settings["chartSettings"] |= (
            {"xAxis": "TimeGenerated", "group": "series"} if over_time else {}
        )
    yield {
        "type": 3,
        "name": query.id,
        "content": {
            "version": "KqlItem/1.0",
            "query": to_series(query) if over_time else to_kql(query, "outside"),
            "size": _SIZE_MEDIUM,
            "title": f"{query.title}, {query.window}",
            "timeContext": {"durationMs": span(query.window) // timedelta(milliseconds=1)},
            "queryType": _LOGS,
            "resourceType": "microsoft.operationalinsights/workspaces",
            "visualization": _VISUALIZATIONS[query.chart.kind],
            **settings,
        },
    }
