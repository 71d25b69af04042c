"""The command that looks for drift: of which version, what is kept, which exit code."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from fakes.cli import Command
from fakes.drift_data import NOW, events_of
from fakes.endpoint import FakeEndpoint
from fakes.platform import FakePlatform
from fakes.tiny_version import FEATURES
from mlops.artifacts.predictions import FEATURE, Predictions
from mlops.artifacts.version_folder import DRIFT_BASELINE
from mlops.cli import drift, options
from mlops.data.personal import Personal
from mlops.features import Features
from mlops.monitoring.baseline import drift_baseline
from mlops.monitoring.drift import Asked
from mlops.monitoring.drift import check as judge
from mlops.monitoring.drift_command import reference_of
from mlops.settings.monitoring_sections import DriftSettings
from mlops.window import Window

TINY = Features.read(FEATURES)
SHIFT = 2.0
"""By so much the data of version 11, the newest, differ from those of all others."""
Check = Callable[..., tuple[int, dict[str, Any]]]


def table(rows: int, seed: int, shift: float = 0.0) -> pl.DataFrame:
    drawn = np.random.default_rng(seed).normal([shift, 0, 0], 1, size=(rows, 3))
    return pl.DataFrame({name: drawn[:, i] for i, name in enumerate("abc")}).cast(pl.Float32)


def answers(rows: pl.DataFrame) -> Any:
    return (1 / (1 + np.exp(-rows["a"].to_numpy().astype(float)))).astype(np.float32)


def events(rows: int = 400, version: int = 9, shift: float = 0.0) -> pl.LazyFrame:
    sent = table(rows, 5, shift)
    return events_of(sent, TINY, version, answers(sent))


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakePlatform:
    fake = FakePlatform(tmp_path / "platform")
    for number in fake.numbers:
        train = table(2000, number, SHIFT if number == 11 else 0.0)
        found = drift_baseline(train, TINY, answers(train))
        found.write_parquet(fake.version(number).folder / DRIFT_BASELINE)
    monkeypatch.setattr(drift, "open_platform", lambda _settings: fake)
    monkeypatch.setattr(options, "system_clock", lambda: NOW)
    return fake


@pytest.fixture
def endpoint(platform: FakePlatform) -> FakeEndpoint:
    """Version 9 serves, and its requests are as its training was."""
    found = platform.endpoint("tiny-dev")
    found.serve("blue", 9, share=100)
    found.events = Predictions(events())
    return found


@pytest.fixture
def check(mlops: Command, capsys: pytest.CaptureFixture[str]) -> Check:
    """Look for drift; return the exit code and what is printed as JSON."""

    def called(*more: object) -> tuple[int, dict[str, Any]]:
        code = mlops("drift", "--json", *more)
        said = capsys.readouterr().out
        return code, json.loads(said) if said else {}

    return called


@pytest.mark.usefixtures("endpoint")
def test_unchanged_data_are_ok(check: Check) -> None:
    code, found = check()
    assert (code, found["outcome"], found["model_version"]) == (0, "ok", 9)
    assert [each["column"] for each in found["columns"]] == ["a", "b", "c", "__prediction"]
    assert found["volume"]["rows"] == 400
    assert found["volume"]["per_day"] == pytest.approx(400 / 7)
    assert check()[1] == found, "the same events give the same result"


def test_columns_that_moved_are_named_and_kept(endpoint: FakeEndpoint, check: Check) -> None:
    endpoint.events = Predictions(events(shift=1.0))
    code, found = check("--since", "36h")
    assert (code, found["outcome"]) == (1, "drift")
    moved = [each["column"] for each in found["columns"] if each["outcome"] == "drift"]
    assert moved == ["a", "__prediction"]
    whole, *columns = endpoint.checks("drift", Window.last(timedelta(days=1), NOW + timedelta(1)))
    assert whole == {
        "check": "drift",
        "time": NOW.isoformat(),
        "environment": "dev",
        "endpoint": "tiny-dev",
        "deployment": "blue",
        "model_name": "tiny",
        "model_version": 9,
        "outcome": "drift",
        "window_start": (NOW - timedelta(hours=36)).isoformat(),
        "window_end": NOW.isoformat(),
        "rows": 400,
        "column": None,
        "drifted_columns": 2,
        "columns": 4,
    }
    assert [each["column"] for each in columns] == ["a", "b", "c", "__prediction"]
    first = {name: value for name, value in columns[0].items() if name not in whole}
    assert set(first) == {
        *("kind", "psi", "jensen_shannon", "wasserstein", "missing", "missing_baseline", "p_value")
    }
    assert columns[0]["outcome"] == "drift"
    assert columns[1]["outcome"] == "ok"
    kinds = {type(value) for row in endpoint.kept for value in row.values()}
    assert kinds <= {str, int, float, type(None)}


@pytest.mark.usefixtures("endpoint")
def test_the_document_is_written_whole(check: Check) -> None:
    _, found = check()
    path = Path(".mlops", "monitoring", "tiny-dev", "drift", "20260630T120000.000000Z.json")
    assert json.loads(path.read_text(encoding="utf-8")) == found
    assert (found["schema"], found["check"]) == (1, "drift")
    assert found["limits"]["alpha"] == 0.01


def test_the_version_that_serves_is_the_reference(endpoint: FakeEndpoint, check: Check) -> None:
    """After a refused candidate, while it has a share, after its release, after a rollback."""
    endpoint.serve("green", 11)
    assert check()[1]["model_version"] == 9
    endpoint.set_traffic({"blue": 60, "green": 40})
    assert check()[1]["model_version"] == 9
    endpoint.set_traffic({"green": 100})
    code, found = check()
    assert (code, found["model_version"], found["outcome"]) == (4, 11, "not enough")
    assert found["volume"]["other_versions"] == 400
    endpoint.events = Predictions(events(version=11))
    code, found = check()
    assert (code, found["model_version"], found["outcome"]) == (1, 11, "drift")
    endpoint.events = Predictions(pl.concat([events(), events(version=11)]))
    endpoint.set_traffic({"blue": 100})
    code, found = check()
    assert (code, found["model_version"], found["outcome"]) == (0, 9, "ok")
    assert "400 rows of other versions are left out" in found["remarks"]


@pytest.mark.parametrize(("rows", "code"), [(99, 4), (100, 0)])
def test_not_enough_is_below_the_least_rows_alone(
    endpoint: FakeEndpoint, check: Check, rows: int, code: int
) -> None:
    endpoint.events = Predictions(events(rows))
    assert check()[0] == code


@pytest.mark.usefixtures("endpoint")
def test_events_out_of_the_window_do_not_count(check: Check) -> None:
    code, found = check("--since", "30m")
    assert (code, found["volume"]["rows"]) == (4, 0)


def test_without_an_endpoint_or_traffic_there_is_nothing_to_say(
    mlops: Command, platform: FakePlatform, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mlops("drift") == 4
    assert "nothing serves at tiny-dev" in capsys.readouterr().err
    platform.endpoint("tiny-dev").serve("blue", 9)
    assert mlops("drift") == 4
    assert "no prediction of the window is of mlops score" in capsys.readouterr().err


def test_a_model_that_is_only_scored_is_watched_too(endpoint: FakeEndpoint, check: Check) -> None:
    endpoint.set_traffic({"blue": 0})
    scored = endpoint.events.rows.with_columns(
        source=pl.lit("score"), deployment=pl.lit(None, pl.String)
    )
    endpoint.events = Predictions(scored)
    code, found = check()
    assert (code, found["outcome"]) == (0, "ok")
    assert (found["model_version"], found["deployment"]) == (9, None)


def test_what_was_not_read_is_never_ok(endpoint: FakeEndpoint, check: Check) -> None:
    unread = {"part-1.parquet": "cut off"}
    endpoint.events = replace(endpoint.events, unread=unread, dropped=3)
    code, found = check()
    assert (code, found["outcome"]) == (4, "not enough")
    assert found["volume"]["unread"] == unread
    assert "not read: part-1.parquet: cut off" in found["remarks"]
    assert "3 events were dropped before they were written" in found["remarks"]
    endpoint.events = Predictions(events(shift=1.0), unread=unread)
    assert check()[1]["outcome"] == "drift"


@pytest.mark.usefixtures("endpoint")
def test_without_a_baseline_nothing_is_ok(platform: FakePlatform, check: Check) -> None:
    path = platform.version(9).folder / DRIFT_BASELINE
    path.write_bytes(b"PAR1")
    code, found = check()
    assert (code, found["outcome"]) == (1, "schema broken")
    assert "is no drift baseline" in found["reason"]
    path.unlink()
    code, found = check()
    assert (code, found["outcome"]) == (1, "schema broken")
    assert "baseline.parquet does not exist" in found["reason"]


def test_people_get_a_table_and_the_job_a_page(
    mlops: Command, endpoint: FakeEndpoint, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    page = tmp_path / "page.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    monkeypatch.setenv("COLUMNS", "80")
    endpoint.events = Predictions(events(shift=1.0))
    assert mlops("drift") == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "error: drift: 2 of 4 columns moved: a, __prediction; docs/drift.md" in said.err
    table_lines = [line for line in said.err.splitlines() if "│" in line or "━" in line]
    assert max(map(len, table_lines)) <= 80
    text = page.read_text(encoding="utf-8")
    assert "### Drift at tiny-dev" in text
    assert "| outcome | drift |" in text


def test_without_answers_the_outcome_is_told_and_no_report_is_written(
    mlops: Command, endpoint: FakeEndpoint, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    endpoint.events = Predictions(events(0))
    page = tmp_path / "page.html"
    assert mlops("drift", "--report", page, "--json") == 4
    said = capsys.readouterr()
    assert json.loads(said.out)["outcome"] == "not enough"
    assert "no report: there are no answered predictions to report on" in said.err
    assert not page.exists()


def test_what_is_declared_personal_later_is_not_compared(
    platform: FakePlatform, endpoint: FakeEndpoint
) -> None:
    personal = Personal(frozenset({"B"}))
    day = Window.last(timedelta(days=1), NOW)
    found = reference_of(platform, endpoint, "dev", day, personal)
    assert (found.features.names, found.personal) == (["a", "c"], ("b",))
    asked = Asked(day, NOW, DriftSettings())
    unheld = endpoint.events.rows.drop(f"{FEATURE}b")
    result = judge(found, Predictions(unheld), asked)
    assert result.outcome == "ok"
    assert [each.column for each in result.columns] == ["a", "c", "__prediction"]
    assert "declared personal, and so not compared: b" in result.remarks


def test_without_evidently_the_report_says_what_to_install(
    mlops: Command, endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setitem(sys.modules, "evidently", None)
    assert mlops("drift", "--report", "page.html") == 2
    assert "`uv sync --group report`" in " ".join(capsys.readouterr().err.split())
    assert endpoint.kept == []
