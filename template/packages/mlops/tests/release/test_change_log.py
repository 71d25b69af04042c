"""A change of traffic by hand is kept, and never fails for it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fakes.endpoint import FakeEndpoint
from mlops.errors import PlatformError
from mlops.progress import silent
from mlops.release.change_log import CHANGE, ROLLBACK, SWITCH, given_to_callers, keep_change
from mlops.settings.loading import LoadedSettings, load_settings
from mlops.settings.project import Project
from mlops.window import Window

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)


@pytest.fixture
def settings(project: Project) -> LoadedSettings:
    return load_settings(project, variables={}, clock=lambda: NOW)


def test_what_callers_reach_after_it_is_kept(settings: LoadedSettings) -> None:
    endpoint = FakeEndpoint("tiny-dev")
    endpoint.serve("blue", 1, share=30)
    endpoint.serve("green", 2, share=70)
    keep_change(endpoint, settings, SWITCH, silent)
    (kept,) = endpoint.checks(CHANGE, Window.last(timedelta(days=1), NOW + timedelta(seconds=1)))
    assert kept == {
        "check": "change",
        "kind": "switch-traffic",
        "time": "2026-06-30T12:00:00+00:00",
        "environment": "dev",
        "endpoint": "tiny-dev",
        "deployment": "green",
        "model_name": "tiny",
        "model_version": 2,
        "outcome": "switched",
        "traffic": "blue 30 %, green 70 %",
    }


def test_a_rollback_to_nothing_is_kept_too(settings: LoadedSettings) -> None:
    endpoint = FakeEndpoint("tiny-dev")
    endpoint.serve("blue", 1)
    keep_change(endpoint, settings, ROLLBACK, silent)
    (kept,) = endpoint.kept
    assert (kept["outcome"], kept["deployment"], kept["traffic"]) == ("rolled back", None, "")


def test_what_cannot_be_kept_is_told_and_undoes_nothing(
    settings: LoadedSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = FakeEndpoint("tiny-dev")
    endpoint.serve("blue", 1, share=100)

    def refuse(_checks: Sequence[Mapping[str, Any]]) -> None:
        raise PlatformError("the disk is full")

    monkeypatch.setattr(endpoint, "keep_checks", refuse)
    said: list[str] = []
    keep_change(endpoint, settings, ROLLBACK, lambda line, *_stage: said.append(line))
    assert said == ["that traffic was changed could not be kept: the disk is full"]


def test_both_commands_keep_it(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from click.testing import CliRunner

    from fakes.platform import FakePlatform
    from mlops.cli import release

    path = project.root / "pyproject.toml"
    path.write_text(path.read_text().replace("maturity_level = 1", "maturity_level = 2"))
    monkeypatch.chdir(project.root)
    platform, endpoint = FakePlatform(tmp_path / "platform"), FakeEndpoint("tiny-dev")
    endpoint.serve("blue", 1, share=100)
    endpoint.serve("green", 2)
    monkeypatch.setattr(platform, "endpoint", lambda _name: endpoint)
    monkeypatch.setattr(release, "open_platform", lambda _settings: platform)
    monkeypatch.setattr(release, "switch", lambda *_all: None)
    monkeypatch.setattr(release, "roll_back", lambda *_all: None)
    for command in ([release.switch_traffic, "--green-percent", "50"], [release.rollback]):
        done = CliRunner().invoke(command[0], command[1:], obj=lambda: NOW)  # type: ignore[arg-type]
        assert done.exit_code == 0, done.output
    assert [each["kind"] for each in endpoint.kept] == ["switch-traffic", "rollback"]


@pytest.mark.parametrize(
    ("kinds", "given"),
    [
        ([], {}),
        ([("release", 1)], {1: 0}),
        ([("release", 1), ("release", 2)], {1: 0, 2: 1}),
        ([("release", 1), ("release", 2), ("rollback", 1)], {1: 2, 2: 1}),
        ([("release", 2), ("rollback", 1), ("release", 2)], {1: 1, 2: 2}),
        # what only changes its share was not given callers anew
        ([("release", 2), ("switch-traffic", 2), ("switch-traffic", 2)], {2: 0}),
        # what was before the first change is not known
        ([("switch-traffic", 2)], {}),
        ([("rollback", 1)], {1: 0}),
        ([("switch-traffic", 2), ("switch-traffic", 3)], {3: 1}),
        # of a change by the platform nothing is kept
        ([("release", 2), ("release", 2)], {2: 1}),
        ([("release", 2), ("rollback", None), ("rollback", 2)], {2: 2}),
    ],
)
def test_a_version_is_given_callers_by_what_took_them_from_another(
    kinds: list[tuple[str, int | None]], given: dict[int, int]
) -> None:
    hour = timedelta(hours=1)
    changes = [
        {"kind": kind, "model_version": version, "time": (NOW + n * hour).isoformat()}
        for n, (kind, version) in enumerate(kinds)
    ]
    expected = {version: NOW + n * hour for version, n in given.items()}
    assert given_to_callers(changes) == expected
