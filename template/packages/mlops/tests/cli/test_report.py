"""`mlops report`: which environments, which file."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from fakes.cli import Command
from fakes.endpoint import FakeEndpoint
from fakes.platform import FakePlatform
from fakes.watched import busy_events, drift, release
from mlops.artifacts.documents import EVIDENCE
from mlops.artifacts.drift_result import write_drift
from mlops.artifacts.evidence_folder import releases_folder, seal
from mlops.artifacts.predictions import Predictions
from mlops.errors import ConfigError, PlatformError
from mlops.monitoring.report import collect
from mlops.platforms.base import KeptEvidence
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
    assert mlops("report", "--days", 10_000) == 0
    path = Path(capsys.readouterr().out.strip())
    assert path == project.state_dir / "report.html"
    text = path.read_text(encoding="utf-8")
    assert "dev: tiny-dev" in text
    assert "100 predictions" in text
    assert ">promoted<" in text
    assert "Evidence on errors" in text
    assert "tiny-prod is not for you" in text


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
    found = replace(drift(), endpoint="tiny-dev", deployment=None)
    write_drift(project.state_dir, found)
    text = page("--days", 10_000)
    assert "Nothing is deployed here." in text
    assert "100 predictions" in text
    assert found.reason in text


@pytest.mark.usefixtures("platform")
def test_evidence_that_cannot_be_read_is_said(project: Project, page: Callable[..., str]) -> None:
    folder = releases_folder(project.state_dir) / "tiny-dev" / "20260620T120000.000000Z"
    folder.mkdir(parents=True)
    (folder / "evidence.json").write_text("{")
    assert "cannot be read" in page()


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
