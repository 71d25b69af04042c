"""What infra/ makes rules of Azure Monitor of: one a log search, as `scheduledQueryRules` has it.

A metric of Azure's own would be minutes faster, but none says the same: what it has is the mean of
each minute's percentile as callers wait, and no rate, and neither has a least count.
"""

from collections.abc import Sequence
from typing import Any

from mlops.monitoring.rules.alerts import Alert, Severity
from mlops.monitoring.rules.kql import to_rule
from mlops.settings.monitoring_sections import AlertSettings
from mlops.window import span_of

_SEVERITIES: dict[Severity, int] = {"critical": 0, "error": 1, "warning": 2, "info": 3}
_OPERATORS = {
    ">": ("GreaterThan", "Maximum"),
    ">=": ("GreaterThanOrEqual", "Maximum"),
    "<": ("LessThan", "Minimum"),
    "<=": ("LessThanOrEqual", "Minimum"),
}
"""Azure's word for a comparison, and how it joins the one row that a group has."""
_DEFAULTS = AlertSettings()


def azure_rules(alerts: Sequence[Alert]) -> dict[str, Any]:
    """Return what a rule needs of each alert; its limit is that of conf/, else `default`."""
    return {"rules": [_rule(alert) for alert in alerts]}


def _rule(alert: Alert) -> dict[str, Any]:
    operator, aggregation = _OPERATORS[alert.rule.operator]
    return {
        "id": alert.id,
        "title": alert.title,
        "tells": alert.tells,
        "severity": _SEVERITIES[alert.severity],
        "query": to_rule(alert),
        "measure": alert.rule.measure,
        "operator": operator,
        "aggregation": aggregation,
        "setting": alert.setting,
        "default": str(getattr(_DEFAULTS, alert.setting)),
        "every": _duration(alert.every),
        "window": _duration(alert.window),
        "dimensions": list(alert.by),
        "actions": list(alert.actions),
    }


def _duration(text: str) -> str:
    """Return a span in ISO 8601, as Azure spells it."""
    minutes = int(span_of(text).total_seconds()) // 60
    for length, form in ((1440, "P{}D"), (60, "PT{}H")):
        if minutes % length == 0:
            return form.format(minutes // length)
    return f"PT{minutes}M"
