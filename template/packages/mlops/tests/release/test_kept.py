"""What served before stays at 0 % for a while: the way back is a change of traffic alone."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from fakes.endpoint import FakeEndpoint
from fakes.platform import FakePlatform
from fakes.release import AtLevel, PretendedSmokeTest
from fakes.tiny_version import FEATURES, MADE_UP
from mlops.clock import system_clock
from mlops.errors import PlatformError
from mlops.monitoring.decisions import Kind, decided
from mlops.platforms.base import AtWork, DeploymentShare
from mlops.platforms.lease_rules import EndpointBusy
from mlops.platforms.lease_terms import WayBack
from mlops.release.candidate import ReleaseOptions, release_version
from mlops.release.deploy import deploy
from mlops.release.kept import kept, kept_sentence, kept_until
from mlops.release.tidy import tidy
from mlops.release.traffic import rollback, switch_traffic
from mlops.settings.loading import LoadedSettings
from mlops.settings.release_section import ReleaseSettings
from mlops.window import Window

NOW = system_clock()
DAY = timedelta(days=1)

pytestmark = pytest.mark.usefixtures("smoke", "small_picture")


@pytest.fixture
def settings(at_level: AtLevel) -> LoadedSettings:
    """Settings at level 2 that keep what served before for a day."""
    found = at_level(2, release__keep_previous="24h")
    return _at(found, NOW)


def _at(settings: LoadedSettings, now: datetime) -> LoadedSettings:
    return replace(settings, clock=lambda: now)


@pytest.fixture
def released(
    platform: FakePlatform, serving: FakeEndpoint, settings: LoadedSettings
) -> FakeEndpoint:
    """An endpoint where version 2, in green, took the place of version 1, which is kept."""
    release_version(platform, settings, 2)
    serving.calls.clear()
    return serving


@pytest.mark.parametrize(
    ("written", "span"),
    [("24h", DAY), ("90m", timedelta(minutes=90)), ("0", timedelta()), (0, timedelta())],
)
def test_a_span_is_a_number_with_its_unit_or_nothing(written: object, span: timedelta) -> None:
    assert ReleaseSettings.model_validate({"keep_previous": written}).kept_for == span


@pytest.mark.parametrize("written", ["24", "0h", "a day", -1, 24, False, None])
def test_what_is_no_span_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="keep_previous"):
        ReleaseSettings.model_validate({"keep_previous": written})


def test_the_way_back_from_an_alarm_that_goes_on_stays(
    platform: FakePlatform, released: FakeEndpoint, settings: LoadedSettings
) -> None:
    later = NOW + 2 * DAY
    awaited = frozenset({2})
    assert tidy(platform, released, settings, later, awaited=awaited) == []
    assert released.serving == {"blue": 1, "green": 2}
    assert tidy(platform, released, settings, later, awaited=frozenset({1, 3})) == ["blue"]


def test_what_served_before_is_kept_and_the_way_back_is_recorded(released: FakeEndpoint) -> None:
    assert released.serving == {"blue": 1, "green": 2}
    assert released.traffic() == {"blue": 0, "green": 100}
    way = WayBack("blue", 1, NOW + DAY, withdraws=2)
    assert (released.way_back(), kept(released)) == (way, way)
    assert kept_sentence(way) == (
        f"blue, version 1, is kept at 0 % until {NOW + DAY:%Y-%m-%d %H:%M} UTC"
    )


def test_without_a_time_it_is_removed_and_an_alert_may_deploy_it_again(
    platform: FakePlatform, serving: FakeEndpoint, at_level: AtLevel
) -> None:
    settings = _at(at_level(2), NOW)
    release_version(platform, settings, 2)
    assert serving.serving == {"green": 2}
    assert serving.way_back() == WayBack("blue", 1, NOW, withdraws=2)
    assert (kept(serving), kept_until(settings)) == (None, None)


def test_a_rollback_moves_traffic_alone_and_needs_no_registry(
    platform: FakePlatform,
    released: FakeEndpoint,
    settings: LoadedSettings,
    smoke: PretendedSmokeTest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(_number: int) -> None:
        raise PlatformError("the registry does not answer")

    monkeypatch.setattr(platform, "version", fail)
    smoke.passes = False  # it is not asked
    for traffic in ({"blue": 100, "green": 0}, {"blue": 0, "green": 100}):
        rollback(platform, released, settings.values.smoke_test, kept_until=kept_until(settings))
        assert released.traffic() == traffic
    assert released.serving == {"blue": 1, "green": 2}
    changes = [call for call in released.calls if call.startswith(("deploy", "delete", "smoke"))]
    assert changes == []
    assert released.way_back() == WayBack("blue", 1, NOW + DAY)


@pytest.mark.parametrize("fault", ["dead", "gone", "another"])
def test_what_is_kept_no_more_is_deployed_and_tested_again(
    platform: FakePlatform, released: FakeEndpoint, settings: LoadedSettings, fault: str
) -> None:
    if fault == "dead":
        released.dead.add("blue")
    elif fault == "gone":
        released.delete("blue")
    else:
        released.serve("blue", 9)
    rollback(platform, released, settings.values.smoke_test, kept_until=kept_until(settings))
    assert "smoke test blue" in released.calls
    assert any(call.startswith("deploy blue 1") for call in released.calls)
    assert released.traffic() == {"blue": 100, "green": 0}


def test_a_version_that_serves_beside_what_is_kept_is_not_released_again(
    platform: FakePlatform, released: FakeEndpoint, settings: LoadedSettings
) -> None:
    assert release_version(platform, settings, 2).record.outcome == "unchanged"
    assert released.serving == {"blue": 1, "green": 2}


def test_the_next_release_takes_the_place_once_it_has_something_that_starts(
    platform: FakePlatform, released: FakeEndpoint, settings: LoadedSettings
) -> None:
    platform.numbers = [1, 2, 9, 10]
    released.code = "def init():\n    raise ValueError('no')\n"
    with pytest.raises(PlatformError, match="did not start"):
        release_version(platform, settings, 9)
    assert released.serving == {"blue": 1, "green": 2}
    assert kept(released)
    released.code = "# mended"
    release_version(platform, settings, 10)
    assert released.serving == {"blue": 10, "green": 2}
    assert released.way_back() == WayBack("green", 2, NOW + DAY, withdraws=10)


def test_a_candidate_in_the_place_of_what_was_kept_is_not_taken_for_it(
    platform: FakePlatform, released: FakeEndpoint, settings: LoadedSettings
) -> None:
    released.serve("blue", 9)
    assert kept(released) is None
    assert tidy(platform, released, settings, NOW + 2 * DAY) == []
    assert released.serving == {"blue": 9, "green": 2}


@pytest.mark.parametrize("why", ["breaking", "made up", "the same"])
def test_an_alert_has_no_way_back_where_requests_may_differ(
    platform: FakePlatform, serving: FakeEndpoint, settings: LoadedSettings, why: str
) -> None:
    options = ReleaseOptions()
    number = 2
    if why == "breaking":
        platform.features = {2: FEATURES[:1]}
        options = ReleaseOptions(breaking="the shop sends nothing else")
    elif why == "made up":
        platform.sources = {1: MADE_UP}
    else:
        number, options = 1, ReleaseOptions(rehearsal="said")
    release_version(platform, settings, number, options=options)
    assert serving.way_back() == WayBack("blue", 1, NOW + DAY, withdraws=None)


def test_the_first_release_has_no_way_back(
    platform: FakePlatform, endpoint: FakeEndpoint, settings: LoadedSettings
) -> None:
    release_version(platform, settings, 1)
    assert (endpoint.serving, endpoint.way_back()) == ({"blue": 1}, None)


def test_a_change_by_hand_leaves_an_alert_no_way_back(
    platform: FakePlatform, released: FakeEndpoint
) -> None:
    switch_traffic(platform, released, 90)
    assert released.way_back() is None
    deploy(platform, released.name, 1, "blue", 100, force=True)
    assert released.way_back() is None


def test_its_time_over_it_is_removed_and_callers_notice_nothing(
    platform: FakePlatform, released: FakeEndpoint, settings: LoadedSettings
) -> None:
    recorded, way = released.previous(), released.way_back()
    almost = NOW + DAY - timedelta(seconds=1)
    assert tidy(platform, released, settings, almost) == []
    assert released.calls == []
    assert tidy(platform, released, settings, NOW + DAY) == ["blue"]
    assert released.serving == {"green": 2}
    assert (released.previous(), released.way_back()) == (recorded, way)
    (decision,) = decided(released, Window.last(DAY, NOW + 2 * DAY), Kind.TIDYING)
    assert (decision.deployment, decision.model_version, decision.outcome) == (
        "blue",
        1,
        "removed",
    )
    assert tidy(platform, released, settings, NOW + 2 * DAY) == []


def test_what_has_traffic_or_copies_is_not_removed(
    platform: FakePlatform, released: FakeEndpoint, settings: LoadedSettings
) -> None:
    later = NOW + 2 * DAY
    released.set_mirror("blue", 10)
    assert tidy(platform, released, settings, later) == []
    released.set_mirror(None)
    released.set_traffic({"blue": 10, "green": 90})
    assert tidy(platform, released, settings, later) == []
    assert released.serving == {"blue": 1, "green": 2}


def test_nothing_is_tidied_where_nothing_serves_or_a_command_is_at_work(
    platform: FakePlatform, released: FakeEndpoint, settings: LoadedSettings
) -> None:
    later = NOW + 2 * DAY
    assert tidy(platform, FakeEndpoint(), settings, later) == []
    lines: list[str] = []
    with released.another_command("a switch", {"green": 100}):
        assert tidy(platform, released, settings, later, lines.append) == []
    assert lines == ["what was kept stays for now: another command is changing tiny-dev: a switch"]
    assert released.serving == {"blue": 1, "green": 2}


def test_what_cannot_be_removed_or_told_is_reported(
    platform: FakePlatform,
    released: FakeEndpoint,
    settings: LoadedSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_given: object) -> None:
        raise PlatformError("not now")

    lines: list[str] = []
    later = NOW + 2 * DAY
    with monkeypatch.context() as patched:
        patched.setattr(released, "delete", refuse)
        with pytest.raises(PlatformError, match="blue could not be removed: not now"):
            tidy(platform, released, settings, later, lines.append)
    assert released.serving == {"blue": 1, "green": 2}
    monkeypatch.setattr(released, "keep_checks", refuse)
    assert tidy(platform, released, settings, later, lines.append) == ["blue"]
    assert lines == [
        "removing blue",
        "removing blue",
        "that blue was removed could not be kept: not now",
    ]


@pytest.mark.parametrize("kind", [EndpointBusy, AtWork])
def test_what_is_not_removed_as_another_is_at_work_is_left_for_the_next_time(
    platform: FakePlatform,
    released: FakeEndpoint,
    settings: LoadedSettings,
    monkeypatch: pytest.MonkeyPatch,
    kind: type[PlatformError],
) -> None:
    def busy(_deployment: str) -> None:
        raise kind("another command is at work")

    lines: list[str] = []
    monkeypatch.setattr(released, "delete", busy)
    assert tidy(platform, released, settings, NOW + 2 * DAY, lines.append) == []
    assert lines == ["removing blue", "what was kept stays for now: another command is at work"]


def test_what_a_rollback_left_goes_after_its_time(
    platform: FakePlatform, released: FakeEndpoint, settings: LoadedSettings
) -> None:
    rollback(platform, released, settings.values.smoke_test, kept_until=NOW + DAY)
    assert released.previous() == {
        "blue": DeploymentShare(1, 0, released.code),
        "green": DeploymentShare(2, 100, released.code),
    }
    assert tidy(platform, released, settings, NOW + DAY) == ["green"]
