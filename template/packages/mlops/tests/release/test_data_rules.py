"""What the data of a version let it do: made-up ones take nobody from real ones, a share stays."""

from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from fakes.endpoint import FakeEndpoint
from fakes.platform import FakePlatform
from fakes.release import AtLevel
from fakes.tiny_version import FEATURES, MADE_UP, REAL
from mlops.artifacts.data_source import UNKNOWN, DataSource
from mlops.errors import ConfigError, MlopsError, PlatformError, Refused
from mlops.platforms.base import DeploymentShare, ModelVersion
from mlops.progress import silent
from mlops.release.candidate import ReleaseOptions, release_version
from mlops.release.data_rules import require_comparable, share_version, source_of
from mlops.release.deploy import deploy
from mlops.release.rehearsal import previous_version
from mlops.release.traffic import rollback, switch_traffic
from mlops.settings.sections import SmokeTestSettings

pytestmark = pytest.mark.usefixtures("smoke", "small_picture")

Change = Callable[[FakePlatform, FakeEndpoint, AtLevel], object]
SMOKE = SmokeTestSettings()
BREAKING = ReleaseOptions(breaking="they are told")
REHEARSAL = ReleaseOptions(rehearsal="said")


def roll_back(platform: FakePlatform, endpoint: FakeEndpoint, _at_level: AtLevel) -> None:
    endpoint.recorded = {"green": DeploymentShare(2, 100)}
    rollback(platform, endpoint, SMOKE)


def switch(platform: FakePlatform, endpoint: FakeEndpoint, _at_level: AtLevel) -> None:
    endpoint.serve("green", 2)
    switch_traffic(platform, endpoint, 1)


RELEASES: dict[str, Change] = {
    "release": lambda platform, _, at_level: release_version(platform, at_level(3), 2),
    "breaking": lambda platform, _, at_level: release_version(
        platform, at_level(2), 2, options=BREAKING
    ),
    "rehearsal": lambda platform, _, at_level: release_version(
        platform, at_level(3), 2, options=REHEARSAL
    ),
}
BY_HAND: dict[str, Change] = {
    "deploy": lambda platform, endpoint, _: deploy(platform, endpoint.name, 2, force=True),
    "deploy a share": lambda platform, endpoint, _: deploy(
        platform, endpoint.name, 2, deployment="green", traffic=1, force=True
    ),
    "switch": switch,
}
WAYS = {**RELEASES, **BY_HAND}


@pytest.mark.parametrize("way", WAYS)
def test_made_up_data_never_replace_real_ones(
    platform: FakePlatform, serving: FakeEndpoint, at_level: AtLevel, way: str
) -> None:
    platform.sources[2] = MADE_UP
    with pytest.raises(Refused) as refusal:
        WAYS[way](platform, serving, at_level)
    assert refusal.value.message == (
        "version 2 is made of made-up data (sample size 300, seed 1, drift 0) and must not replace "
        "version 1 at tiny-dev, which is made of real data (folder data/orders)"
    )
    assert "--data-dir" in refusal.value.remedy
    assert not any(call.startswith(("deploy", "traffic")) for call in serving.calls)
    assert serving.traffic()["blue"] == 100


@pytest.mark.parametrize("way", [*WAYS, "rollback"])
def test_real_data_replace_made_up_ones_by_every_way(
    platform: FakePlatform, serving: FakeEndpoint, at_level: AtLevel, way: str
) -> None:
    platform.sources[1] = MADE_UP
    {**WAYS, "rollback": roll_back}[way](platform, serving, at_level)
    assert 2 in serving.serving.values()


@pytest.mark.parametrize("way", RELEASES)
def test_no_release_lets_unknown_data_replace_real_ones(
    platform: FakePlatform, serving: FakeEndpoint, at_level: AtLevel, way: str
) -> None:
    platform.sources[2] = UNKNOWN
    with pytest.raises(Refused, match="version 2 is made of unknown data and must not replace"):
        WAYS[way](platform, serving, at_level)
    assert serving.serving == {"blue": 1}


def test_made_up_data_are_released_over_unknown_ones_only_where_nobody_calls(
    platform: FakePlatform,
    serving: FakeEndpoint,
    at_level: AtLevel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    platform.sources = {1: UNKNOWN, 2: MADE_UP}
    with monkeypatch.context() as called:
        called.setattr(FakePlatform, "has_callers", True)
        with pytest.raises(Refused, match="version 1 at tiny-dev, which is made of unknown data"):
            release_version(platform, at_level(3), 2)
    assert serving.serving == {"blue": 1}
    assert release_version(platform, at_level(3), 2).record.ab_test
    assert serving.traffic() == {"green": 100}


@pytest.mark.parametrize("way", [*BY_HAND, "rollback"])
@pytest.mark.parametrize(
    ("ours", "theirs"), [(UNKNOWN, REAL), (UNKNOWN, UNKNOWN), (MADE_UP, UNKNOWN)]
)
def test_by_hand_only_what_is_known_to_be_made_up_is_kept_from_callers_of_real_data(
    platform: FakePlatform,
    serving: FakeEndpoint,
    at_level: AtLevel,
    way: str,
    ours: DataSource,
    theirs: DataSource,
) -> None:
    platform.sources = {1: theirs, 2: ours}
    {**BY_HAND, "rollback": roll_back}[way](platform, serving, at_level)
    traffic = serving.traffic()
    assert any(traffic[name] for name, number in serving.serving.items() if number == 2)


def test_a_rollback_brings_back_what_real_data_replaced_though_it_was_made_up(
    platform: FakePlatform, serving: FakeEndpoint, at_level: AtLevel
) -> None:
    platform.sources[1] = MADE_UP
    release_version(platform, at_level(3), 2)
    rollback(platform, serving, SMOKE)
    assert (serving.serving, serving.traffic()) == ({"blue": 1}, {"blue": 100})


@pytest.mark.parametrize("error", [ConfigError, PlatformError, Refused])
def test_a_registry_that_does_not_answer_stops_no_change_of_traffic(
    platform: FakePlatform,
    serving: FakeEndpoint,
    at_level: AtLevel,
    monkeypatch: pytest.MonkeyPatch,
    error: type[MlopsError],
) -> None:
    def fail(*_given: object) -> NoReturn:
        raise error("no registry")

    monkeypatch.setattr(platform, "version", fail)
    switch(platform, serving, at_level)
    assert serving.traffic() == {"blue": 99, "green": 1}
    assert source_of(platform, 2) == UNKNOWN


def test_what_the_tags_say_is_not_downloaded(
    platform: FakePlatform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    listed = [
        ModelVersion("tiny", 1, tmp_path, {"run_id": "of before"}),
        ModelVersion("tiny", 2, tmp_path, MADE_UP.tags()),
        ModelVersion("tiny", 9, tmp_path, UNKNOWN.tags()),
    ]
    platform.sources[9] = MADE_UP
    asked: list[int] = []
    version = platform.version

    def find(number: int) -> ModelVersion:
        asked.append(number)
        return version(number)

    monkeypatch.setattr(platform, "version", find)
    monkeypatch.setattr(platform, "versions", lambda: listed)
    assert [source_of(platform, each).made_up for each in (1, 2, 9, 3)] == [
        False,
        True,
        True,
        None,
    ]
    assert asked == [1, 9, 3]


def test_real_data_replace_made_up_ones_without_a_comparison_whatever_callers_send(
    platform: FakePlatform, serving: FakeEndpoint, at_level: AtLevel
) -> None:
    platform.sources[1] = MADE_UP
    platform.features[2] = [*FEATURES[1:], {"name": "d", "nullable": False, "example": 1.0}]
    serving.errors = {2: 1.0}  # an A/B test would reject it
    record = release_version(platform, at_level(3), 2).record
    assert serving.traffic() == {"green": 100}
    assert record.ab_test is None
    assert record.reason == (
        "blue serves version 1 of made-up data, this one is real, so nothing was compared; "
        "the smoke test passed"
    )
    assert record.breaking == ""
    assert record.changes == (
        "d must be sent and was not known before",
        "a is no longer known and is refused",
    )
    assert record.data == {"blue": MADE_UP.summary(), "green": REAL.summary()}


def test_made_up_versions_are_compared_among_themselves(
    platform: FakePlatform, serving: FakeEndpoint, at_level: AtLevel
) -> None:
    platform.sources = {1: MADE_UP, 2: MADE_UP}
    record = release_version(platform, at_level(3), 2).record
    assert record.ab_test
    assert record.ab_test.decision == "promote"
    assert serving.traffic() == {"green": 100}


def test_beside_real_data_made_up_ones_may_be_tried_without_callers(
    platform: FakePlatform, serving: FakeEndpoint
) -> None:
    platform.sources[2] = MADE_UP
    deploy(platform, serving.name, 2, deployment="green")
    assert serving.traffic() == {"blue": 100, "green": 0}
    with pytest.raises(Refused, match="made-up data and real ones are not compared"):
        require_comparable(platform, serving, ("blue", "green"))
    platform.sources[10] = REAL
    serving.serve("green", 10)
    require_comparable(platform, serving, ("blue", "green", "red"))


def test_a_rehearsal_brings_up_only_what_may_be_compared(platform: FakePlatform) -> None:
    platform.sources = {1: MADE_UP, 2: MADE_UP, 9: REAL, 10: MADE_UP, 11: REAL}
    found = {
        number: previous_version(platform.versions(), platform.version(number)).version
        for number in platform.numbers
    }
    assert found == {1: 1, 2: 1, 9: 9, 10: 2, 11: 9}


@pytest.mark.parametrize("source", [REAL.of_share(0.1), MADE_UP.of_share(0.999), UNKNOWN])
def test_a_share_of_the_data_is_neither_shared_nor_released_where_there_are_callers(
    platform: FakePlatform,
    endpoint: FakeEndpoint,
    at_level: AtLevel,
    monkeypatch: pytest.MonkeyPatch,
    source: DataSource,
) -> None:
    platform.sources = {2: source, 9: source}
    with pytest.raises(Refused, match="of the data and is not shared"):
        share_version(platform, 2, silent)
    assert release_version(platform, at_level(2), 2).record.outcome == "promoted"
    monkeypatch.setattr(FakePlatform, "has_callers", True)
    for name in ("tiny-dev", "never-used"):
        settings = at_level(2, endpoint__name=name)
        with pytest.raises(Refused, match="of the data and is not released on fake") as refusal:
            release_version(platform, settings, 9)
        assert "MLOPS_DATA__FRACTION=1.0" in refusal.value.remedy
    assert endpoint.serving == {"blue": 2}


def test_all_of_the_data_may_be_shared(platform: FakePlatform) -> None:
    told: list[str] = []
    assert share_version(platform, 2, told.append) is None
    assert told == ["every environment has version 2"]
