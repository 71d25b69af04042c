"""The rules of Azure Monitor: the text is the file's, and nothing is in them that Azure refuses.

Neither Microsoft's compiler nor its parser of KQL knows these limits: they are from the documents
of Azure Monitor, its API's description and what Azure answers (alerts-create-log-alert-rule.md,
azure-monitor-limits-alerts.md, Azure/azure-rest-api-specs, Terraform's provider).
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from mlops.monitoring.rules.deny import denied
from mlops.monitoring.rules.reading import parse_alerts

from tests.infra.resources import LOGS, environment_of
from tools.bicep import Resource, Snapshot
from tools.worktree import ROOT

RULE = "Microsoft.Insights/scheduledQueryRules"
GROUP = "Microsoft.Insights/actionGroups"
FOLDER = ROOT / "template" / "observability"
ALERTS = {
    each.id: each
    for each in parse_alerts((FOLDER / "alerts.yaml").read_text(encoding="utf-8"), "alerts.yaml")
}
LIMITS = {"latency": 500, "error-rate": 0.05, "drift": 1, "performance": 1.0}
SEVERITIES = {"critical": 0, "error": 1, "warning": 2, "info": 3}

MINUTES = {
    **{f"PT{n}M": n for n in (1, 5, 10, 15, 30, 45)},
    **{f"PT{n}H": 60 * n for n in (1, 2, 3, 4, 5, 6)},
    "P1D": 1440,
    "P2D": 2880,
}
FREQUENCIES = {*MINUTES} - {"P2D"}
AGGREGATIONS = {"Count", "Average", "Minimum", "Maximum", "Total"}
OPERATORS = {
    *("Equals", "GreaterThan", "GreaterThanOrEqual", "LessThan", "LessThanOrEqual"),
    "GreaterOrLessThan",
}


def forbidden(rule: Resource) -> list[str]:
    """Return what of a rule Azure refuses, in the order in which one looks."""
    return [*_of_the_rule(rule), *_of_its_condition(rule.properties)]


def _of_the_rule(rule: Resource) -> Iterator[str]:
    said = rule.properties
    if not re.fullmatch(r"[^#<>%&:\\?/{}*;]{1,260}", rule.name):
        yield "its name"
    if rule.body.get("kind") not in ("LogAlert", "SimpleLogAlert", "EventLogAlert", "LogToMetric"):
        yield "its kind"
    identity = rule.body.get("identity", {})
    if (identity.get("type") == "UserAssigned") != bool(identity.get("userAssignedIdentities")):
        yield "its identity"
    if said["severity"] not in range(5) or isinstance(said["severity"], bool):
        yield "its severity"
    every, window = said["evaluationFrequency"], said["windowSize"]
    if every not in FREQUENCIES:
        yield "its frequency"
    if window not in MINUTES or (window == "PT1M" and every != "PT1M"):
        yield "its window"
    if MINUTES.get(every, 0) > MINUTES.get(window, 0):
        yield "a frequency longer than its window"
    if said.get("autoMitigate", True) and said.get("muteActionsDuration"):
        yield "resolving itself and a pause of actions"
    if said.get("autoMitigate", True) and MINUTES.get(every, 0) > 720:
        yield "resolving itself at such a frequency"
    if len(said["scopes"]) != 1:
        yield "several scopes"
    if len(said["actions"].get("actionGroups", [])) > 5:
        yield "more than 5 action groups"
    if len(said.get("description", "")) > 4096:
        yield "its description"
    if len(json.dumps(said)) > 64 * 1024:
        yield "its size"


def _of_its_condition(said: dict[str, Any]) -> Iterator[str]:
    conditions = said["criteria"]["allOf"]
    if len(conditions) != 1:
        yield "several conditions"
    for each in conditions:
        yield from denied(each["query"])
        if each["timeAggregation"] not in AGGREGATIONS:
            yield "its aggregation"
        if each["operator"] not in OPERATORS:
            yield "its operator"
        if (each["timeAggregation"] == "Count") == ("metricMeasureColumn" in each):
            yield "its measure"
        if not isinstance(each["threshold"], int | float) or isinstance(each["threshold"], bool):
            yield "its threshold"
        dimensions = each.get("dimensions", [])
        if len(dimensions) > 6 or len({every["name"] for every in dimensions}) < len(dimensions):
            yield "its dimensions"
        if any(every["operator"] not in ("Include", "Exclude") for every in dimensions):
            yield "the operator of a dimension"
        periods = each.get("failingPeriods", {})
        of = periods.get("numberOfEvaluationPeriods", 1)
        if not 1 <= periods.get("minFailingPeriodsToAlert", 1) <= of <= 6:
            yield "its failing periods"
        if of > 1 and "TimeGenerated" not in each["query"].rpartition("| project")[2]:
            yield "failing periods without a time"


def check_alerts(name: str, deployed: Snapshot, slug: str) -> None:
    """Each alert has its rule: the file's own text, the limits of conf, an identity that reads."""
    environment = environment_of(name)
    rules = {rule.name: rule for rule in deployed.of(RULE)}
    assert rules.keys() == {f"alert-{slug}-{environment}-{each}" for each in ALERTS}
    (group,) = deployed.of(GROUP)
    for each, alert in ALERTS.items():
        rule = rules[f"alert-{slug}-{environment}-{each}"]
        said = rule.properties
        assert forbidden(rule) == []
        (identity,) = rule.body["identity"]["userAssignedIdentities"]
        assert identity.endswith(f"/id-{slug}-{environment}-monitoring")
        text = (FOLDER / "alerts" / f"{each}.kql").read_text(encoding="utf-8")
        (condition,) = said["criteria"]["allOf"]
        assert text.endswith(condition["query"])
        head = text.removesuffix(condition["query"]).splitlines()
        assert all(line.startswith("//") for line in head)
        assert condition["metricMeasureColumn"] == alert.rule.measure
        assert condition["threshold"] == LIMITS[each]
        assert [every["name"] for every in condition["dimensions"]] == list(alert.by)
        assert all(every["values"] == ["*"] for every in condition["dimensions"])
        assert MINUTES[said["windowSize"]] == MINUTES[_iso(alert.window)]
        assert MINUTES[said["evaluationFrequency"]] == MINUTES[_iso(alert.every)]
        assert said["severity"] == SEVERITIES[alert.severity]
        assert (said["enabled"], said["autoMitigate"], said["skipQueryValidation"]) == (True,) * 3
        assert said["scopes"] == [deployed.one(LOGS).id]
        assert said["actions"] == {
            "actionGroups": [group.id] if "notify" in alert.actions else [],
            "customProperties": {"cause": each},
        }


def check_told(name: str, deployed: Snapshot, slug: str) -> None:
    """People are told by mail alone: no address that is a secret stands in what is deployed."""
    (group,) = deployed.of(GROUP)
    said = group.properties
    assert len(said["groupShortName"]) <= 12
    assert said.keys() == {"enabled", "groupShortName", "emailReceivers"}
    assert [each["emailAddress"] for each in said["emailReceivers"]] == ["data-science@example.com"]
    assert group.body["location"] == "global"
    text = json.dumps([each.body for each in deployed.resources])
    for word in ("hooks.slack", "powerautomate", "webhook.office", "routing_key", "sig="):
        assert word not in text, f"{name}: {word}"


def _iso(span: str) -> str:
    number, unit = int(span[:-1]), span[-1]
    if unit == "h" and number % 24 == 0:
        return f"P{number // 24}D"
    return f"PT{number}{unit.upper()}"
