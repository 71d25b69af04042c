"""What was decided is remembered by the endpoint, not by a machine."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fakes.endpoint import FakeEndpoint
from fakes.platform import FakePlatform
from mlops.monitoring import event_properties
from mlops.monitoring.decisions import CHECK, Decision, Kind, decided, keep
from mlops.window import Window

NOON = datetime(2026, 6, 30, 12, tzinfo=UTC)
FIRST = Decision(
    time=NOON - timedelta(hours=2),
    kind=Kind.ROLLBACK,
    cause="error-rate",
    outcome="rolled back",
    reason="12 % of 400 requests failed",
    environment="prod",
    endpoint="tiny-prod",
    model_name="tiny",
    deployment="green",
    model_version=3,
    value=0.12,
    limit=0.05,
)
SECOND = replace(FIRST, time=NOON - timedelta(hours=1), cause="latency", value=None, subject="7")
THIRD = replace(FIRST, kind=Kind.INCIDENT)
DAY = Window.last(timedelta(days=1), NOON)


@pytest.fixture
def endpoint(tmp_path: Path) -> FakeEndpoint:
    return FakePlatform(tmp_path).endpoint("tiny-prod")


def test_it_is_read_as_it_was_kept(endpoint: FakeEndpoint) -> None:
    keep(endpoint, [SECOND, FIRST])
    assert decided(endpoint, DAY) == [FIRST, SECOND]
    assert decided(endpoint, Window.last(timedelta(minutes=90), NOON)) == [SECOND]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"kind": Kind.ROLLBACK}, [FIRST, SECOND]),
        ({"cause": "error-rate"}, [FIRST, THIRD]),
        ({"kind": Kind.INCIDENT, "cause": "latency"}, []),
    ],
)
def test_it_is_asked_for_by_kind_and_cause(
    endpoint: FakeEndpoint, asked: dict[str, str], found: list[Decision]
) -> None:
    keep(endpoint, [FIRST, THIRD, SECOND])
    assert decided(endpoint, DAY, **asked) == found  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["pause", None, 7, ["rollback"]])
def test_what_another_version_decided_about_is_passed_over(
    endpoint: FakeEndpoint, kind: object
) -> None:
    keep(endpoint, [FIRST])
    endpoint.keep_checks([{**SECOND.row(), "kind": kind}])
    assert decided(endpoint, DAY) == [FIRST]
    assert decided(endpoint, DAY, kind=Kind.ROLLBACK) == [FIRST]


def test_queries_read_of_it_what_it_has() -> None:
    source = event_properties.SOURCES["decision"]
    assert source.event == CHECK
    assert source.properties.keys() == FIRST.row().keys() - {"check", "time"}
