"""A version is withdrawn by an alert once a release, and never comes back by one."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from fakes.endpoint import FakeEndpoint
from fakes.platform import FakePlatform
from fakes.release import AtLevel, PretendedSmokeTest
from mlops.clock import system_clock
from mlops.errors import ConfigError, PlatformError, Refused
from mlops.monitoring.decisions import Kind, decided
from mlops.platforms.base import DeploymentShare
from mlops.platforms.lease_terms import RELEASE, WayBack
from mlops.progress import silent
from mlops.release.candidate import release_version
from mlops.release.tidy import tidy
from mlops.release.traffic import rollback, switch_traffic
from mlops.release.turn import Overtaken, require_hold
from mlops.release.watchers import Ended, Watchers
from mlops.release.withdraw import Outcome, Withdrawal, keep_withdrawal, withdraw
from mlops.settings.loading import LoadedSettings
from mlops.window import Window

NOW = system_clock()
DAY = timedelta(days=1)
Withdraw = Callable[[int], Withdrawal]

pytestmark = pytest.mark.usefixtures("smoke", "small_picture")


@pytest.fixture
def settings(at_level: AtLevel) -> LoadedSettings:
    """Settings at level 3 that keep what served before for a day."""
    return replace(at_level(3, release__keep_previous="24h"), clock=lambda: NOW)


@pytest.fixture
def released(platform: FakePlatform, serving: FakeEndpoint, at_level: AtLevel) -> FakeEndpoint:
    """An endpoint where version 2, in green, took the place of version 1, which is kept."""
    settings = at_level(2, release__keep_previous="24h")
    release_version(platform, replace(settings, clock=lambda: NOW), 2)
    serving.calls.clear()
    return serving


@pytest.fixture
def alarm(platform: FakePlatform, released: FakeEndpoint, settings: LoadedSettings) -> Withdraw:
    """An alarm about a version."""

    def raised(number: int) -> Withdrawal:
        found = withdraw(platform, released, number, settings)
        keep_withdrawal(released, settings, found, "error-rate", silent)
        return found

    return raised


def changes(endpoint: FakeEndpoint) -> list[str]:
    """What was made, removed or tested, or got traffic."""
    return [each for each in endpoint.calls if not each.startswith(("lease", "mirror"))]


def test_traffic_goes_back_at_once_and_what_is_withdrawn_waits_to_be_looked_at(
    released: FakeEndpoint, alarm: Withdraw
) -> None:
    found = alarm(2)
    assert (found.outcome, found.returned) == (Outcome.ROLLED_BACK, 1)
    assert released.traffic() == {"blue": 100, "green": 0}
    assert changes(released) == ["traffic {'blue': 100}"]
    assert released.previous() is None
    assert released.way_back() == WayBack("green", 2, NOW + DAY, withdraws=None)


def test_an_alarm_that_goes_on_never_brings_the_bad_version_back(
    platform: FakePlatform, released: FakeEndpoint, settings: LoadedSettings, alarm: Withdraw
) -> None:
    outcomes = [alarm(number).outcome for number in (2, 2, 1, 2, 1)]
    assert outcomes == [
        Outcome.ROLLED_BACK,
        Outcome.NOTHING,
        Outcome.NO_WAY_BACK,
        Outcome.NOTHING,
        Outcome.NO_WAY_BACK,
    ]
    assert changes(released) == ["traffic {'blue': 100}"]
    # nor does a person who was not told
    with pytest.raises(ConfigError, match="nothing to go back to"):
        rollback(platform, released, settings.values.smoke_test)
    assert tidy(platform, released, settings, NOW + DAY) == ["green"]
    assert [alarm(number).outcome for number in (2, 1)] == [Outcome.NOTHING, Outcome.NO_WAY_BACK]
    assert released.serving == {"blue": 1}


def test_every_alarm_leaves_an_event(released: FakeEndpoint, alarm: Withdraw) -> None:
    alarm(2)
    alarm(2)
    window = Window(NOW, NOW + DAY)
    first, second = decided(released, window, Kind.ROLLBACK, "error-rate")
    assert (first.model_version, first.outcome, first.subject) == (2, "rolled back", "version 1")
    assert (second.outcome, second.reason) == (
        "nothing to withdraw",
        "callers of tiny-dev reach version 1",
    )
    changes = released.checks("change", window)
    told = [(each["outcome"], each["model_version"]) for each in changes]
    assert told == [("released", 2), ("rolled back", 1)]


def test_after_a_rollback_by_hand_an_alarm_goes_nowhere(
    platform: FakePlatform, released: FakeEndpoint, settings: LoadedSettings, alarm: Withdraw
) -> None:
    rollback(platform, released, settings.values.smoke_test, kept_until=NOW + DAY)
    assert released.previous()
    assert [alarm(number).outcome for number in (1, 2)] == [Outcome.NO_WAY_BACK, Outcome.NOTHING]
    assert released.traffic() == {"blue": 100, "green": 0}


def test_where_requests_differ_there_is_no_way_back(
    released: FakeEndpoint, alarm: Withdraw
) -> None:
    way = released.way_back()
    assert way
    released.kept_back = replace(way, withdraws=None)
    assert alarm(2).outcome is Outcome.NO_WAY_BACK
    assert changes(released) == []


@pytest.mark.parametrize(
    "recorded",
    [None, {"blue": DeploymentShare(1, 90), "green": DeploymentShare(2, 10)}],
    ids=["nothing", "shares"],
)
def test_only_what_had_all_traffic_comes_back(
    released: FakeEndpoint, alarm: Withdraw, recorded: dict[str, DeploymentShare] | None
) -> None:
    released.recorded = recorded
    assert alarm(2).outcome is Outcome.NO_WAY_BACK
    assert changes(released) == []


def test_where_nothing_serves_there_is_nothing_to_withdraw(
    platform: FakePlatform, settings: LoadedSettings
) -> None:
    found = withdraw(platform, FakeEndpoint("new"), 2, settings)
    assert (found.outcome, found.reason) == (Outcome.NOTHING, "nothing serves at new")


def test_shared_traffic_of_a_switch_by_hand_is_a_persons_matter(
    platform: FakePlatform, released: FakeEndpoint, alarm: Withdraw
) -> None:
    switch_traffic(platform, released, 90)
    assert [alarm(number).outcome for number in (1, 2)] == [Outcome.NO_WAY_BACK] * 2


def test_what_was_removed_since_is_deployed_and_tested_first(
    platform: FakePlatform, released: FakeEndpoint, settings: LoadedSettings, alarm: Withdraw
) -> None:
    tidy(platform, released, settings, NOW + DAY)
    released.calls.clear()
    assert alarm(2).outcome is Outcome.ROLLED_BACK
    assert changes(released) == [
        f"deploy blue 1 {released.code}",
        "smoke test blue",
        "traffic {'blue': 100}",
    ]


def test_what_does_not_pass_its_test_gets_no_traffic(
    platform: FakePlatform,
    released: FakeEndpoint,
    settings: LoadedSettings,
    alarm: Withdraw,
    smoke: PretendedSmokeTest,
) -> None:
    tidy(platform, released, settings, NOW + DAY)
    smoke.passes = False
    with pytest.raises(Refused, match="smoke test"):
        alarm(2)
    assert (released.serving, released.traffic()) == ({"green": 2}, {"green": 100})
    assert released.way_back()


def test_a_candidate_in_the_place_of_what_was_kept_gets_no_traffic(
    released: FakeEndpoint, alarm: Withdraw
) -> None:
    released.serve("blue", 9)
    assert alarm(2).outcome is Outcome.ROLLED_BACK
    assert released.serving == {"blue": 1, "green": 2}
    assert changes(released)[:2] == [f"deploy blue 1 {released.code}", "smoke test blue"]


@pytest.mark.parametrize("number", [1, 2, 9])
def test_a_change_that_does_not_give_way_is_left_alone(
    released: FakeEndpoint, alarm: Withdraw, number: int
) -> None:
    with released.another_command("a rollback", {"green": 100}):
        found = alarm(number)
        assert found.outcome is (Outcome.BUSY if number == 2 else Outcome.NOTHING)
        pending = released.pending()
        assert pending
        assert pending.purpose == "a rollback"
    assert changes(released) == []


def test_a_release_is_not_interrupted_for_nothing(released: FakeEndpoint, alarm: Withdraw) -> None:
    released.serve("blue", 9)
    with released.another_command("the release of version 9", {"blue": 10, "green": 90}, RELEASE):
        assert alarm(1).outcome is Outcome.NOTHING
        found = alarm(9)  # which the release judges itself
        assert (found.outcome, found.reason) == (
            Outcome.BUSY,
            "the release of version 9 is under way, and judges it",
        )
        assert released.traffic() == {"blue": 10, "green": 90}


def test_a_release_that_has_switched_ends_by_itself(
    released: FakeEndpoint, alarm: Withdraw
) -> None:
    with released.lease("the release of version 2", RELEASE):
        way = released.way_back()
        released.set_traffic({"green": 100}, completes=True, way_back=way)
        assert alarm(2).outcome is Outcome.BUSY
    assert released.traffic() == {"blue": 0, "green": 100}


def test_a_release_whose_candidate_took_the_place_of_what_was_kept_goes_on(
    platform: FakePlatform,
    released: FakeEndpoint,
    settings: LoadedSettings,
    alarm: Withdraw,
) -> None:
    """It may bring the mend, and a way back that deploys something may fail."""
    found: list[Withdrawal] = []

    def an_alarm_in_the_middle() -> None:
        if released.traffic()["blue"] == 10 and not found:
            found.append(alarm(2))

    released.before_look = an_alarm_in_the_middle
    assert release_version(platform, settings, 9).record.outcome == "promoted"
    assert [each.outcome for each in found] == [Outcome.BUSY]
    assert "the release of version 9" in found[0].reason
    assert released.traffic() == {"blue": 100, "green": 0}


@pytest.mark.parametrize("state", ["sick", "removed", "another version"])
def test_no_release_gives_way_to_what_must_be_deployed_first(
    platform: FakePlatform,
    released: FakeEndpoint,
    settings: LoadedSettings,
    alarm: Withdraw,
    state: str,
) -> None:
    if state == "sick":
        released.dead.add("blue")
    elif state == "removed":
        tidy(platform, released, settings, NOW + DAY)
    else:
        released.serve("blue", 9)
    with released.another_command("the release of version 9", {"green": 100}, RELEASE):
        for _ in range(3):
            assert alarm(2).outcome is Outcome.BUSY
        pending = released.pending()
        assert pending
        assert (pending.purpose, pending.lives) == ("the release of version 9", True)


def test_a_release_of_a_newer_version_gives_way_and_says_so(
    platform: FakePlatform,
    released: FakeEndpoint,
    settings: LoadedSettings,
    alarm: Withdraw,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    outcomes: list[Outcome] = []
    deploy = released.deploy

    def an_alarm_before(*given: Any, **more: Any) -> None:
        outcomes.append(alarm(2).outcome)
        deploy(*given, **more)

    monkeypatch.setattr(released, "deploy", an_alarm_before)
    ends: list[Ended] = []
    with pytest.raises(PlatformError, match="the release of version 9 lost") as lost:
        release_version(platform, settings, 9, Watchers(ended=ends.append))
    assert lost.value.exit_code == 3
    assert outcomes == [Outcome.ROLLED_BACK]
    assert released.serving == {"blue": 1, "green": 2}
    assert released.traffic() == {"blue": 100, "green": 0}
    assert released.pending() is None
    (end,) = ends
    assert end.record.outcome == "failed"
    assert "lost" in end.record.reason


def test_a_change_notices_at_a_look_that_it_was_overtaken(released: FakeEndpoint) -> None:
    with released.another_command("the release of version 9", {"green": 100}, RELEASE):
        require_hold(released, "the release of version 9")
        with pytest.raises(Overtaken, match="a switch lost the endpoint tiny-dev to the release"):
            require_hold(released, "a switch")
    released.repair(lambda _line: None)
    with pytest.raises(Overtaken, match="a switch lost the endpoint tiny-dev and changes"):
        require_hold(released, "a switch")


def test_a_withdrawal_that_cannot_be_told_holds(
    released: FakeEndpoint, alarm: Withdraw, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_rows: object) -> None:
        raise PlatformError("the disk is full")

    monkeypatch.setattr(released, "keep_checks", refuse)
    assert alarm(2).outcome is Outcome.ROLLED_BACK
    assert released.traffic() == {"blue": 100, "green": 0}


def test_a_withdrawal_that_is_killed_after_its_switch_is_one_all_the_same(
    released: FakeEndpoint, alarm: Withdraw, monkeypatch: pytest.MonkeyPatch
) -> None:
    switch = released.set_traffic

    def killed(*given: object, **more: object) -> None:
        switch(*given, **more)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(released, "set_traffic", killed)
        with pytest.raises(KeyboardInterrupt):
            alarm(2)
    assert released.traffic() == {"blue": 100, "green": 0}
    assert released.previous() is None
    assert alarm(1).outcome is Outcome.NO_WAY_BACK
