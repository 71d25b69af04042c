"""What queries may read of each source of events, and as what: the one table of names and types.

In Azure Monitor every property of an event is a text. Here stands what it is in truth, which is
what queries cast it to.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

SourceName = Literal["prediction", "drift", "performance", "decision", "traffic"]

EVENTS = "AppEvents"
TIME = "TimeGenerated"


class Kind(Enum):
    """What a property is."""

    TEXT = "text"
    WHOLE = "whole number"
    NUMBER = "number"


@dataclass(frozen=True)
class Source:
    """Where the events of one kind are in Azure Monitor.

    Attributes:
        properties: what an event has, besides its time.
        table: the table, as a Log Analytics workspace has it.
        event: the events' `Name` in that table; empty where the whole table is meant.
        columns: the table's column of a property; those without one are in `Properties`.
    """

    properties: Mapping[str, Kind]
    table: str = EVENTS
    event: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)


_SERVED = {
    "endpoint": Kind.TEXT,
    "deployment": Kind.TEXT,
    "model_name": Kind.TEXT,
    "model_version": Kind.WHOLE,
}
_CHECKED = {
    **_SERVED,
    "environment": Kind.TEXT,
    "outcome": Kind.TEXT,
    "window_start": Kind.TEXT,
    "window_end": Kind.TEXT,
    "rows": Kind.WHOLE,
}

SOURCES: Mapping[SourceName, Source] = {
    "prediction": Source(
        event="prediction",
        properties={
            "inference_id": Kind.TEXT,
            "key": Kind.TEXT,
            "source": Kind.TEXT,
            **_SERVED,
            "latency_ms": Kind.NUMBER,
            "status": Kind.WHOLE,
            "error_type": Kind.TEXT,
            "prediction": Kind.TEXT,
            "value": Kind.NUMBER,
            "row": Kind.WHOLE,
        },
    ),
    "drift": Source(
        event="drift",
        properties={
            **_CHECKED,
            "drifted_columns": Kind.WHOLE,
            "columns": Kind.WHOLE,
            "column": Kind.TEXT,
            "kind": Kind.TEXT,
            "psi": Kind.NUMBER,
            "jensen_shannon": Kind.NUMBER,
            "wasserstein": Kind.NUMBER,
            "missing": Kind.NUMBER,
            "missing_baseline": Kind.NUMBER,
            "p_value": Kind.NUMBER,
        },
    ),
    "performance": Source(
        event="performance",
        properties={
            **_CHECKED,
            "slice": Kind.TEXT,
            "metric": Kind.TEXT,
            "value": Kind.NUMBER,
            "limit": Kind.NUMBER,
            "labelled": Kind.WHOLE,
            "coverage": Kind.NUMBER,
            "kind": Kind.TEXT,
        },
    ),
    "decision": Source(
        event="decision",
        properties={
            **_SERVED,
            "environment": Kind.TEXT,
            "kind": Kind.TEXT,
            "cause": Kind.TEXT,
            "outcome": Kind.TEXT,
            "reason": Kind.TEXT,
            "subject": Kind.TEXT,
            "value": Kind.NUMBER,
            "limit": Kind.NUMBER,
        },
    ),
    "traffic": Source(
        table="AmlOnlineEndpointTrafficLog",
        properties={
            "endpoint": Kind.TEXT,
            "deployment": Kind.TEXT,
            "status": Kind.WHOLE,
            "model_status": Kind.WHOLE,
            "total_ms": Kind.WHOLE,
            "method": Kind.TEXT,
            "path": Kind.TEXT,
        },
        columns={
            "endpoint": "EndpointName",
            "deployment": "DeploymentName",
            "status": "ResponseCode",
            "model_status": "ModelStatusCode",
            "total_ms": "TotalDurationMs",
            "method": "Method",
            "path": "Path",
        },
    ),
}
"""`traffic` is what Azure's front end logged of each request; nothing on this machine has it."""
