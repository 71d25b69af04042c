"""What Azure refuses in a rule is noticed: each limit with a rule that passes it."""

import copy
from dataclasses import replace
from typing import Any

import pytest

from tests.infra.alerts import RULE, forbidden
from tests.infra.project import SLUG
from tools.azure_deployments import committed
from tools.bicep import Resource

pytestmark = pytest.mark.fast
SOUND = committed("prod").one(RULE, f"alert-{SLUG}-prod-error-rate")
CONDITION = ("criteria", "allOf", 0)
DIMENSION = {"name": "a", "operator": "Include", "values": ["*"]}


def changed(path: tuple[Any, ...], **values: Any) -> Resource:
    """Return the sound rule with other properties at a place; None takes one away."""
    body = copy.deepcopy(SOUND.body)
    place = body["properties"]
    for part in path:
        place = place[part]
    for name, value in values.items():
        if value is None:
            del place[name]
        else:
            place[name] = value
    return replace(SOUND, body=body)


QUERY = SOUND.properties["criteria"]["allOf"][0]["query"]
FAULTS: dict[str, tuple[Resource, str]] = {
    "a name with a slash": (replace(SOUND, name="error/rate"), "its name"),
    "a name with a semicolon": (replace(SOUND, name="a;b"), "its name"),
    "a kind that there is not": (
        replace(SOUND, body=SOUND.body | {"kind": "LogAlerts"}),
        "its kind",
    ),
    "an identity without its id": (
        replace(SOUND, body=SOUND.body | {"identity": {"type": "UserAssigned"}}),
        "its identity",
    ),
    "severity 7": (changed((), severity=7), "its severity"),
    "every 7 minutes": (changed((), evaluationFrequency="PT7M"), "its frequency"),
    "every two days": (changed((), evaluationFrequency="P2D"), "its frequency"),
    "a window of 7 days": (changed((), windowSize="P7D"), "its window"),
    "a window of a minute": (changed((), windowSize="PT1M"), "its window"),
    "a frequency over its window": (
        changed((), evaluationFrequency="PT30M"),
        "a frequency longer than its window",
    ),
    "once a day, resolving itself": (
        changed((), evaluationFrequency="P1D", windowSize="P2D"),
        "resolving itself at such a frequency",
    ),
    "a pause of actions": (
        changed((), muteActionsDuration="PT1H"),
        "resolving itself and a pause of actions",
    ),
    "two scopes": (changed((), scopes=["a", "b"]), "several scopes"),
    "six action groups": (
        changed((), actions={"actionGroups": [*"abcdef"]}),
        "more than 5 action groups",
    ),
    "a long description": (changed((), description="x" * 4097), "its description"),
    "a large rule": (changed(CONDITION, query=QUERY + "// " + "x" * 65536), "its size"),
    "two conditions": (
        changed(("criteria",), allOf=2 * SOUND.properties["criteria"]["allOf"]),
        "several conditions",
    ),
    "an aggregation that there is not": (
        changed(CONDITION, timeAggregation="Max"),
        "its aggregation",
    ),
    "an operator that there is not": (changed(CONDITION, operator="Greater"), "its operator"),
    "a count of a column": (changed(CONDITION, timeAggregation="Count"), "its measure"),
    "no column": (changed(CONDITION, metricMeasureColumn=None), "its measure"),
    "a threshold as a text": (changed(CONDITION, threshold="0.05"), "its threshold"),
    "seven dimensions": (
        changed(CONDITION, dimensions=[DIMENSION | {"name": each} for each in "abcdefg"]),
        "its dimensions",
    ),
    "a dimension twice": (changed(CONDITION, dimensions=[DIMENSION] * 2), "its dimensions"),
    "a dimension compared": (
        changed(CONDITION, dimensions=[DIMENSION | {"operator": "Equals"}]),
        "the operator of a dimension",
    ),
    "9 of 2 periods": (
        changed(
            CONDITION,
            failingPeriods={"numberOfEvaluationPeriods": 2, "minFailingPeriodsToAlert": 9},
        ),
        "its failing periods",
    ),
    "periods without a time": (
        changed(
            CONDITION,
            failingPeriods={"numberOfEvaluationPeriods": 2, "minFailingPeriodsToAlert": 2},
        ),
        "failing periods without a time",
    ),
    "a union": (changed(CONDITION, query="union AppEvents, AppTraces"), "union"),
    "rows taken": (changed(CONDITION, query=f"{QUERY}| take 5"), "take or limit"),
    "a count at the end": (changed(CONDITION, query=f"{QUERY}| count"), "count at the end"),
    "a time of its own": (
        changed(CONDITION, query=f"let day = 1d;\n{QUERY}| where TimeGenerated > ago(day)"),
        "ago() of anything but a literal",
    ),
}


def test_what_is_deployed_is_none_of_it() -> None:
    assert forbidden(SOUND) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_what_azure_refuses_is_noticed(fault: str) -> None:
    rule, what = FAULTS[fault]
    assert what in forbidden(rule)
