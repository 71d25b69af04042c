"""What a file of alerts may say: a query each, when its answer is an alarm, what follows."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import override

from mlops.monitoring.event_properties import SOURCES, SourceName
from mlops.monitoring.rules.shapes import Chart, Query, Threshold
from mlops.window import span_of

Severity = Literal["critical", "error", "warning", "info"]
Action = Literal["notify", "incident", "rollback", "retrain"]
Every = Literal["5m", "10m", "15m", "30m", "1h"]

SECTION = "alerts."
"""The settings that may be an alert's limit, which infra/ reads in conf/, too."""
GROUPS: dict[str, tuple[str, ...]] = {
    "rollback": ("endpoint", "model_version"),
    "retrain": ("endpoint", "model_version"),
}
"""What must tell the groups of an alert apart, so that an action knows what it is about."""
CHECKED: frozenset[SourceName] = frozenset({"drift", "performance"})
"""The sources that hold what checks found: `monitor.yml` makes one an hour."""
LEAST_OF_CHECKS = "2h"
"""The shortest window of an alert on checks.

Each look reads the check of the look before, as a new one reaches Azure minutes late: it is an hour
old and somewhat more, since schedules are late, too.
"""
_TABLE = Chart(kind="table")


class Alert(Query):
    """One alert.

    Attributes:
        severity: how bad it is.
        every: how often Azure looks.
        rule: when it is an alarm.
        actions: what follows, besides what people do.
    """

    severity: Severity
    every: Every
    rule: Threshold
    actions: tuple[Action, ...] = Field(default=("notify",), strict=False)
    chart: Chart = _TABLE

    @override
    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield what does not fit together: the field, and what is wrong."""
        yield from super().problems()
        if self.chart != _TABLE:
            yield "chart", "an alert has none"
        limit = self.rule.threshold
        if not limit.startswith(SECTION) or limit.count(".") > 1:
            yield "rule.threshold", f"{limit} is not in the section alerts of the settings"
        if span_of(self.every) > span_of(self.window):
            yield "every", "is longer than the window"
        if self.source in CHECKED and span_of(self.window) < span_of(LEAST_OF_CHECKS):
            yield "window", f"checks come by the hour and late: it is at least {LEAST_OF_CHECKS}"
        if len({*self.actions}) < len(self.actions):
            yield "actions", "an action stands twice"
        for action in self.actions:
            lacking = [each for each in GROUPS.get(action, ()) if each not in self.by]
            if lacking:
                yield "by", f"{action} needs {', '.join(lacking)} there: of what version is it?"
        if "endpoint" not in self.by and "endpoint" in SOURCES[self.source].properties:
            yield "by", "lacks endpoint: one workspace of Azure Monitor may hold several"

    @property
    def setting(self) -> str:
        """The name of its limit in the section of alerts."""
        return self.rule.threshold.removeprefix(SECTION)


class AlertContent(BaseModel):
    """What the whole file holds."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)
    KEY: ClassVar[str] = "alerts"
    PAGE: ClassVar[str] = "docs/alerts.md"

    schema_: Literal[1] = Field(alias="schema")
    alerts: tuple[Alert, ...] = Field(strict=False)

    @property
    def all(self) -> tuple[Alert, ...]:
        """What it lists."""
        return self.alerts
