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

from tests.infra.resources import LOGIC_APP, LOGS, environment_of
from tests.infra.rollback import DEFINITION
from tools.bicep import Resource, Snapshot
from tools.worktree import ROOT

RULE = "Microsoft.Insights/scheduledQueryRules"
GROUP = "Microsoft.Insights/actionGroups"
FOLDER = ROOT / "template" / "observability"
CAP = ROOT / "template" / "infra" / "modules" / "log-cap.kql"
MOVES_TRAFFIC = "prod-later"
"""The deployment in which an alarm moves traffic back."""
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
    cap = f"log-cap-{slug}-{environment}"
    assert rules.keys() == {cap, *(f"alert-{slug}-{environment}-{each}" for each in ALERTS)}
    groups = {each.name: each.id for each in deployed.of(GROUP)}
    people = groups.pop(f"ag-{slug}-{environment}")
    back = [*groups.values()]
    assert len(back) == (name == MOVES_TRAFFIC)
    for rule in rules.values():
        said = rule.properties
        assert forbidden(rule) == []
        identities = rule.body.get("identity", {}).get("userAssignedIdentities", {})
        names = [identity.rpartition("/")[2] for identity in identities]
        assert names == [f"id-{slug}-{environment}-monitoring"]
        assert (said["enabled"], said["autoMitigate"], said["skipQueryValidation"]) == (True,) * 3
        assert said["scopes"] == [deployed.one(LOGS).id]
    for each, alert in ALERTS.items():
        said = rules[f"alert-{slug}-{environment}-{each}"].properties
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
        told = [people] if "notify" in alert.actions else []
        assert said["actions"] == {
            "actionGroups": told + (back if "rollback" in alert.actions else []),
            "customProperties": {"cause": each},
        }
    _check_cap(rules[cap].properties, people)


def _check_cap(said: dict[str, Any], people: str) -> None:
    """People are told, for as long as nothing comes, that the logs reached their daily cap."""
    (condition,) = said["criteria"]["allOf"]
    assert condition == {
        "query": CAP.read_text(encoding="utf-8"),
        "timeAggregation": "Count",
        "operator": "GreaterThan",
        "threshold": 0,
        "failingPeriods": {"numberOfEvaluationPeriods": 1, "minFailingPeriodsToAlert": 1},
    }
    assert (said["evaluationFrequency"], said["windowSize"], said["severity"]) == (
        "PT15M",
        "P1D",
        1,
    )
    assert said["actions"] == {"actionGroups": [people], "customProperties": {"cause": "log-cap"}}


def check_told(name: str, deployed: Snapshot, slug: str) -> None:
    """People are told by mail alone: no address that is a secret stands in what is deployed."""
    groups = {each.name: each for each in deployed.of(GROUP)}
    group = groups.pop(f"ag-{slug}-{environment_of(name)}")
    said = group.properties
    assert len(said["groupShortName"]) <= 12
    assert said.keys() == {"enabled", "groupShortName", "emailReceivers"}
    assert [each["emailAddress"] for each in said["emailReceivers"]] == ["data-science@example.com"]
    assert group.body["location"] == "global"
    text = json.dumps([each.body for each in deployed.resources])
    for word in ("hooks.slack", "powerautomate", "webhook.office", "routing_key", "sig="):
        assert word not in text, f"{name}: {word}"
    if name != MOVES_TRAFFIC:
        assert not groups
        return
    (back,) = groups.values()
    assert back.name == f"ag-{slug}-prod-rollback"
    assert back.body["location"] == "global"
    # the address is a secret, which Azure works out where it is needed, and nowhere else
    assert back.properties == {
        "enabled": True,
        "groupShortName": "mlops-back",
        "logicAppReceivers": [
            {
                "name": "rollback",
                "resourceId": deployed.one(LOGIC_APP).id,
                "callbackUrl": back.properties["logicAppReceivers"][0]["callbackUrl"],
                "useCommonAlertSchema": True,
            }
        ],
    }
    address = back.properties["logicAppReceivers"][0]["callbackUrl"]
    (trigger,) = json.loads(DEFINITION.read_text(encoding="utf-8"))["triggers"]
    assert address.startswith("[listCallbackUrl(")
    assert f"'{deployed.one(LOGIC_APP).id}/triggers/{trigger}'" in address
    assert text.count("listCallbackUrl") == 1


def _iso(span: str) -> str:
    number, unit = int(span[:-1]), span[-1]
    if unit == "h" and number % 24 == 0:
        return f"P{number // 24}D"
    return f"PT{number}{unit.upper()}"
