"""What callers reach is changed from level 2 on, and only by what is there."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from fakes.candidates import candidate
from fakes.cli import Command, Outputs
from fakes.endpoint import FakeEndpoint
from fakes.platform import FakePlatform
from mlops.cli import release
from mlops.clock import system_clock
from mlops.errors import ConfigError
from mlops.platforms.lease_terms import RELEASE, WayBack
from mlops.release.rehearsal import Load, require_local
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


@pytest.fixture
def fake(tmp_path: Path) -> FakePlatform:
    return FakePlatform(tmp_path / "platform")


@pytest.fixture
def released(fake: FakePlatform, monkeypatch: pytest.MonkeyPatch) -> FakeEndpoint:
    """The endpoint of dev, where version 2, in green, took the place of version 1."""
    endpoint = fake.endpoint("tiny-dev")
    endpoint.serve("blue", 1, share=100)
    with endpoint.lease("the release of version 2", RELEASE):
        endpoint.serve("green", 2)
        way = WayBack("blue", 1, system_clock(), withdraws=2)
        endpoint.set_traffic({"green": 100}, completes=True, way_back=way)
    monkeypatch.setattr("mlops.cli.release.open_platform", lambda _: fake)
    return endpoint


@pytest.mark.usefixtures("at_level_2")
def test_an_alert_withdraws_a_version_once(
    mlops: Command,
    released: FakeEndpoint,
    outputs: Outputs,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def alarm(number: int) -> tuple[int, str]:
        code = mlops("rollback", "--model-version", number, "--alert", "error-rate", "--json")
        said = json.loads(capsys.readouterr().out)
        assert outputs()["outcome"] == said["outcome"]
        return code, said["outcome"]

    assert alarm(2) == (0, "rolled back")
    assert released.serving == {"blue": 1}  # nothing is kept in dev
    assert alarm(2) == (0, "nothing to withdraw")
    assert alarm(1) == (1, "no way back")
    with released.another_command("a switch", {"blue": 100}):
        assert alarm(2) == (0, "nothing to withdraw")


@pytest.mark.usefixtures("at_level_2", "released")
def test_an_alert_that_finds_another_command_at_work_says_so(
    mlops: Command, released: FakeEndpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    with released.another_command("a switch", {"green": 100}):
        assert mlops("rollback", "--model-version", 2, "--alert", "latency") == 3
    assert "another command is changing tiny-dev: a switch" in capsys.readouterr().err


@pytest.mark.usefixtures("at_level_2", "released")
def test_a_rollback_by_hand_goes_forward_again_and_one_by_an_alert_does_not(
    mlops: Command, released: FakeEndpoint, fake: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLOPS_RELEASE__KEEP_PREVIOUS", "24h")
    for share in (100, 0, 100):
        assert mlops("rollback", "--reason", f"{share} is better") == 0
        assert released.traffic() == {"blue": share, "green": 100 - share}
    told = [json.loads(line) for line in fake.audit_store.lines()]
    assert [each["reason"] for each in told if each["phase"] == "outcome"] == [
        f"{share} is better" for share in (100, 0, 100)
    ]
    assert mlops("rollback", "--model-version", 1, "--alert", "error-rate") == 1
    assert released.traffic() == {"blue": 100, "green": 0}


@pytest.mark.parametrize(
    "given", [("--alert", "error-rate"), ("--alert", " ", "--model-version", 2)]
)
def test_an_alert_names_what_it_withdraws_and_why(
    mlops: Command, capsys: pytest.CaptureFixture[str], given: tuple[object, ...]
) -> None:
    assert mlops("rollback", *given) == 2
    assert "an alert withdraws one version" in capsys.readouterr().err


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


@pytest.mark.usefixtures("at_level_2")
def test_a_candidate_for_what_serves_no_more_is_refused_and_that_is_kept(
    mlops: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    outputs: Outputs,
    capsys: pytest.CaptureFixture[str],
) -> None:
    platform = FakePlatform(tmp_path / "platform")
    endpoint = platform.endpoint("tiny-dev")
    endpoint.serve("blue", 9, 100)
    path = platform.version(10).folder / "lineage.json"
    told = candidate(environment="dev").told()
    path.write_text(json.dumps({**json.loads(path.read_text()), "candidate": told}))
    monkeypatch.setattr(release, "open_platform", lambda _settings: platform)
    assert mlops("release", "--model-version", 10) == 1
    assert "is outdated: it was to take the place of version 7" in capsys.readouterr().err
    assert outputs() == {"outcome": "unchanged"}
    assert endpoint.serving == {"blue": 9}
    (end,) = endpoint.kept
    assert (end["kind"], end["outcome"], end["subject"]) == ("retraining", "outdated", told["id"])


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

    def rehearse(*_given: Any, breaking: str) -> tuple[None, Load]:
        told.append(breaking)
        return None, Load()

    monkeypatch.setattr("mlops.release.rehearsal.rehearse", rehearse)
    command = ("release", "--model-version", 3, "--rehearsal")
    assert mlops(*command, "--breaking", "--reason", " the shop sends no c ") == 0
    assert mlops(*command) == 0
    assert told == ["the shop sends no c", ""]


def test_a_rehearsal_that_loses_requests_after_the_switch_says_that_the_version_is_released(
    mlops: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    load = Load(Counter({200: 98, 503: 2}))
    monkeypatch.setattr("mlops.release.rehearsal.rehearse", lambda *_given, **_more: (None, load))
    assert mlops("release", "--model-version", 3, "--rehearsal") == 1
    said = capsys.readouterr().err
    assert "version 3 is released, and 2 of 100 generated requests failed after the switch" in said
