"""The project's charts and rules are right, and what was made of them is current."""

from fakes.places import PROJECT
from mlops.monitoring.rules.generated import differences, generated
from mlops.monitoring.rules.reading import read_queries

APART = {"model_version", "deployment"}
"""Of one of these each error rate must be: over all versions an old one hides a new one."""


def test_what_was_made_of_the_queries_is_current() -> None:
    found = differences(PROJECT, generated(PROJECT))
    assert not found, "run `uv run mlops observability write` and commit what it writes"


def test_an_error_rate_is_of_one_version_and_not_of_one_request() -> None:
    rates = [
        query
        for query in read_queries(PROJECT)
        if query.source == "prediction"
        and any(each.kind == "share" for each in query.measures.values())
    ]
    assert [query.id for query in rates if not APART & {*query.by}] == []
    assert [query.id for query in rates if query.least < 2] == []
