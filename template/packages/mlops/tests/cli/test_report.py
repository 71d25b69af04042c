"""`mlops report`: which environments, which file."""

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from fakes.alerts import ENOUGH, NOON, requests, watched
from fakes.cli import Command
from fakes.endpoint import FakeEndpoint
from fakes.places import PROJECT
from fakes.watched import busy_events, decisions, release
from mlops.artifacts.documents import EVIDENCE
from mlops.artifacts.evidence_folder import releases_folder
from mlops.cli import options
from mlops.errors import ConfigError
from mlops.monitoring.decisions import keep
from mlops.monitoring.report import collect
from mlops.monitoring.rules.reading import ALERTS
from mlops.settings.loading import LoadedSettings
from mlops.settings.project import Project


@pytest.fixture
def endpoints(monkeypatch: pytest.MonkeyPatch) -> dict[str, FakeEndpoint]:
    """The endpoints of a platform, by name; one that is missing cannot be read."""
    found: dict[str, FakeEndpoint] = {}

    class Platform:
        def endpoint(self, name: str) -> FakeEndpoint:
            if name not in found:
                raise ConfigError(f"{name} is not for you", "ask")
            return found[name]

    def open_platform(_settings: LoadedSettings) -> Platform:
        return Platform()

    monkeypatch.setattr(collect, "open_platform", open_platform)
    return found


def test_each_environment_is_on_the_page_and_one_that_fails_hides_no_other(
    mlops: Command,
    project: Project,
    endpoints: dict[str, FakeEndpoint],
    capsys: pytest.CaptureFixture[str],
) -> None:
    busy = endpoints["tiny-dev"] = FakeEndpoint("tiny-dev")
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


def test_alerts_and_what_was_done_are_on_the_page(
    mlops: Command,
    project: Project,
    endpoints: dict[str, FakeEndpoint],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    endpoints["tiny-dev"] = watched(requests(ENOUGH, 20, fault="failed"))
    keep(endpoints["tiny-dev"], [replace(decisions(2)[1], time=NOON - timedelta(hours=1))])
    monkeypatch.setattr(options, "system_clock", lambda: NOON)
    assert mlops("report") == 0
    text = Path(capsys.readouterr().out.strip()).read_text(encoding="utf-8")
    assert "alerts.yaml cannot be read" in text
    assert "100 predictions" in text, "it hides nothing else"
    (project.root / ALERTS).parent.mkdir()
    shutil.copy(PROJECT / ALERTS, project.root / ALERTS)
    assert mlops("report") == 0
    text = Path(capsys.readouterr().out.strip()).read_text(encoding="utf-8")
    assert "error_rate is 0.2 of 100 events" in text
    assert ">alarm<" in text
    assert "<td>rolled back</td>" in text


def test_an_endpoint_that_does_not_exist_is_said_to_be_empty(
    mlops: Command, endpoints: dict[str, FakeEndpoint], tmp_path: Path
) -> None:
    endpoints["tiny-dev"] = FakeEndpoint("tiny-dev")
    page = tmp_path / "new" / "page.html"
    assert mlops("report", "--environment", "dev", "--output", page) == 0
    assert "Nothing is deployed here." in page.read_text(encoding="utf-8")


def test_evidence_that_cannot_be_read_is_said(
    mlops: Command, project: Project, endpoints: dict[str, FakeEndpoint], tmp_path: Path
) -> None:
    endpoints["tiny-dev"] = FakeEndpoint("tiny-dev")
    folder = releases_folder(project.state_dir) / "tiny-dev" / "20260620T120000.000000Z"
    folder.mkdir(parents=True)
    (folder / "evidence.json").write_text("{")
    page = tmp_path / "page.html"
    assert mlops("report", "--output", page) == 0
    assert "cannot be read" in page.read_text(encoding="utf-8")
