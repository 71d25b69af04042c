"""Alerts are read whole; what is wrong is named, and what Azure needs of them follows."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from fakes.places import PROJECT
from fakes.queries import PLAIN
from mlops.errors import ConfigError
from mlops.monitoring.rules.alerts import Alert
from mlops.monitoring.rules.azure_rules import azure_rules
from mlops.monitoring.rules.generated import ALERT_RULES, ALERTS_MODULE, generated
from mlops.monitoring.rules.kql import to_rule
from mlops.monitoring.rules.reading import parse_alerts, read_alerts

SLOW: dict[str, Any] = {
    **{name: value for name, value in PLAIN.items() if name != "chart"},
    "by": ["endpoint", "deployment", "model_version"],
    "window": "10m",
    "every": "5m",
    "severity": "critical",
    "rule": {"measure": "p95", "operator": ">", "threshold": "alerts.latency_ms"},
    "actions": ["notify", "rollback"],
}


def read(**changes: Any) -> Alert:
    content = {"schema": 1, "alerts": [{**SLOW, **changes}]}
    (found,) = parse_alerts(yaml.safe_dump(content), "alerts.yaml")
    return found


def test_an_alert_is_read() -> None:
    found = read()
    assert (found.severity, found.every, found.setting) == ("critical", "5m", "latency_ms")
    assert found.actions == ("notify", "rollback")


@pytest.mark.parametrize(
    ("changes", "place", "message"),
    [
        ({"severity": "bad"}, "severity", "Input should be 'critical'"),
        ({"severity": None}, "severity", "Input should be"),
        ({"rule": None}, "rule", "valid dictionary"),
        ({"actions": ["page"]}, "actions.0", "Input should be 'notify'"),
        ({"actions": ["notify", "notify"]}, "actions", "stands twice"),
        ({"every": "15m"}, "every", "longer than the window"),
        ({"every": "1m"}, "every", "Input should be '5m'"),
        ({"by": ["endpoint"]}, "by", "rollback needs model_version"),
        ({"by": ["model_version"], "actions": ["notify"]}, "by", "lacks endpoint"),
        ({"window": "20m"}, "window", "a rule can have 5m"),
        ({"bucket": "5m"}, "bucket", "judges its window as a whole"),
        ({"chart": {"kind": "bars", "show": ["n"]}}, "chart", "an alert has none"),
        (
            {"rule": {**SLOW["rule"], "threshold": "drift.psi"}},
            "rule.threshold",
            "not in the section alerts",
        ),
        (
            {"rule": {**SLOW["rule"], "threshold": "alerts.latency"}},
            "rule.threshold",
            "no setting that holds a number",
        ),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], place: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(**changes)
    assert f"alerts.yaml: latency, {place}" in error.value.message.replace(" | latency", "latency")
    assert message in error.value.message
    assert "docs/alerts.md" in error.value.remedy


@pytest.mark.parametrize(("source", "value"), [("drift", "psi"), ("performance", "value")])
def test_a_check_of_the_look_before_is_seen(source: str, value: str) -> None:
    """Checks are made by the hour and reach Azure late: a window of an hour may hold none."""
    of_checks = {
        "source": source,
        "by": ["endpoint", "model_version"],
        "where": [],
        "measures": {"p95": {"kind": "max", "of": value}},
        "actions": ["notify"],
    }
    with pytest.raises(ConfigError, match="latency, window: checks come by the hour and late"):
        read(**of_checks, window="1h")
    assert read(**of_checks, window="2h").window == "2h"
    assert read(window="1h").window == "1h"


def test_azure_is_told_in_its_own_words() -> None:
    (rule,) = azure_rules([read(rule={**SLOW["rule"], "operator": "<="}, window="24h")])["rules"]
    assert (rule["severity"], rule["every"], rule["window"]) == (0, "PT5M", "P1D")
    assert (rule["operator"], rule["aggregation"]) == ("LessThanOrEqual", "Minimum")
    assert (rule["setting"], rule["default"]) == ("latency_ms", "500.0")
    assert rule["query"] == to_rule(read(window="24h"))
    assert rule["dimensions"] == ["endpoint", "deployment", "model_version"]


def test_rules_are_made_where_infra_deploys_them(tmp_path: Path) -> None:
    (tmp_path / "observability").mkdir()
    for name, key in (("queries", "queries"), ("alerts", "alerts")):
        items = [SLOW] if name == "alerts" else []
        text = yaml.safe_dump({"schema": 1, key: items})
        (tmp_path / "observability" / f"{name}.yaml").write_text(text, encoding="utf-8")
    assert list(generated(tmp_path)) == ["observability/alerts/latency.kql"]
    module = tmp_path / ALERTS_MODULE
    module.parent.mkdir(parents=True)
    module.touch()
    assert ALERT_RULES in generated(tmp_path)


def test_the_four_of_a_project_say_what_is_asked_of_them() -> None:
    found = {each.id: each for each in read_alerts(PROJECT)}
    told = {
        name: (each.window, each.rule.measure, each.rule.operator, each.setting)
        for name, each in found.items()
    }
    assert told == {
        "latency": ("5m", "p95", ">", "latency_ms"),
        "error-rate": ("10m", "error_rate", ">", "error_rate"),
        "drift": ("24h", "found", ">=", "drift_checks"),
        "performance": ("2h", "below", ">=", "performance_share"),
    }
    assert {name for name, each in found.items() if "rollback" in each.actions} == {
        "latency",
        "error-rate",
    }
    assert {name for name, each in found.items() if each.severity == "critical"} == {
        "latency",
        "error-rate",
    }
