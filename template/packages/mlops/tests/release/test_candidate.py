"""A release from the first deployment to the switch, and everything that may stop it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

from mlops.errors import ConfigError, Hold, PlatformError, Refused
from mlops.files import read_json
from mlops.release.candidate import NOBODY, Released, Watchers, ab_test, has_ab_test, release
from mlops.settings.loading import LoadedSettings

AtLevel = Callable[..., LoadedSettings]

pytestmark = pytest.mark.usefixtures("smoke", "_small_picture")


@pytest.fixture
def _small_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing is tested in test_evidence."""
    draw = "mlops.release.evidence.draw"
    monkeypatch.setattr(draw, lambda _result: Figure(figsize=(1, 1)))


def ended(ends: list[Released]) -> dict[str, Any]:
    """The evidence of the only release that ended."""
    (end,) = ends
    assert end.folder
    return read_json(end.folder / "evidence.json", schema=1)


def test_level_1_has_no_release(platform: Any, at_level: AtLevel) -> None:
    with pytest.raises(ConfigError, match=r"level 1.*copier update -d maturity_level=2"):
        release(platform, at_level(1), 1)
    assert platform.fake.calls == []


def test_the_first_release_ever_proves_itself_before_it_serves(
    platform: Any, endpoint: Any, at_level: AtLevel
) -> None:
    released = release(platform, at_level(3), 2)
    assert endpoint.calls == [
        "lease for the release of version 2",
        "deploy blue 2",
        "smoke test blue",
        "mirror None 0",
        "traffic {'blue': 100}",
    ]
    assert released.record.outcome == "promoted"
    assert released.record.ab_test is None


def test_a_first_version_that_fails_its_smoke_test_is_removed(
    platform: Any, endpoint: Any, smoke: dict[str, bool], at_level: AtLevel
) -> None:
    smoke["passes"] = False
    with pytest.raises(Refused, match="failed the smoke test"):
        release(platform, at_level(3), 2)
    assert endpoint.serving == {}


def test_level_2_switches_after_the_smoke_test(
    platform: Any, serving: Any, at_level: AtLevel
) -> None:
    release(platform, at_level(2), 2)
    assert serving.calls == [
        "lease for the release of version 2",
        "deploy green 2",
        "smoke test green",
        "mirror None 0",
        "traffic {'green': 100}",
        "delete blue",
    ]
    assert serving.recorded["blue"].model_version == 1


def test_level_3_goes_by_mirror_share_and_decision(
    platform: Any, serving: Any, at_level: AtLevel
) -> None:
    released = release(platform, at_level(3), 2)
    assert serving.calls == [
        "lease for the release of version 2",
        "deploy green 2",
        "smoke test green",
        "mirror green 20",
        "mirror None 0",
        "traffic {'blue': 90, 'green': 10}",
        "mirror None 0",
        "traffic {'green': 100}",
        "delete blue",
    ]
    assert serving.shares == {"green": 100}
    assert released.record.ab_test
    assert released.record.ab_test.decision == "promote"


def test_the_next_release_takes_the_other_colour(
    platform: Any, serving: Any, at_level: AtLevel
) -> None:
    release(platform, at_level(2), 2)
    release(platform, at_level(2), 10)
    assert serving.serving == {"blue": 10}
    assert serving.shares == {"blue": 100}


def test_a_version_that_serves_already_is_left_alone(
    platform: Any, serving: Any, at_level: AtLevel
) -> None:
    released = release(platform, at_level(3), 1)
    assert serving.calls == ["lease for the release of version 1"]
    assert (released.record.outcome, released.folder) == ("unchanged", None)


def test_a_worse_candidate_is_rejected_and_removed(
    platform: Any, serving: Any, at_level: AtLevel
) -> None:
    serving.errors = {2: 0.1}
    ends: list[Released] = []
    with pytest.raises(Refused, match=r"rejected: green is worse than blue in errors") as refusal:
        release(platform, at_level(3), 2, Watchers(ended=ends.append))
    assert refusal.value.exit_code == 1
    assert (serving.serving, serving.shares, serving.copies) == ({"blue": 1}, {"blue": 100}, {})
    evidence = ended(ends)
    assert evidence["outcome"] == "rejected"
    assert evidence["traffic_after"] == {"blue": 100}
    assert ends[0].folder
    assert (ends[0].folder / "candidate.log").read_text() == "green printed this"


def test_without_enough_requests_the_candidate_waits_without_traffic(
    platform: Any, serving: Any, at_level: AtLevel
) -> None:
    serving.batch = 10
    ends: list[Released] = []
    settings = at_level(3, ab_test__duration_seconds=0.05)
    with pytest.raises(Hold, match="no decision yet") as hold:
        release(platform, settings, 2, Watchers(ended=ends.append))
    assert hold.value.exit_code == 4
    assert (serving.serving, serving.copies) == ({"blue": 1, "green": 2}, {})
    assert serving.shares == {"blue": 100, "green": 0}
    assert serving.recorded is None
    assert ended(ends)["outcome"] == "hold"

    serving.batch, serving.calls = 400, []
    release(platform, at_level(3), 2)
    assert not any(call.startswith("deploy") for call in serving.calls)
    assert serving.shares == {"green": 100}


def test_a_failed_smoke_test_leaves_all_as_it_was(
    platform: Any, serving: Any, smoke: dict[str, bool], at_level: AtLevel
) -> None:
    smoke["passes"] = False
    with pytest.raises(Refused, match="green, version 2, failed the smoke test: health"):
        release(platform, at_level(3), 2)
    assert not any(call.startswith(("traffic", "mirror")) for call in serving.calls)
    assert (serving.serving, serving.shares) == ({"blue": 1}, {"blue": 100})


def test_a_candidate_that_dies_is_rejected_at_once(
    platform: Any, serving: Any, at_level: AtLevel
) -> None:
    def die() -> None:
        if serving.shares.get("green"):
            serving.dead.add("green")
            serving.batch = 20

    serving.before_look = die
    with pytest.raises(Refused, match=r"green is not healthy: not running|green is worse"):
        release(platform, at_level(3), 2)
    assert (serving.serving, serving.shares) == ({"blue": 1}, {"blue": 100})


@pytest.mark.parametrize("error", [KeyboardInterrupt(), PlatformError("no router")])
def test_an_interruption_leaves_all_as_it_was(
    platform: Any, serving: Any, at_level: AtLevel, error: BaseException
) -> None:
    def interrupt() -> None:
        if serving.shares.get("green"):
            raise error

    serving.before_look = interrupt
    ends: list[Released] = []
    with pytest.raises(type(error)):
        release(platform, at_level(3), 2, Watchers(ended=ends.append))
    assert (serving.serving, serving.shares, serving.copies) == ({"blue": 1}, {"blue": 100}, {})
    assert ended(ends)["outcome"] == "failed"


def test_a_candidate_that_was_there_before_is_not_removed_by_a_failure(
    platform: Any, serving: Any, smoke: dict[str, bool], at_level: AtLevel
) -> None:
    serving.serving["green"], serving.shares["green"] = 2, 0
    smoke["passes"] = False
    with pytest.raises(Refused):
        release(platform, at_level(3), 2)
    assert serving.serving == {"blue": 1, "green": 2}


def test_shared_traffic_and_unknown_versions_are_refused_first(
    platform: Any, serving: Any, at_level: AtLevel
) -> None:
    with pytest.raises(Refused, match="no version 7"):
        release(platform, at_level(3), 7)
    serving.serving["green"], serving.shares = 2, {"blue": 90, "green": 10}
    with pytest.raises(ConfigError, match="blue 90 %, green 10 %"):
        release(platform, at_level(3), 10)
    assert not any(call.startswith("deploy") for call in serving.calls)


@pytest.mark.parametrize(("rate", "outcome"), [(0.0, "promoted"), (0.2, "rejected")])
def test_an_ab_test_by_itself_changes_nothing(
    serving: Any, at_level: AtLevel, rate: float, outcome: str
) -> None:
    serving.serving["green"], serving.shares["green"] = 2, 0
    serving.errors = {2: rate}
    result = ab_test(at_level(3), serving, ("blue", "green"))
    assert result.record.outcome == outcome
    assert (serving.shares, serving.copies) == ({"blue": 100, "green": 0}, {})
    assert serving.recorded is None
    assert result.folder
    assert Path(result.folder, "evidence.png").is_file()


@pytest.mark.parametrize(
    ("environment", "enabled", "compared"),
    [("prod", None, True), ("test", None, False), ("test", True, True), ("prod", False, False)],
)
def test_only_prod_compares_unless_it_is_said(
    platform: Any, serving: Any, at_level: AtLevel, environment: str, enabled: Any, compared: bool
) -> None:
    settings = at_level(3, ab_test__enabled=enabled)
    values = settings.values.model_copy(update={"environment": environment})
    released = release(platform, replace(settings, values=values), 2)
    assert (released.record.ab_test is not None) == compared
    assert serving.shares == {"green": 100}


def test_a_dead_version_is_replaced_without_a_comparison(
    platform: Any, serving: Any, at_level: AtLevel
) -> None:
    serving.dead.add("blue")
    released = release(platform, at_level(3), 2)
    assert serving.shares == {"green": 100}
    assert "blue is not healthy, so there is nothing to compare with" in released.record.reason


def test_evidence_that_cannot_be_written_does_not_decide_the_release(
    platform: Any, serving: Any, at_level: AtLevel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("mlops.release.candidate.write_evidence", fail)
    lines: list[str] = []
    released = release(platform, at_level(2), 2, Watchers(report=lines.append))
    assert (released.record.outcome, released.folder) == ("promoted", None)
    assert serving.shares == {"green": 100}
    assert "the evidence could not be written: no space left" in lines


def test_what_cannot_be_removed_undoes_no_release(
    platform: Any, serving: Any, at_level: AtLevel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(serving, "delete", interrupt)
    ends: list[Released] = []
    with pytest.raises(KeyboardInterrupt):
        release(platform, at_level(2), 2, Watchers(ended=ends.append))
    assert serving.shares == {"blue": 0, "green": 100}
    assert ended(ends)["outcome"] == "promoted"
    assert serving.recorded["blue"].model_version == 1


def test_what_cannot_be_removed_stands_in_the_evidence(
    platform: Any, serving: Any, at_level: AtLevel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_name: str) -> None:
        raise PlatformError("another operation on it is in progress")

    monkeypatch.setattr(serving, "delete", refuse)
    ends: list[Released] = []
    released = release(platform, at_level(2), 2, Watchers(ended=ends.append))
    assert released.record.outcome == "promoted"
    assert ended(ends)["not_removed"] == ["blue"]
    assert released.folder
    page = (released.folder / "evidence.md").read_text(encoding="utf-8")
    assert "**Warning:** blue could not be removed" in page


def test_a_switch_completes_its_release(platform: Any, serving: Any, at_level: AtLevel) -> None:
    release(platform, at_level(2), 2)
    assert serving.completed


@pytest.mark.parametrize(("poll_seconds", "seconds"), [(0.0, 0.001), (0.02, 0.02)])
def test_an_endpoint_is_asked_no_more_often_than_it_may_be(
    platform: Any, serving: Any, at_level: AtLevel, poll_seconds: float, seconds: float
) -> None:
    settings = at_level(3)
    serving.poll_seconds = poll_seconds
    released = release(platform, settings, 2)
    serving.serving["blue"], serving.shares["blue"] = 2, 0
    alone = ab_test(settings, serving, ("green", "blue"))
    for each in (released, alone):
        assert each.record.ab_test
        assert each.record.ab_test.settings.batch_seconds == seconds


def test_an_ab_test_needs_level_3(serving: Any, at_level: AtLevel) -> None:
    with pytest.raises(ConfigError, match="maturity_level=3"):
        ab_test(at_level(2), serving, ("blue", "green"), NOBODY)


def test_a_release_that_could_not_be_judged_deploys_nothing(
    platform: Any, serving: Any, at_level: AtLevel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> list[Any]:
        raise ConfigError("there can be no A/B test without a log of the requests")

    monkeypatch.setattr(serving, "observations", refuse)
    with pytest.raises(ConfigError, match="without a log"):
        release(platform, at_level(3), 2)
    assert not [call for call in serving.calls if call.startswith(("deploy", "traffic"))]


@pytest.mark.parametrize(
    ("level", "environment", "enabled", "expected"),
    [
        (3, "prod", None, True),
        (3, "prod", False, False),
        (3, "test", None, False),
        (3, "test", True, True),
        (2, "prod", None, False),
        (2, "prod", True, False),
    ],
)
def test_an_ab_test_needs_callers(
    at_level: AtLevel, level: int, environment: str, enabled: bool | None, expected: bool
) -> None:
    settings = at_level(level, ab_test__enabled=enabled)
    values = settings.values.model_copy(update={"environment": environment})
    assert has_ab_test(replace(settings, values=values)) is expected
