"""What the workflows ask that watch a model and have it trained again."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from fakes.candidates import DECIDED, candidate, committed
from fakes.cli import Command, Outputs
from fakes.platform import FakePlatform
from mlops.cli import ci_monitor, options
from mlops.monitoring.decisions import decided
from mlops.settings.project import Project
from mlops.window import Window


def test_the_worst_code_is_told(
    mlops: Command, outputs: Outputs, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mlops("ci", "worst", "drift=4", "monitor=1", "--json") == 0
    assert outputs() == {"code": "1"}
    assert json.loads(capsys.readouterr().out) == {"codes": {"drift": 4, "monitor": 1}, "worst": 1}
    assert mlops("ci", "worst") == 2


def test_the_commit_of_a_reviewed_candidate_is_told(
    mlops: Command,
    project: Project,
    outputs: Outputs,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (project.root / "conf" / "prod.yaml").touch()
    monkeypatch.setattr(options, "system_clock", lambda: DECIDED + timedelta(hours=1))
    asked = candidate(commit=committed(project.root, "uv.lock"))
    assert mlops("ci", "candidate", "--manifest", asked.line()) == 1
    assert "from main alone" in capsys.readouterr().err
    monkeypatch.setenv("GITHUB_REF", "refs/heads/main")
    assert mlops("ci", "candidate", "--manifest", asked.line(), "--json") == 0
    assert outputs() == {"commit": asked.commit}
    assert json.loads(capsys.readouterr().out)["id"] == asked.id
    assert mlops("ci", "candidate", "--manifest", "{}") == 2


@pytest.mark.parametrize(("hours", "code"), [(23.9, 0), (24, 1), (999, 1)])
def test_a_candidate_for_which_nobody_waits_is_not_trained(
    mlops: Command,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    hours: float,
    code: int,
) -> None:
    """A run that is started again days later: another candidate may have begun since."""
    (project.root / "conf" / "prod.yaml").touch()
    monkeypatch.setattr(options, "system_clock", lambda: DECIDED + timedelta(hours=hours))
    monkeypatch.setenv("GITHUB_REF", "refs/heads/main")
    asked = candidate(commit=committed(project.root, "uv.lock"))
    assert mlops("ci", "candidate", "--manifest", asked.line()) == code
    refused = "was decided 2026-06-30 12:00 UTC, more than retraining.patience_hours (24) ago"
    assert (refused in capsys.readouterr().err) is (code == 1)


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakePlatform:
    """In dev version 7 serves, which version 10 is to replace."""
    found = FakePlatform(tmp_path / "platform", (7, 9, 10))
    path = found.version(10).folder / "lineage.json"
    told = candidate(environment="dev").told()
    path.write_text(json.dumps({**json.loads(path.read_text()), "candidate": told}))
    found.endpoint("tiny-dev").serve("blue", 7, 100)
    monkeypatch.setattr(ci_monitor, "open_platform", lambda _settings: found)
    return found


@pytest.mark.usefixtures("project")
def test_what_still_serves_may_be_replaced(
    mlops: Command, platform: FakePlatform, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mlops("ci", "wanted", "--model-version", 10, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"candidate": "7-20260630T120000Z", "reference": 7}
    assert mlops("ci", "wanted", "--model-version", 9, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"candidate": None, "reference": None}
    assert platform.endpoint("tiny-dev").kept == []


@pytest.mark.usefixtures("project")
def test_nobody_is_asked_to_approve_what_would_replace_another_version(
    mlops: Command, platform: FakePlatform, capsys: pytest.CaptureFixture[str]
) -> None:
    endpoint = platform.endpoint("tiny-dev")
    endpoint.serve("blue", 9, 100)
    assert mlops("ci", "wanted", "--model-version", 10) == 1
    assert "and callers of tiny-dev reach version 9 now" in capsys.readouterr().err
    (end,) = decided(endpoint, Window(DECIDED, DECIDED.replace(year=9999)))
    assert (end.outcome, end.subject, end.model_version) == ("outdated", "7-20260630T120000Z", 7)
