"""Colours, switching, and rolling back."""

import pytest

from fakes.endpoint import FakeEndpoint
from fakes.platform import FakePlatform
from fakes.project import with_level
from fakes.release import AtLevel, PretendedSmokeTest, holds_at_removal
from mlops.errors import ConfigError, PlatformError, Refused
from mlops.platforms.base import DeploymentShare
from mlops.progress import silent
from mlops.release.candidate import release_version
from mlops.release.deploy import deploy
from mlops.release.traffic import (
    has_traffic,
    other_colour,
    require_level,
    rollback,
    sole_deployment,
    switch_traffic,
)
from mlops.settings.project import Project
from mlops.settings.sections import SmokeTestSettings

SMOKE = SmokeTestSettings()


def test_the_candidate_takes_the_colour_that_does_not_serve() -> None:
    assert [other_colour(name) for name in ("blue", "green", None, "red")] == [
        "green",
        "blue",
        "blue",
        "blue",
    ]
    assert sole_deployment({"blue": 0, "green": 100}) == "green"
    assert sole_deployment({"blue": 0}) is None
    assert sole_deployment({"blue": 1, "green": 0}) == "blue"
    with pytest.raises(ConfigError, match="blue 99 %, green 1 %"):
        sole_deployment({"blue": 99, "green": 1})
    with pytest.raises(ConfigError, match="several deployments share the traffic"):
        sole_deployment({"blue": 50, "green": 50})


def test_a_command_of_a_higher_level_says_how_to_get_there(project: Project) -> None:
    for level in (2, 3):
        require_level(with_level(project, level), 2, "rollback")
    with pytest.raises(ConfigError, match=r"`uv run mlops rollback` .* -d maturity_level=2"):
        require_level(project, 2, "rollback")


@pytest.mark.parametrize(
    ("percent", "shares"),
    [
        (100, {"blue": 0, "green": 100}),
        (10, {"blue": 90, "green": 10}),
        (1, {"blue": 99, "green": 1}),
        (99, {"blue": 1, "green": 99}),
        (0, {"blue": 100, "green": 0}),
    ],
)
def test_green_gets_its_share_and_blue_the_rest(
    platform: FakePlatform, both: FakeEndpoint, percent: int, shares: dict[str, int]
) -> None:
    switch_traffic(platform, both, percent)
    assert both.traffic() == shares
    assert both.calls[0] == "lease for a switch of traffic"


def test_traffic_that_nobody_can_take_is_refused(
    platform: FakePlatform, serving: FakeEndpoint
) -> None:
    for percent in (101, -1):
        with pytest.raises(ConfigError, match="between 0 and 100"):
            switch_traffic(platform, serving, percent)
    with pytest.raises(ConfigError, match="no deployment 'green'"):
        switch_traffic(platform, serving, 100)
    assert serving.traffic() == {"blue": 100}


def test_a_switch_makes_no_endpoint(platform: FakePlatform, endpoint: FakeEndpoint) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        switch_traffic(platform, endpoint, 100)
    assert endpoint.calls == []


def test_a_switch_can_be_rolled_back(
    platform: FakePlatform, both: FakeEndpoint, smoke: PretendedSmokeTest
) -> None:
    assert smoke.passes
    switch_traffic(platform, both, 100)
    both.calls.clear()
    rollback(platform, both, SMOKE)
    assert both.traffic() == {"blue": 100, "green": 0}
    assert not any(call.startswith(("deploy", "delete")) for call in both.calls)


@pytest.mark.usefixtures("smoke")
def test_a_removed_version_is_deployed_and_tested_before_it_gets_traffic(
    platform: FakePlatform, endpoint: FakeEndpoint
) -> None:
    endpoint.serve("green", 2, share=100)
    endpoint.recorded = {"blue": DeploymentShare(1, 100)}
    rollback(platform, endpoint, SMOKE)
    assert endpoint.calls == [
        "lease for a rollback",
        "deploy blue 1",
        "smoke test blue",
        "mirror None 0",
        "traffic {'blue': 100}",
        "delete green",
    ]
    rollback(platform, endpoint, SMOKE)
    assert endpoint.serving == {"green": 2}


def test_a_version_that_fails_its_smoke_test_gets_no_traffic_back(
    platform: FakePlatform, endpoint: FakeEndpoint, smoke: PretendedSmokeTest
) -> None:
    smoke.passes = False
    endpoint.serve("green", 2, share=100)
    endpoint.recorded = {"blue": DeploymentShare(1, 100)}
    with pytest.raises(Refused, match="blue failed the smoke test"):
        rollback(platform, endpoint, SMOKE)
    assert endpoint.traffic()["green"] == 100


def test_a_failed_rollback_leaves_nothing_behind(
    platform: FakePlatform, endpoint: FakeEndpoint, smoke: PretendedSmokeTest
) -> None:
    smoke.passes = False
    endpoint.serve("green", 2, share=100)
    endpoint.recorded = {"blue": DeploymentShare(1, 100)}
    with pytest.raises(Refused):
        rollback(platform, endpoint, SMOKE)
    assert (endpoint.serving, endpoint.traffic()) == ({"green": 2}, {"green": 100})


@pytest.mark.usefixtures("smoke")
@pytest.mark.parametrize(("served", "held"), [("blue", "green"), ("green", "blue")])
def test_a_version_that_had_no_traffic_is_not_brought_back(
    platform: FakePlatform, endpoint: FakeEndpoint, served: str, held: str
) -> None:
    endpoint.serve(held, 9, share=100)
    endpoint.recorded = {served: DeploymentShare(1, 100), held: DeploymentShare(2, 0)}
    rollback(platform, endpoint, SMOKE)
    # what took its place is withdrawn, and would be billed if it stayed
    assert endpoint.serving == {served: 1}
    assert endpoint.traffic() == {served: 100}
    assert f"deploy {held} 2" not in endpoint.calls


@pytest.mark.usefixtures("smoke")
def test_a_version_is_not_deployed_over_the_one_that_serves(
    platform: FakePlatform, serving: FakeEndpoint
) -> None:
    serving.recorded = {"blue": DeploymentShare(2, 100)}
    rollback(platform, serving, SMOKE)
    assert serving.calls[1:4] == ["deploy green 2", "smoke test green", "mirror None 0"]
    assert (serving.serving, serving.traffic()) == ({"green": 2}, {"green": 100})


@pytest.mark.usefixtures("smoke")
def test_the_same_version_with_other_code_comes_back_beside_it(
    platform: FakePlatform, serving: FakeEndpoint
) -> None:
    serving.serve("blue", 1, share=100, origin="# new code")
    serving.recorded = {"blue": DeploymentShare(1, 100, "# old code")}
    rollback(platform, serving, SMOKE)
    assert serving.calls[1:3] == ["deploy green 1 # old code", "smoke test green"]
    assert (serving.serving, serving.traffic()) == ({"green": 1}, {"green": 100})
    assert serving.completed


@pytest.mark.usefixtures("smoke")
@pytest.mark.parametrize("origin", ["", "# old code"])
def test_what_still_serves_is_not_deployed_again(
    platform: FakePlatform, both: FakeEndpoint, origin: str
) -> None:
    both.serve("green", 2, origin="# old code")
    both.recorded = {"green": DeploymentShare(2, 100, origin)}
    rollback(platform, both, SMOKE)
    assert both.traffic() == {"green": 100}
    assert not any(call.startswith("deploy") for call in both.calls)


@pytest.mark.usefixtures("smoke")
def test_with_both_colours_in_use_there_is_no_place_to_come_back_to(
    platform: FakePlatform, both: FakeEndpoint
) -> None:
    both.set_traffic({"blue": 50, "green": 50})
    both.recorded = {"blue": DeploymentShare(9, 100)}
    with pytest.raises(ConfigError, match="both colours have traffic"):
        rollback(platform, both, SMOKE)
    assert both.traffic() == {"blue": 50, "green": 50}


@pytest.mark.usefixtures("smoke")
def test_only_what_was_there_before_stays(platform: FakePlatform, endpoint: FakeEndpoint) -> None:
    endpoint.serve("blue", 1)
    endpoint.serve("green", 2, share=100)
    endpoint.serve("red", 9)
    endpoint.serve("pink", 10)
    recorded = {"green": DeploymentShare(2, 0), "red": DeploymentShare(9, 0)}
    endpoint.recorded = {"blue": DeploymentShare(1, 100), **recorded, "pink": DeploymentShare(9, 0)}
    rollback(platform, endpoint, SMOKE)
    assert endpoint.serving == {"blue": 1, "green": 2, "red": 9}


@pytest.mark.usefixtures("smoke")
def test_a_rollback_removes_while_it_holds_the_endpoint(
    platform: FakePlatform, endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint.serve("green", 2, share=100)
    endpoint.recorded = {"blue": DeploymentShare(1, 100)}
    held = holds_at_removal(endpoint, monkeypatch)
    rollback(platform, endpoint, SMOKE)
    assert held == ["a rollback"]


def test_only_a_version_with_traffic_is_reached(both: FakeEndpoint) -> None:
    assert [has_traffic(both, version, silent) for version in (1, 2, 3)] == [True, False, False]
    both.set_traffic({"blue": 99, "green": 1})
    assert [has_traffic(both, version, silent) for version in (1, 2, 3)] == [True, True, False]
    assert not has_traffic(FakeEndpoint(), 1, silent)


@pytest.mark.usefixtures("smoke")
def test_what_had_one_percent_of_the_traffic_is_brought_back(
    platform: FakePlatform, serving: FakeEndpoint
) -> None:
    serving.recorded = {"blue": DeploymentShare(1, 99), "green": DeploymentShare(2, 1)}
    found = rollback(platform, serving, SMOKE)
    assert found == {"blue": DeploymentShare(1, 99), "green": DeploymentShare(2, 1)}
    assert (serving.serving, serving.traffic()) == (
        {"blue": 1, "green": 2},
        {"blue": 99, "green": 1},
    )


def test_while_a_release_runs_nobody_says_that_a_version_has_no_traffic(
    both: FakeEndpoint,
) -> None:
    with both.another_command("the release of version 2", {"blue": 100}):
        assert has_traffic(both, 1, silent)
        with pytest.raises(PlatformError, match="another command"):
            has_traffic(both, 2, silent)


@pytest.mark.parametrize(
    "recorded", [None, {}, {"blue": DeploymentShare(1, 0)}], ids=["none", "empty", "no traffic"]
)
def test_there_must_be_something_to_roll_back_to(
    platform: FakePlatform, serving: FakeEndpoint, recorded: dict[str, DeploymentShare] | None
) -> None:
    serving.recorded = recorded
    with pytest.raises(ConfigError, match="nothing that served before is recorded"):
        rollback(platform, serving, SMOKE)


@pytest.mark.usefixtures("smoke")
def test_an_archived_version_goes_back_to_callers_and_to_nobody_new(
    platform: FakePlatform, serving: FakeEndpoint, at_level: AtLevel
) -> None:
    platform.archived = {2}
    for give in (
        lambda: release_version(platform, at_level(2), 2),
        lambda: deploy(platform, serving.name, 2, "green"),
    ):
        with pytest.raises(Refused, match="version 2 of tiny is archived: only a rollback"):
            give()
    assert serving.calls == []
    serving.recorded = {"green": DeploymentShare(2, 100)}
    rollback(platform, serving, SMOKE)
    assert serving.serving == {"green": 2}


def test_a_version_that_is_not_registered_any_more_stops_a_rollback_early(
    platform: FakePlatform, serving: FakeEndpoint
) -> None:
    serving.recorded = {"green": DeploymentShare(7, 100)}
    with pytest.raises(ConfigError, match="no version 7"):
        rollback(platform, serving, SMOKE)
    assert serving.calls == []
