"""The generated KQL read by Microsoft's own parser, with the tables that Azure Monitor has."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlops.monitoring.event_properties import SOURCES, Kind, SourceName
from mlops.monitoring.rules.deny import denied
from mlops.monitoring.rules.generated import differences, generated
from mlops.monitoring.rules.kql import to_kql, to_rule, to_series
from mlops.monitoring.rules.shapes import Chart, Query
from mlops.monitoring.rules.words import WORDS

from tests.observability.events import DAY
from tests.observability.known import ALERTS, FOLDER, OURS, QUERIES
from tests.observability.language import Language, language
from tools.worktree import ROOT

CAP = ROOT / "template" / "infra" / "modules" / "log-cap.kql"
FILES = sorted(path.name for path in (FOLDER / "queries").glob("*.kql"))
TYPES = {Kind.TEXT: "string", Kind.WHOLE: "long", Kind.NUMBER: "real"}
CHART = Chart(kind="bars", show=("n",))
OF_MEASURES = {"count": "long", "share": "real", "average": "real"}


@pytest.fixture(scope="module")
def parser() -> Iterator[Language]:
    with language() as started:
        yield started


def columns_of(query: Query) -> tuple[tuple[str, str], ...]:
    """Return what a query should answer: each column with its type."""
    kinds = SOURCES[query.source].properties
    return (
        *([("TimeGenerated", "datetime")] if query.bucket else []),
        *((name, TYPES[kinds[name]]) for name in query.by),
        ("n", "long"),
        *(
            (name, OF_MEASURES.get(each.kind) or TYPES[kinds[str(each.of)]])
            for name, each in query.measures.items()
        ),
    )


@pytest.mark.parametrize("name", QUERIES)
def test_each_query_is_right_and_answers_what_the_machinery_does(
    parser: Language, name: str
) -> None:
    query = QUERIES[name]
    for text in (to_kql(query), to_kql(query, DAY), to_kql(query, "outside"), to_rule(query)):
        found = parser.analyse(text)
        assert found.findings == ()
        assert found.columns == columns_of(query)


def test_the_files_are_what_the_queries_say() -> None:
    assert not differences(ROOT / "template", generated(ROOT / "template")), "run `make queries`"


@pytest.mark.parametrize("file", FILES)
def test_each_file_is_right(parser: Language, file: str) -> None:
    text = (FOLDER / "queries" / file).read_text(encoding="utf-8")
    found = parser.analyse(text)
    assert found.findings == ()
    assert found.columns == columns_of(OURS[Path(file).stem])


def test_the_query_of_the_daily_cap_is_right_and_nothing_in_it_is_denied(
    parser: Language,
) -> None:
    text = CAP.read_text(encoding="utf-8")
    found = parser.analyse(text)
    assert found.findings == ()
    assert ("Detail", "string") in found.columns
    assert denied(text) == []
    for old in ("Detail", "Category", "_LogOperation"):
        assert parser.analyse(text.replace(old, f"{old}s")).findings, old


@pytest.mark.parametrize("name", ALERTS)
def test_the_text_of_each_alert_is_right_and_nothing_in_it_is_denied(
    parser: Language, name: str
) -> None:
    text = (FOLDER / "alerts" / f"{name}.kql").read_text(encoding="utf-8")
    found = parser.analyse(text)
    assert found.findings == ()
    assert found.columns == columns_of(ALERTS[name])
    assert dict(found.columns)[ALERTS[name].rule.measure] in ("long", "real")
    assert denied(text) == []
    assert text.endswith(to_rule(ALERTS[name]))


def test_each_query_of_the_workbook_is_right(parser: Language) -> None:
    items = json.loads((FOLDER / "workbook.json").read_text(encoding="utf-8"))["items"]
    asked = {each["name"]: each["content"] for each in items if each["type"] == 3}
    assert asked.keys() == OURS.keys()
    for name, content in asked.items():
        found = parser.analyse(content["query"])
        assert found.findings == ()
        names = [column for column, _ in found.columns]
        drawn = content.get("chartSettings", {"yAxis": []})
        assert {*drawn["yAxis"]} <= {*names}
        if OURS[name].bucket and OURS[name].chart.kind != "table":
            assert found.columns[:2] == (("TimeGenerated", "datetime"), ("series", "string"))
            assert names[2:] == drawn["yAxis"]
        assert "{" not in content["query"] + content["title"], "a workbook takes it for a parameter"


@pytest.mark.parametrize("source", SOURCES)
def test_every_property_can_be_asked_for(parser: Language, source: SourceName) -> None:
    """Also one that is a word of the language, such as `missing`."""
    for name in SOURCES[source].properties:
        query = QUERIES["limits"].model_copy(
            update={"source": source, "by": (name,), "measures": {}, "where": (), "chart": CHART}
        )
        for text in (to_kql(query), to_series(query.model_copy(update={"bucket": "1h"}))):
            assert parser.analyse(text).findings == (), name


def test_the_words_are_all_that_the_parser_does_not_take_as_a_name(parser: Language) -> None:
    words = parser.words()
    assert len(words) > 150
    for word in {*words} - WORDS:
        text = (
            f"AppEvents | extend _at = TimeGenerated, {word} = todouble(Properties.x)"
            f" | summarize n = count(), {word} = avg({word}) by TimeGenerated"
            f" | where n >= 1 | project TimeGenerated, n, {word} | order by {word} asc"
        )
        assert parser.analyse(text).findings == (), word


SOUND = to_kql(QUERIES["errors-by-version"])
FAULTS = {
    "a table that is not there": ("AppEvents\n", "AppEvent\n", "KS204"),
    "a table of Application Insights' own": ("AppEvents\n", "customEvents\n", "KS204"),
    "a column that is not there": ("Properties.status", "customDimensions.status", "KS142"),
    "a misspelt name": ("status >= 500", "statuz >= 500", "KS142"),
    "a text compared with a number": (
        "tolong(Properties.status)",
        "tostring(Properties.status)",
        "KS106",
    ),
    "a group of what is no scalar": (
        "tolong(Properties.model_version)",
        "Properties.model_version",
        "KS116",
    ),
    "a function of two": ("isnotempty(error_type)", "isnotempty()", "KS119"),
    "a function that is not there": ("isnotempty(", "is_not_empty(", "KS211"),
    "what is no query": ("summarize", "sumarize", "KS"),
    "a word of the language as a name": ("server_errors", "missing", "KS228"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_parser_notices(parser: Language, fault: str) -> None:
    old, new, code = FAULTS[fault]
    assert old in SOUND
    findings = parser.analyse(SOUND.replace(old, new)).findings
    assert any(each.startswith(code) for each in findings), findings


def test_the_columns_that_come_out_are_seen(parser: Language) -> None:
    changed = SOUND.replace("n, error_rate", "n, rate = tostring(error_rate)")
    found = parser.analyse(changed)
    assert found.findings == ()
    assert ("rate", "string") in found.columns
    assert found.columns != columns_of(QUERIES["errors-by-version"])


FORBIDDEN = [
    "AppEvents | evaluate bag_unpack(Properties)",
    "AppEvents | summarize n = count() by Name | evaluate pivot(Name, sum(n))",
    "AppEvents | evaluate narrow()",
    "let day = 1d; AppEvents | where TimeGenerated > ago(day)",
    "AppEvents | summarize AggregatedValue = count()",
    "AppEvents | take 5",
    "AppEvents | limit 5",
    "union AppEvents, AmlOnlineEndpointTrafficLog",
    "search 'x'",
    "AppEvents | where ingestion_time() > ago(1h)",
    "AppEvents | count",
]


@pytest.mark.parametrize("text", FORBIDDEN)
def test_the_parser_lets_pass_what_a_rule_may_not_have_and_the_list_does_not(
    parser: Language, text: str
) -> None:
    assert parser.analyse(text).findings == ()
    assert denied(text)
