"""What callers reach is changed from level 2 on, and only by what is there."""

import json
from pathlib import Path
from typing import Any

import pytest

from fakes.cli import Command, Outputs
from fakes.endpoint import FakeEndpoint
from fakes.platform import FakePlatform
from mlops.errors import ConfigError
from mlops.release.rehearsal import require_local
from mlops.settings.loading import load_settings
from mlops.settings.project import Project


@pytest.mark.parametrize(
    ("command", "level"),
    [
        (("release", "--model-version", 1), 2),
        (("release", "--model-version", 1, "--rehearsal"), 2),
        (("ab-test",), 3),
        (("ab-test", "--rehearsal"), 3),
        (("switch-traffic", "--green-percent", 100), 2),
        (("rollback",), 2),
    ],
)
def test_a_command_of_a_higher_level_says_so(
    mlops: Command, capsys: pytest.CaptureFixture[str], command: tuple[object, ...], level: int
) -> None:
    assert mlops(*command) == 2
    assert f"copier update -d maturity_level={level}" in capsys.readouterr().err


@pytest.fixture
def at_level_2(project: Project) -> None:
    path = project.root / "pyproject.toml"
    path.write_text(path.read_text().replace("maturity_level = 1", "maturity_level = 2"))


@pytest.mark.usefixtures("at_level_2")
@pytest.mark.parametrize(
    ("share", "reached", "traffic"),
    [(100, "version 2", {"blue": 100}), (0, "no version", {"blue": 0}), (None, "no version", {})],
)
def test_a_rollback_of_a_version_that_does_not_serve_changes_nothing(
    mlops: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    share: int | None,
    reached: str,
    traffic: dict[str, int],
) -> None:
    platform = FakePlatform(tmp_path / "platform")
    endpoint = FakeEndpoint("tiny-dev")
    if share is not None:
        endpoint.serve("blue", 2, share=share)
    monkeypatch.setattr(platform, "endpoint", lambda _: endpoint)
    monkeypatch.setattr("mlops.cli.release.open_platform", lambda _: platform)
    assert mlops("rollback", "--model-version", 1, "--json") == 0
    said = capsys.readouterr()
    assert json.loads(said.out) == {"endpoint": "tiny-dev", "traffic": traffic}
    told = " ".join(said.err.split())
    assert f"version 1 has no traffic, so nothing is undone: callers reach {reached}" in told
    assert mlops("rollback", "--model-version", 3) == 2
    assert "nothing is undone" not in capsys.readouterr().err


@pytest.mark.usefixtures("at_level_2")
def test_a_rollback_needs_what_it_can_go_back_to(
    mlops: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mlops("rollback", "--model-version", 3) == 2
    assert mlops("rollback") == 2
    assert "nothing that served before is recorded" in capsys.readouterr().err


def test_a_release_that_did_not_begin_says_that_nothing_changed(
    mlops: Command, outputs: Outputs
) -> None:
    assert mlops("release", "--model-version", 3) == 2
    assert outputs() == {"outcome": "unchanged"}


def test_a_rehearsal_is_for_this_machine(project: Project) -> None:
    settings = load_settings(project, overrides={"platform": "azure"}, variables={})
    with pytest.raises(ConfigError, match="leave --rehearsal out"):
        require_local(settings)


@pytest.mark.parametrize(
    "given", [("--breaking",), ("--reason", "x"), ("--breaking", "--reason", " ")]
)
def test_callers_may_be_refused_only_for_a_reason(
    mlops: Command, capsys: pytest.CaptureFixture[str], given: tuple[str, ...]
) -> None:
    assert mlops("release", "--model-version", 3, *given) == 2
    assert "--breaking and --reason go together" in capsys.readouterr().err


def test_a_rehearsal_is_told_why_callers_may_be_refused(
    mlops: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    def rehearse(*_given: Any, breaking: str) -> None:
        told.append(breaking)

    monkeypatch.setattr("mlops.release.rehearsal.rehearse", rehearse)
    command = ("release", "--model-version", 3, "--rehearsal")
    assert mlops(*command, "--breaking", "--reason", " the shop sends no c ") == 0
    assert mlops(*command) == 0
    assert told == ["the shop sends no c", ""]
