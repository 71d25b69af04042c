"""Charts and rules are read whole; what is wrong is named by file, id and field."""

from pathlib import Path
from typing import Any

import pytest

from fakes.queries import FAILED, PLAIN, content, query
from mlops.errors import ConfigError
from mlops.monitoring.rules.limits import is_limit, limit_of
from mlops.monitoring.rules.reading import QUERIES, find_query, parse_queries, read_queries
from mlops.monitoring.rules.shapes import Threshold
from mlops.settings.sections import Settings

P95 = {"kind": "p95", "of": "latency_ms"}
RULE = {"measure": "p95", "operator": ">", "threshold": "ab_test.objective_ms"}


def test_a_query_is_read() -> None:
    found = query(
        where=[{"column": "status", "operator": "in", "value": [400, 500]}],
        bucket="1h",
        measures={"p95": P95, "failed": {"kind": "share", "where": [FAILED]}},
        chart={"kind": "lines", "show": ["p95"]},
    )
    assert found.where[0].values == (400, 500)
    assert (found.by, found.bucket, found.least) == (("model_version",), "1h", 2)
    assert found.measures["p95"].percent == 95
    assert found.measures["failed"].percent is None


@pytest.mark.parametrize(
    ("changes", "place", "message"),
    [
        ({"by": ["version"]}, "by.0", "prediction has no 'version'"),
        ({"source": "drift"}, "measures.p95.of", "drift has no 'latency_ms'"),
        ({"source": "requests"}, "source", "Input should be 'prediction', 'drift', "),
        ({"by": ["source", "source"]}, "by", "twice"),
        ({"least": 0}, "least", "greater than or equal to 1"),
        ({"least": None}, "least", "valid integer"),
        ({"window": "1 day"}, "window", "no span of time"),
        ({"window": "1\N{ARABIC-INDIC DIGIT SEVEN}d"}, "window", "no span of time"),
        ({"window": "1.5h"}, "window", "no whole number of m, h or d"),
        ({"window": "9999d"}, "window", "of at most 3650d"),
        ({"least": 10**30}, "least", "less than 9223372036854775808"),
        ({"bucket": "7d"}, "bucket", "Input should be '1m'"),
        ({"bucket": "1d", "window": "6h"}, "bucket", "longer than the window"),
        ({"windows": "1d"}, "windows", "unknown key"),
        ({"title": "of {Name}"}, "title", "without { and }"),
        ({"tells": "a\nb"}, "tells", "one line"),
        ({"measures": {"p95": {"kind": "p95"}}}, "measures.p95", "takes of"),
        ({"measures": {"p95": {"kind": "p97", "of": "value"}}}, "measures.p95.kind", "Input"),
        ({"measures": {"some": {"kind": "share"}}}, "measures.some", "share of which rows"),
        ({"measures": {"n": {"kind": "count"}}}, "measures.n", "name of a column"),
        ({"measures": {"value": P95}}, "measures.value", "name of a column"),
        ({"measures": {"latest": P95}}, "measures.latest", "a word of KQL"),
        ({"measures": {"P95": P95}}, "measures.P95", "match pattern"),
        ({"measures": {"high": {"kind": "max", "of": "key"}}}, "measures.high.of", "is a text"),
        ({"chart": {"kind": "table", "show": ["p95"]}}, "chart.show", "a table shows all"),
        ({"chart": {"kind": "lines", "show": ["p95"]}}, "bucket", "run over time"),
        ({"chart": {"kind": "bars", "show": ["p90"]}}, "chart.show.0", "no measure 'p90'"),
        ({"rule": {**RULE, "measure": "p99"}}, "rule.measure", "no measure 'p99'"),
        ({"rule": {**RULE, "threshold": "drift.pssi"}}, "rule.threshold", "no setting"),
        ({"rule": {**RULE, "threshold": "data.source"}}, "rule.threshold", "no setting"),
        ({"rule": {**RULE, "operator": "=="}}, "rule.operator", "Input should be '>'"),
        ({"rule": RULE, "bucket": "1h"}, "bucket", "as a whole"),
        ({"rule": RULE, "window": "7d"}, "window", "a rule can have 5m"),
        ({"id": "Latency"}, "id", "match pattern"),
    ],
)
def test_what_is_wrong_is_named_by_file_id_and_field(
    changes: dict[str, Any], place: str, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        query(**changes)
    name = changes.get("id", "latency")
    assert caught.value.message.startswith(f"queries.yaml: {name}, {place}: ")
    assert message in caught.value.message
    assert "docs/observability.md" in caught.value.remedy


@pytest.mark.parametrize(
    ("condition", "field", "message"),
    [
        ({"column": "status", "operator": "==", "value": "200"}, ".value", "is a whole number"),
        ({"column": "status", "operator": "==", "value": 200.5}, ".value", "is a whole number"),
        ({"column": "status", "operator": "in", "value": ["200"]}, ".value", "is a whole number"),
        ({"column": "status", "operator": "==", "value": True}, "", "valid"),
        ({"column": "status", "operator": "==", "value": 2**63}, ".value", "is a whole number"),
        (
            {"column": "status", "operator": "in", "value": [-(2**70)]},
            ".value",
            "is a whole number",
        ),
        ({"column": "value", "operator": ">", "value": float("inf")}, "", "finite"),
        ({"column": "key", "operator": "==", "value": 1}, ".value", "is a text"),
        ({"column": "key", "operator": ">", "value": "a"}, ".operator", "no order"),
        ({"column": "state", "operator": "filled"}, ".column", "no 'state'"),
        ({"column": "key", "operator": "filled", "value": "a"}, "", "takes no value"),
        ({"column": "status", "operator": ">"}, "", "needs a value"),
        ({"column": "status", "operator": "in", "value": 200}, "", "a list of values"),
        ({"column": "status", "operator": "in", "value": []}, "", "at least one"),
        ({"column": "status", "operator": ">", "value": [200]}, "", "a list of values"),
    ],
)
@pytest.mark.parametrize("place", ["where.0", "measures.some.where.0"])
def test_a_condition_that_cannot_hold_is_named(
    condition: dict[str, Any], field: str, message: str, place: str
) -> None:
    measures = {"some": {"kind": "count", "where": [condition]}}
    changes = {"where": [condition]} if place == "where.0" else {"measures": measures}
    with pytest.raises(ConfigError) as caught:
        query(**changes)
    assert f"latency, {place}{field}" in caught.value.message
    assert message in caught.value.message


def test_the_largest_whole_numbers_are_taken() -> None:
    least, most = -(2**63), 2**63 - 1
    where = [{"column": "status", "operator": "in", "value": [least, most]}]
    assert query(where=where).where[0].values == (least, most)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("queries: [", "is not valid YAML"),
        ("schema: 2\nqueries: []\n", "schema: Input should be 1"),
        ("schema: 1\n", "queries: Field required"),
        ("[]", "the file: "),
        ("schema: 1\nqueries: [1]\n", "number 1, all of it: "),
        ("schema: 1\nqueries: [{title: a}]\n", "number 1, id: Field required"),
        ("schema: 1\nschema: 1\nqueries: []\n", "stands twice"),
        (content(PLAIN, PLAIN), "latency, id: stands twice"),
    ],
)
def test_a_file_of_another_form_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_queries(text, "queries.yaml")
    assert caught.value.message.startswith("queries.yaml")
    assert message in caught.value.message


def test_a_project_without_the_file_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"observability/queries\.yaml cannot be read: .*; "):
        read_queries(tmp_path)
    (tmp_path / "observability").mkdir()
    (tmp_path / QUERIES).write_text(content(PLAIN), encoding="utf-8")
    queries = read_queries(tmp_path)
    assert find_query(queries, "latency") == queries[0]
    with pytest.raises(ConfigError, match="has no 'speed'; it has latency"):
        find_query(queries, "speed")


def test_a_rule_s_limit_is_a_setting() -> None:
    rule = Threshold.model_validate(RULE)
    assert limit_of(rule, Settings()) == Settings().ab_test.objective_ms
    optional = rule.model_copy(update={"threshold": "gate.max_slice_gap"})
    assert is_limit(optional.threshold)
    with pytest.raises(ConfigError, match=r"gate\.max_slice_gap is null"):
        limit_of(optional, Settings())


@pytest.mark.parametrize("path", ["drift.psi", "smoke_test.requests", "gate.thresholds.f1"])
def test_a_number_is_a_limit(path: str) -> None:
    assert is_limit(path)


@pytest.mark.parametrize("path", ["drift", "drift.psi.more", "telemetry.keys", "params.x", "x.y"])
def test_what_is_no_number_is_no_limit(path: str) -> None:
    assert not is_limit(path)
