"""The KQL that is made of a query; Microsoft's parser and an engine read it elsewhere."""

from typing import Any

import pytest

from fakes.queries import DAY, FAILED, query
from mlops.errors import ConfigError
from mlops.monitoring.rules.deny import denied, require_allowed
from mlops.monitoring.rules.kql import literal, to_kql, to_rule, to_series
from mlops.monitoring.rules.shapes import Query


def lines(text: str) -> list[str]:
    return text.splitlines()


def test_a_query_is_written_whole() -> None:
    found = query(
        where=[{"column": "source", "operator": "==", "value": "request"}],
        bucket="1h",
        least=20,
        measures={
            "p95": {"kind": "p95", "of": "latency_ms"},
            "failed": {"kind": "share", "where": [FAILED]},
        },
    )
    assert lines(to_kql(found)) == [
        "AppEvents",
        '| where Name == "prediction"',
        "| where TimeGenerated >= ago(1d)",
        "| extend source = tostring(Properties.source), model_version = "
        "tolong(Properties.model_version), latency_ms = todouble(Properties.latency_ms), "
        "error_type = tostring(Properties.error_type)",
        '| where source == "request"',
        "| summarize n = count(), p95 = percentile(latency_ms, 95), failed = 1.0 * "
        "countif(isnotempty(error_type)) / count() by TimeGenerated = bin(TimeGenerated, 1h), "
        "model_version",
        "| where n >= 20",
        "| project TimeGenerated, model_version, n, p95, failed",
        "| order by TimeGenerated asc, model_version asc",
    ]


def test_groups_of_too_few_rows_are_left_out_by_the_query_itself() -> None:
    """Else an alarm would be raised by one failure of one request."""
    for text in (to_kql(query(least=7)), to_rule(query(least=7))):
        assert "| where n >= 7" in lines(text)


def test_each_version_is_a_group_of_its_own() -> None:
    (summary,) = (line for line in lines(to_kql(query())) if line.startswith("| summarize"))
    assert summary.endswith(" by model_version")


def test_a_percentile_is_no_mean() -> None:
    assert "p95 = percentile(latency_ms, 95)" in to_kql(query())


def test_a_number_is_compared_as_a_number() -> None:
    """Every property is a text in Azure Monitor, where "1000" is less than "99"."""
    (condition,) = ({"column": "status", "operator": ">=", "value": 500},)
    text = to_kql(query(where=[condition]))
    assert "status = tolong(Properties.status)" in text
    assert "| where status >= 500" in lines(text)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (FAILED, "isnotempty(error_type)"),
        ({"column": "status", "operator": "empty"}, "isnull(status)"),
        (
            {"column": "status", "operator": "!=", "value": 200},
            "(isnotnull(status) and status != 200)",
        ),
        ({"column": "value", "operator": "<", "value": 0.5}, "value < real(0.5)"),
        ({"column": "status", "operator": "in", "value": [408, 429]}, "status in (408, 429)"),
        ({"column": "key", "operator": "!=", "value": 'a"\\b'}, r'key != "a\"\\b"'),
    ],
)
def test_a_condition_is_written(condition: dict[str, Any], expected: str) -> None:
    assert f"| where {expected}" in lines(to_kql(query(where=[condition])))


def test_the_newest_value_is_taken_with_its_time() -> None:
    found = query(measures={"newest": {"kind": "latest", "of": "value"}}, bucket="1h")
    text = lines(to_kql(found))
    assert "| extend _at = TimeGenerated, newest = value" in text
    assert any("arg_max(_at, newest)" in line for line in text)


def test_words_of_the_language_stand_in_brackets() -> None:
    found = query(source="drift", by=["kind"], measures={})
    assert "['kind'] = tostring(Properties['kind'])" in to_kql(found)
    assert "| project ['kind'], n" in lines(to_kql(found))


def test_the_front_end_s_log_is_read_from_its_columns() -> None:
    found = query(source="traffic", by=["status"], measures={})
    assert lines(to_kql(found))[0] == "AmlOnlineEndpointTrafficLog"
    assert "status = tolong(ResponseCode)" in to_kql(found)
    assert "Name ==" not in to_kql(found)


def test_the_time_is_a_window_the_query_s_own_or_another_s() -> None:
    assert (
        "| where TimeGenerated >= datetime(2026-06-30T00:00:00+00:00) "
        "and TimeGenerated < datetime(2026-07-01T00:00:00+00:00)"
    ) in lines(to_kql(query(), DAY))
    for text in (to_kql(query(), "outside"), to_rule(query())):
        assert "| where TimeGenerated" not in text


def test_a_rule_is_not_ordered() -> None:
    assert "order by" not in to_rule(query())


@pytest.mark.parametrize(
    ("by", "series"),
    [
        ([], '""'),
        (["model_version"], "tostring(model_version)"),
        (["endpoint", "deployment"], 'strcat(tostring(endpoint), " ", tostring(deployment))'),
    ],
)
def test_a_chart_over_time_has_its_groups_as_one_text(by: list[str], series: str) -> None:
    found = query(by=by, bucket="1h", chart={"kind": "lines", "show": ["p95"]})
    assert f"| project TimeGenerated, series = {series}, p95" in lines(to_series(found))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("T | evaluate bag_unpack(Properties)", "bag_unpack"),
        ("T | evaluate pivot(Name)", "pivot"),
        ("T | evaluate narrow()", "narrow"),
        ("let d = 1d; T | where TimeGenerated > ago(d)", "ago() of anything but a literal"),
        ("T | summarize AggregatedValue = count()", "the name AggregatedValue"),
        ("T | take 5", "take or limit"),
        ("T\n|limit 5", "take or limit"),
        ("union T, U", "union"),
        ("search 'x'", "search"),
        ("T | where ingestion_time() > ago(1h)", "ingestion_time()"),
        ("adx('https://x').T", "adx()"),
        ("T | count", "count at the end"),
        ("T | count // of all\n", "count at the end"),
    ],
)
def test_what_a_rule_may_not_have_is_refused(text: str, what: str) -> None:
    assert denied(text) == [what]
    with pytest.raises(ConfigError, match="what Azure Monitor refuses") as caught:
        require_allowed(text, "latency")
    assert what in caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        "T | summarize n = count() | where n >= 2",
        'T | where Name == "union | take 5 \\" search"',
        "// search, union, take\nT",
        "T | where TimeGenerated > ago(15m)",
        "T | extend ['limit'] = 1, research = 2",
    ],
)
def test_what_a_rule_may_have_passes(text: str) -> None:
    assert require_allowed(text, "latency") == text


def test_a_word_in_a_value_is_no_word_of_the_query() -> None:
    where = [{"column": "key", "operator": "==", "value": 'x" | take 5'}]
    assert r'"x\" | take 5"' in to_kql(query(where=where))


@pytest.mark.parametrize(
    ("value", "expected"), [(5, "5"), (-0.5, "real(-0.5)"), (1e-05, "real(1e-05)"), ("a", '"a"')]
)
def test_a_value_is_written(value: float | str, expected: str) -> None:
    assert literal(value) == expected


def test_the_same_query_makes_the_same_text() -> None:
    found: Query = query()
    assert to_kql(found) == to_kql(query())
