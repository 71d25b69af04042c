"""Deploying a version, with a fake platform."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mlops.errors import ConfigError, Refused
from mlops.platforms.base import ModelVersion
from mlops.progress import Report
from mlops.release.deploy import deploy, shift_traffic


class FakeEndpoint:
    """Remembers which version each deployment serves."""

    def __init__(self) -> None:
        self.name = "e"
        self.serving: dict[str, int] = {}
        self.shares: dict[str, int] = {}
        self.starts = 0
        self.purposes: list[str] = []
        self.completed = False

    def exists(self) -> bool:
        return bool(self.serving)

    def repair(self, report: Report) -> None:
        report("repaired")

    def is_current(self, deployment: str, version: ModelVersion) -> bool:
        return self.serving.get(deployment) == version.version

    def deploy(self, deployment: str, version: ModelVersion, report: Report) -> None:
        report("starting")
        self.shares.setdefault(deployment, 0 if self.serving else 100)
        self.serving[deployment] = version.version
        self.starts += 1

    @contextmanager
    def lease(self, purpose: str) -> Iterator[None]:
        self.purposes.append(purpose)
        yield

    def traffic(self) -> dict[str, int]:
        return dict(self.shares)

    def set_traffic(self, traffic: Mapping[str, int], *, completes: bool = False) -> None:
        self.shares = dict(traffic)
        self.completed = completes


class FakePlatform:
    def __init__(self) -> None:
        self.fake = FakeEndpoint()

    def version(self, number: int) -> ModelVersion:
        if number > 2:
            raise Refused(f"there is no version {number}")
        return ModelVersion("tiny", number, Path())

    def endpoint(self, _name: str) -> FakeEndpoint:
        return self.fake


@pytest.fixture
def platform() -> Any:
    return FakePlatform()


def test_the_first_deployment_takes_all_traffic(platform: Any) -> None:
    endpoint = deploy(platform, "e", 1, deployment="green", traffic=0)
    assert endpoint.traffic() == {"green": 100}


def test_a_version_that_is_served_already_is_left_alone(platform: Any) -> None:
    deploy(platform, "e", 1)
    lines: list[str] = []
    deploy(platform, "e", 1, report=lines.append)
    assert platform.fake.starts == 1
    assert any("already" in line for line in lines)
    deploy(platform, "e", 2)
    assert platform.fake.starts == 2
    assert platform.fake.serving == {"blue": 2}
    assert platform.fake.purposes[-1] == "the deployment of version 2"


def test_a_second_deployment_takes_the_share_that_is_asked_for(platform: Any) -> None:
    deploy(platform, "e", 1)
    assert deploy(platform, "e", 2, deployment="green").traffic() == {"blue": 100, "green": 0}
    shared = deploy(platform, "e", 2, deployment="green", traffic=10)
    assert shared.traffic() == {"blue": 90, "green": 10}
    assert shared.completed  # a command that dies after it undoes nothing
    assert platform.fake.starts == 2


@pytest.mark.parametrize(
    ("deployment", "traffic", "share"), [("blue", None, 100), ("green", 10, 10)]
)
def test_callers_get_nothing_untested_without_force(
    platform: Any, deployment: str, traffic: int | None, share: int
) -> None:
    deploy(platform, "e", 1, force=False)
    options: dict[str, Any] = {"deployment": deployment, "traffic": traffic}
    with pytest.raises(ConfigError, match=f"would give {share} % of the callers of e"):
        deploy(platform, "e", 2, **options, force=False)
    assert platform.fake.serving == {"blue": 1}
    deploy(platform, "e", 2, **options, force=True)
    assert platform.fake.serving[deployment] == 2
    assert deploy(platform, "e", 2, **options, force=False).traffic()[deployment] == share


def test_beside_what_serves_anything_may_be_deployed(platform: Any) -> None:
    deploy(platform, "e", 1, force=False)
    assert deploy(platform, "e", 2, deployment="green", force=False).traffic()["green"] == 0


def test_an_unknown_version_is_refused_before_anything_happens(platform: Any) -> None:
    with pytest.raises(Refused, match="no version 3"):
        deploy(platform, "e", 3)
    assert not platform.fake.exists()


def test_impossible_traffic_is_refused_before_anything_happens(platform: Any) -> None:
    deploy(platform, "e", 1)
    with pytest.raises(ConfigError, match="no other deployment would take the other 60 %"):
        deploy(platform, "e", 2, traffic=40)
    assert platform.fake.serving == {"blue": 1}


@pytest.mark.parametrize(
    ("current", "percent", "expected"),
    [
        ({"blue": 100}, 0, {"blue": 100, "green": 0}),
        ({"blue": 100}, 100, {"blue": 0, "green": 100}),
        ({"blue": 60, "green": 40}, 10, {"blue": 90, "green": 10}),
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
    [({"green": 100}, 0), ({"green": 100}, 50), ({"blue": 0}, 50), ({"blue": 100}, 101)],
)
def test_traffic_that_nobody_takes_is_refused(current: dict[str, int], percent: int) -> None:
    with pytest.raises(ConfigError):
        shift_traffic(current, "green", percent)
