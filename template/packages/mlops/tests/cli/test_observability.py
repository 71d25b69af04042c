"""`mlops observability write` writes what is made of queries, or says that it is not current."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fakes.cli import Command
from fakes.endpoint import FakeEndpoint
from fakes.queries import PLAIN, content, event, events
from mlops.monitoring.rules.reading import QUERIES
from mlops.platforms.local.platform import LocalPlatform
from mlops.settings.project import Project


@pytest.fixture
def kql(project: Project) -> Path:
    (project.root / QUERIES).parent.mkdir()
    (project.root / QUERIES).write_text(content(PLAIN), encoding="utf-8")
    return project.root / "observability" / "queries" / "latency.kql"


def test_files_are_written_once(
    mlops: Command, kql: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mlops("observability", "write") == 0
    assert "wrote observability/queries/latency.kql" in capsys.readouterr().err
    assert "percentile(latency_ms, 95)" in kql.read_text(encoding="utf-8")
    assert mlops("observability", "write", "--check") == 0
    assert "wrote" not in capsys.readouterr().err


def test_what_is_not_current_is_refused_and_left_alone(
    mlops: Command, project: Project, kql: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mlops("observability", "write", "--check") == 1
    assert not kql.exists()
    assert mlops("observability", "write") == 0
    changed = content({**PLAIN, "least": 9})
    (project.root / QUERIES).write_text(changed, encoding="utf-8")
    assert mlops("observability", "write", "--check") == 1
    assert "latency.kql" in capsys.readouterr().err
    assert "n >= 9" not in kql.read_text(encoding="utf-8")
    (project.root / QUERIES).write_text(content(), encoding="utf-8")
    assert mlops("observability", "write") == 0
    assert not kql.exists()
    assert "removed observability/queries/latency.kql" in capsys.readouterr().err


def test_a_query_that_is_wrong_writes_nothing(
    mlops: Command, project: Project, kql: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project.root / QUERIES).write_text(content({**PLAIN, "by": ["who"]}), encoding="utf-8")
    assert mlops("observability", "write") == 2
    assert "latency, by.0: prediction has no 'who'" in capsys.readouterr().err
    assert not kql.exists()


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> FakeEndpoint:
    """An endpoint with some events of this hour."""
    fake = FakeEndpoint("tiny-dev")
    monkeypatch.setattr(LocalPlatform, "endpoint", lambda _platform, _name: fake)
    recent = datetime.now(UTC) - timedelta(minutes=5)
    rows = [event(model_version=version, time=recent) for version in (1, 1, 2)]
    fake.events = replace(fake.events, rows=events(*rows).lazy())
    return fake


@pytest.mark.usefixtures("kql", "endpoint")
def test_a_query_is_answered_from_the_events_of_the_endpoint(
    mlops: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mlops("observability", "show", "latency", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {
        "id": "latency",
        "rows": [{"model_version": 1, "n": 2, "p95": 10.0}],
        "dropped": 0,
        "unread": {},
    }
    assert mlops("observability", "show", "latency", "--since", "2h") == 0
    said = capsys.readouterr()
    assert "p95" in said.out
    assert "How long it took." in said.err


@pytest.mark.usefixtures("kql")
@pytest.mark.parametrize(("arguments", "code"), [([], 0), (["--since", "1m"], 4)])
def test_events_that_are_missing_are_told(
    mlops: Command, endpoint: FakeEndpoint, capsys: pytest.CaptureFixture[str],
    arguments: list[str], code: int,
) -> None:  # fmt: skip
    endpoint.events = replace(endpoint.events, dropped=1200, unread={"part-1": "damaged"})
    assert mlops("observability", "show", "latency", "--json", *arguments) == code
    said = capsys.readouterr()
    told = json.loads(said.out)
    assert (told["dropped"], told["unread"]) == (1200, {"part-1": "damaged"})
    assert "note: 1,200 events were dropped before they were written" in said.err
    assert "note: not read: part-1: damaged" in said.err


@pytest.mark.usefixtures("kql", "endpoint")
def test_too_few_events_are_no_answer(mlops: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert mlops("observability", "show", "latency", "--since", "1m") == 4
    assert "no group of tiny-dev has 2 events or more" in capsys.readouterr().err


@pytest.mark.usefixtures("kql")
def test_findings_of_checks_are_asked_for_too(
    mlops: Command,
    project: Project,
    endpoint: FakeEndpoint,
    capsys: pytest.CaptureFixture[str],
) -> None:
    drift = {**PLAIN, "id": "drift", "source": "drift", "least": 1, "measures": {}}
    front = {**drift, "id": "front", "source": "traffic", "by": ["status"]}
    (project.root / QUERIES).write_text(content(drift, front), encoding="utf-8")
    recent = datetime.now(UTC) - timedelta(minutes=5)
    endpoint.keep_checks([{"check": "drift", "time": recent.isoformat(), "model_version": 7}])
    assert mlops("observability", "show", "drift", "--json") == 0
    assert json.loads(capsys.readouterr().out)["rows"] == [{"model_version": 7, "n": 1}]
    assert mlops("observability", "show", "front") == 2
    assert "events of traffic, which are not kept here" in capsys.readouterr().err
    endpoint.front = [{"time": recent.isoformat(), "status": 429, "model_status": None}]
    assert mlops("observability", "show", "front", "--json") == 0
    assert json.loads(capsys.readouterr().out)["rows"] == [{"status": 429, "n": 1}]


@pytest.mark.usefixtures("kql", "endpoint")
@pytest.mark.parametrize("arguments", [["speed"], ["latency", "--since", "a day"]])
def test_what_is_asked_wrongly_is_refused(mlops: Command, arguments: list[str]) -> None:
    assert mlops("observability", "show", *arguments) == 2
