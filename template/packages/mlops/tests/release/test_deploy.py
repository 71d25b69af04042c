"""Deploying a version, with a fake platform."""

from typing import Any

import pytest

from fakes.endpoint import FakeEndpoint
from fakes.platform import FakePlatform
from mlops.errors import ConfigError, Refused
from mlops.platforms.base import ModelVersion
from mlops.release.deploy import deploy, shift_traffic


@pytest.fixture
def e(platform: FakePlatform) -> FakeEndpoint:
    return platform.endpoint("e")


def test_the_first_deployment_takes_all_traffic(platform: FakePlatform) -> None:
    endpoint = deploy(platform, "e", 1, deployment="green", traffic=0)
    assert endpoint.traffic() == {"green": 100}


def test_the_first_deployment_has_to_be_ready_for_callers(platform: FakePlatform) -> None:
    asked: list[int] = []

    def refuses(version: ModelVersion) -> None:
        asked.append(version.version)
        raise Refused("something is missing")

    with pytest.raises(Refused, match="something is missing"):
        deploy(platform, "e", 1, ready=refuses)
    assert platform.endpoint("e").calls == []
    deploy(platform, "e", 1, ready=refuses, force=True)
    deploy(platform, "e", 2, deployment="green", traffic=0, ready=refuses)  # reaches nobody
    assert asked == [1]


def test_a_version_that_is_served_already_is_left_alone(
    platform: FakePlatform, e: FakeEndpoint
) -> None:
    deploy(platform, "e", 1)
    lines: list[str] = []
    deploy(platform, "e", 1, report=lines.append)
    assert lines == ["blue serves version 1 already"]
    deploy(platform, "e", 2, force=True)
    assert e.serving == {"blue": 2}
    assert e.calls == [
        "lease for the deployment of version 1",
        "deploy blue 1",
        "lease for the deployment of version 1",
        "lease for the deployment of version 2",
        "deploy blue 2",
    ]


def test_a_second_deployment_takes_the_share_that_is_asked_for(
    platform: FakePlatform, e: FakeEndpoint
) -> None:
    deploy(platform, "e", 1)
    deploy(platform, "e", 2, deployment="green")
    assert e.traffic() == {"blue": 100, "green": 0}
    deploy(platform, "e", 2, deployment="green", traffic=10)
    assert e.traffic() == {"blue": 90, "green": 10}
    assert e.completed  # a command that dies after it undoes nothing
    assert [call for call in e.calls if call.startswith("deploy")] == [
        "deploy blue 1",
        "deploy green 2",
    ]


@pytest.mark.parametrize(
    ("deployment", "traffic", "share"), [("blue", None, 100), ("green", 10, 10), ("green", 1, 1)]
)
def test_callers_get_nothing_untested_without_force(
    platform: FakePlatform,
    e: FakeEndpoint,
    deployment: str,
    traffic: int | None,
    share: int,
) -> None:
    deploy(platform, "e", 1)
    options: dict[str, Any] = {"deployment": deployment, "traffic": traffic}
    with pytest.raises(ConfigError, match=f"would give {share} % of the callers of e"):
        deploy(platform, "e", 2, **options)
    assert e.serving == {"blue": 1}
    deploy(platform, "e", 2, **options, force=True)
    assert e.serving[deployment] == 2
    assert deploy(platform, "e", 2, **options).traffic()[deployment] == share


@pytest.mark.parametrize("traffic", [None, 0])
def test_beside_what_serves_anything_may_be_deployed(
    platform: FakePlatform, traffic: int | None
) -> None:
    deploy(platform, "e", 1)
    beside = deploy(platform, "e", 2, deployment="green", traffic=traffic)
    assert beside.traffic() == {"blue": 100, "green": 0}


def test_an_unknown_version_is_refused_before_anything_happens(
    platform: FakePlatform, e: FakeEndpoint
) -> None:
    with pytest.raises(ConfigError, match="no version 3"):
        deploy(platform, "e", 3)
    assert not e.exists()


def test_impossible_traffic_is_refused_before_anything_happens(
    platform: FakePlatform, e: FakeEndpoint
) -> None:
    deploy(platform, "e", 1)
    with pytest.raises(ConfigError, match="no other deployment would take the other 60 %"):
        deploy(platform, "e", 2, traffic=40)
    assert e.serving == {"blue": 1}


@pytest.mark.parametrize(
    ("current", "percent", "expected"),
    [
        ({"blue": 100}, 0, {"blue": 100, "green": 0}),
        ({"blue": 100}, 100, {"blue": 0, "green": 100}),
        ({"blue": 100}, 1, {"blue": 99, "green": 1}),
        ({"blue": 100}, 99, {"blue": 1, "green": 99}),
        ({"blue": 60, "green": 40}, 10, {"blue": 90, "green": 10}),
        ({"blue": 99, "red": 1}, 0, {"blue": 99, "red": 1, "green": 0}),
        ({"blue": 30, "red": 70}, 50, {"blue": 15, "red": 35, "green": 50}),
        ({"blue": 33, "red": 67}, 25, {"blue": 24, "red": 51, "green": 25}),
        ({"blue": 0}, 100, {"blue": 0, "green": 100}),
        ({"blue": 0}, 0, {"blue": 0, "green": 0}),
        ({"green": 100, "blue": 0}, 100, {"green": 100, "blue": 0}),
    ],
)
def test_the_others_keep_their_proportions(
    current: dict[str, int], percent: int, expected: dict[str, int]
) -> None:
    shares = shift_traffic(current, "green", percent)
    assert shares == expected
    assert sum(shares.values()) in (0, 100)


@pytest.mark.parametrize(
    ("current", "percent"),
    [
        ({"green": 100}, 0),
        ({"green": 100}, 50),
        ({"green": 100}, 99),
        ({"blue": 0}, 1),
        ({"blue": 0}, 50),
        ({"blue": 100}, 101),
        ({"blue": 100}, -1),
    ],
)
def test_traffic_that_nobody_takes_is_refused(current: dict[str, int], percent: int) -> None:
    with pytest.raises(ConfigError):
        shift_traffic(current, "green", percent)
