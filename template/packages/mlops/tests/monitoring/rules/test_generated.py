"""The files that are made of queries: KQL, and the workbook where infra/ deploys it."""

import json
from pathlib import Path

import pytest

from fakes.queries import PLAIN, content
from mlops.monitoring.rules.generated import (
    WORKBOOK,
    WORKBOOK_MODULE,
    differences,
    generated,
    write,
)
from mlops.monitoring.rules.kql import to_kql
from mlops.monitoring.rules.reading import QUERIES, read_queries

KQL = "observability/queries/latency.kql"
OVER_TIME = {
    **PLAIN,
    "id": "over-time",
    "bucket": "1h",
    "chart": {"kind": "lines", "show": ["p95"]},
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "observability").mkdir()
    (tmp_path / QUERIES).write_text(content(PLAIN, OVER_TIME), encoding="utf-8")
    return tmp_path


def with_infra(root: Path) -> Path:
    module = root / WORKBOOK_MODULE
    module.parent.mkdir(parents=True)
    module.touch()
    return root


def test_each_query_has_a_file_that_says_what_it_is(root: Path) -> None:
    files = generated(root)
    assert list(files) == [KQL, "observability/queries/over-time.kql"]
    head, rest = files[KQL][:200].splitlines()[:3], files[KQL].split("\n", 3)[3]
    assert head[:2] == ["// Latency", "// How long it took."]
    assert rest == to_kql(read_queries(root)[0])


def test_what_was_written_is_current_until_something_changes(root: Path) -> None:
    with_infra(root)
    files = generated(root)
    found = differences(root, files)
    assert found.changed == tuple(files)
    write(root, files, found)
    assert not differences(root, files)
    (root / KQL).write_text(files[KQL].replace("95", "99"), encoding="utf-8")
    (root / "observability/queries/gone.kql").touch()
    found = differences(root, files)
    assert (found.changed, found.left_over) == ((KQL,), ("observability/queries/gone.kql",))
    write(root, files, found)
    assert not differences(root, files)


def test_there_is_a_workbook_where_infra_deploys_it(root: Path) -> None:
    assert WORKBOOK not in generated(root)
    book = json.loads(generated(with_infra(root))[WORKBOOK])
    assert book["version"] == "Notebook/1.0"
    queries = {each["name"]: each["content"] for each in book["items"] if each["type"] == 3}
    assert queries.keys() == {"latency", "over-time"}
    table, chart = queries["latency"], queries["over-time"]
    assert (table["visualization"], chart["visualization"]) == ("table", "linechart")
    assert "chartSettings" not in table
    assert chart["chartSettings"] == {
        "xAxis": "TimeGenerated",
        "yAxis": ["p95"],
        "group": "series",
    }
    for each in queries.values():
        assert each["timeContext"] == {"durationMs": 86_400_000}
        assert "ago(" not in each["query"], "the reader of a workbook chooses the time"
        assert not {"{", "}"} & {*each["query"]}, "a workbook takes it for a parameter"
