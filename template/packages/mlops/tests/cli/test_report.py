"""`mlops report`: which environments, which file."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Never

import polars as pl
import pytest

from fakes.alerts import ENOUGH, NOON, requests, watched
from fakes.cli import Command
from fakes.endpoint import FakeEndpoint
from fakes.places import PROJECT
from fakes.platform import FakePlatform
from fakes.watched import busy_events, decisions, drift, performance, release
from mlops.artifacts.documents import EVIDENCE, Document
from mlops.artifacts.drift_result import Outcome, write_drift
from mlops.artifacts.event_folders import documents_folder
from mlops.artifacts.evidence_folder import releases_folder, seal
from mlops.artifacts.predictions import Predictions
from mlops.cli import options
from mlops.errors import ConfigError, PlatformError
from mlops.monitoring.decisions import keep
from mlops.monitoring.report import collect
from mlops.monitoring.rules.reading import ALERTS
from mlops.platforms.base import KeptEvidence, NotObserved
from mlops.settings.project import Project


class Platform(FakePlatform):
    """A platform where the endpoint of one environment is for others alone."""

    def endpoint(self, name: str) -> FakeEndpoint:
        if name == "tiny-prod":
            raise ConfigError(f"{name} is not for you", "ask")
        return super().endpoint(name)


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Platform:
    found = Platform(tmp_path / "platform")
    monkeypatch.setattr(collect, "open_platform", lambda _settings: found)
    return found


@pytest.fixture
def page(mlops: Command, tmp_path: Path) -> Callable[..., str]:
    """Makes the page, and returns its text."""

    def make(*options: object) -> str:
        file = tmp_path / "new" / "page.html"
        assert mlops("report", "--output", file, *options) == 0
        return file.read_text(encoding="utf-8")

    return make


def test_each_environment_is_on_the_page_and_one_that_fails_hides_no_other(
    mlops: Command,
    project: Project,
    platform: Platform,
    capsys: pytest.CaptureFixture[str],
) -> None:
    busy = platform.endpoint("tiny-dev")
    busy.serve("blue", 7, share=100)
    busy.events = busy_events(100)
    (project.root / "conf" / "prod.yaml").write_text("{}\n")
    folder = releases_folder(project.state_dir) / "tiny-dev" / "20260620T120000.000000Z"
    folder.mkdir(parents=True)
    EVIDENCE.write(folder, release(10, "promoted", tested=True))
    assert mlops("report", "--days", 3000) == 0
    path = Path(capsys.readouterr().out.strip())
    assert path == project.state_dir / "report.html"
    text = path.read_text(encoding="utf-8")
    assert "dev: tiny-dev" in text
    assert "100 predictions" in text
    assert ">promoted<" in text
    assert "Evidence on errors" in text
    assert "tiny-prod is not for you" in text


def test_alerts_and_what_was_done_are_on_the_page(
    project: Project,
    platform: Platform,
    page: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    endpoint = platform.endpoints["tiny-dev"] = watched(requests(ENOUGH, 20, fault="failed"))
    keep(endpoint, [replace(decisions(2)[1], time=NOON - timedelta(hours=1))])
    monkeypatch.setattr(options, "system_clock", lambda: NOON)
    text = page()
    assert "alerts.yaml cannot be read" in text
    assert "100 predictions" in text, "it hides nothing else"
    (project.root / ALERTS).parent.mkdir()
    shutil.copy(PROJECT / ALERTS, project.root / ALERTS)
    text = page()
    assert "error_rate is 0.2 on 100 events" in text
    assert ">alarm<" in text
    assert "<td>rolled back</td>" in text


def test_an_endpoint_that_does_not_exist_is_said_to_be_empty(
    platform: Platform, page: Callable[..., str]
) -> None:
    assert not platform.endpoint("tiny-dev").exists()
    text = page("--environment", "dev")
    assert "Nothing is deployed here." in text
    assert "No prediction was made in this time" in text


def test_a_model_that_is_only_scored_is_there_too(
    platform: Platform, project: Project, page: Callable[..., str]
) -> None:
    scored = busy_events(100)
    rows = scored.rows.with_columns(source=pl.lit("score"), deployment=pl.lit(None, pl.String))
    endpoint = platform.endpoint("tiny-dev")
    endpoint.events = Predictions(rows)
    found = replace(drift(), endpoint="tiny-dev", deployment=None, model_version=2)
    write_drift(project.state_dir, found)
    text = page("--days", 3000)
    assert "Nothing is deployed here." in text
    assert "100 predictions" in text
    assert found.reason in text
    write_drift(project.state_dir, replace(found, model_version=1))
    assert "version 2 was scored last" in page("--days", 3000)


@pytest.mark.parametrize("content", ["{", '{"schema": 99}', '{"schema": 1}'])
def test_evidence_that_cannot_be_read_is_said(
    platform: Platform, project: Project, page: Callable[..., str], content: str
) -> None:
    endpoint = platform.endpoint("tiny-dev")
    endpoint.serve("blue", 7, share=100)
    endpoint.events = busy_events(100)
    for name in ("20260619T120000.000000Z", "20260620T120000.000000Z"):
        folder = releases_folder(project.state_dir) / "tiny-dev" / name
        folder.mkdir(parents=True)
        EVIDENCE.write(folder, release(10, "promoted", tested=True))
    (folder / "evidence.json").write_text(content)
    text = page("--days", 3000)
    assert f"Not read: {folder / 'evidence.json'} " in text
    assert text.count(">promoted<") == 1
    assert "Evidence on errors" in text
    assert "100 predictions" in text
    assert "<td>blue</td><td>7</td><td>100 %</td>" in text


@pytest.mark.parametrize("content", ["{", '{"schema": 99}', '{"schema": 1}', "[]"])
@pytest.mark.parametrize(("check", "title"), [("drift", "Drift"), ("performance", "Performance")])
def test_a_check_that_cannot_be_read_hides_nothing_else(
    platform: Platform, project: Project, page: Callable[..., str],
    check: str, title: str, content: str,
) -> None:  # fmt: skip
    platform.endpoint("tiny-dev").serve("blue", 7, share=100)
    folder = documents_folder(project.state_dir, "tiny-dev", check)
    folder.mkdir(parents=True)
    (folder / "20260620T120000.000000Z.json").write_text(content)
    (project.root / ALERTS).parent.mkdir()
    shutil.copy(PROJECT / ALERTS, project.root / ALERTS)
    text = page("--environment", "dev", "--days", 3000)
    assert f'<h3>{title} <span class="mark bad">cannot be read</span></h3>' in text
    assert text.count("cannot be read</span>") == 1
    assert text.count("not checked</span>") == 1
    assert "<td>blue</td><td>7</td><td>100 %</td>" in text


def test_events_that_cannot_be_read_hide_nothing_else(
    platform: Platform, page: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_asked: object) -> Never:
        raise NotObserved("the workspace is down", "wait")

    endpoint = platform.endpoint("tiny-dev")
    endpoint.serve("blue", 7, share=100)
    for name in ("predictions", "checks"):
        monkeypatch.setattr(endpoint, name, fails)
    text = page("--environment", "dev")
    assert "the workspace is down; wait" in text
    assert "Not read: the changes of traffic by hand: the workspace is down." in text
    assert "<td>blue</td><td>7</td><td>100 %</td>" in text


@pytest.mark.parametrize(
    ("serves", "days", "said"),
    [
        (2, 3000, "of version 1, on 2026-06-30 12:00, and its outcome was ok: version 2 serves."),
        (None, 3000, "and its outcome was ok: nothing serves here now."),
        (1, 1, "and its outcome was ok: that was before the time that this page shows."),
    ],
)
def test_a_check_of_something_else_is_no_check_of_what_serves(
    platform: Platform, project: Project, page: Callable[..., str],
    serves: int | None, days: int, said: str,
) -> None:  # fmt: skip
    if serves is not None:
        platform.endpoint("tiny-dev").serve("blue", serves, share=100)
    write_drift(
        project.state_dir,
        replace(drift(), endpoint="tiny-dev", outcome=Outcome.OK, model_version=1),
    )
    Document("20260630T120000.000000Z.json", schema=1).write(
        documents_folder(project.state_dir, "tiny-dev", "performance"), performance(well=True)
    )
    text = page("--environment", "dev", "--days", days)
    assert text.count(said) == 2
    assert text.count('<span class="mark open">not checked</span>') == 2
    assert 'class="mark good"' not in text


def test_a_check_of_what_serves_is_shown(
    platform: Platform, project: Project, page: Callable[..., str]
) -> None:
    platform.endpoint("tiny-dev").serve("blue", 1, share=100)
    write_drift(project.state_dir, replace(drift(), endpoint="tiny-dev", outcome=Outcome.OK))
    assert '<h3>Drift <span class="mark good">ok</span></h3>' in page("--days", 3000)


@pytest.mark.usefixtures("platform")
def test_an_unknown_environment_is_named_with_those_there_are(
    mlops: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "page.html"
    assert mlops("report", "--output", file, "--environment", "prdo") == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "there is no environment 'prdo'" in said
    assert "(there is: dev)" in said
    assert not file.exists()


@pytest.mark.usefixtures("platform")
@pytest.mark.parametrize("days", ["800000", "0", "nan", "inf"])
def test_days_that_are_no_window_are_wrong_usage(mlops: Command, days: str) -> None:
    assert mlops("report", "--days", days) == 2


@pytest.mark.usefixtures("platform")
def test_an_environment_that_is_named_twice_is_there_once(page: Callable[..., str]) -> None:
    text = page("--environment", "dev", "--environment", "dev")
    assert text.count('id="dev"') == 1


def test_releases_of_other_machines_are_read_from_beside_their_versions(
    platform: Platform, project: Project, page: Callable[..., str], tmp_path: Path
) -> None:
    released = release(10, "promoted", tested=True)
    here = releases_folder(project.state_dir) / "tiny-dev" / "20260620T120000.000000Z"
    elsewhere = {**release(12, "rejected", tested=False), "reason": "it was slower elsewhere"}
    for number, content in (("1", released), ("2", elsewhere)):
        folder = tmp_path / number / "tiny-dev" / "20260622T120000.000000Z"
        folder.mkdir(parents=True)
        EVIDENCE.write(folder, content)
        seal(tmp_path / number, {"name": number})
        platform.keep_evidence(10, f"dev-{number}", tmp_path / number)
    here.mkdir(parents=True)
    EVIDENCE.write(here, released)
    for _ in range(2):  # what was fetched once is there
        text = page()
        assert text.count("it was slower elsewhere") == 1
        assert text.count(">promoted<") == 1


def test_evidence_that_cannot_be_fetched_hides_nothing_else(
    platform: Platform, page: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(number: int) -> list[KeptEvidence]:
        if number == 10:
            raise PlatformError("the registry is down", "wait")
        return []

    monkeypatch.setattr(platform, "evidence", unreadable)
    text = page("--environment", "dev")
    assert "Not read: the evidence of version 10: the registry is down." in text
    assert "Drift" in text
