"""A candidate is released in the place of the version that it was made for, or not at all."""

import json
from typing import Any

import pytest

from fakes.endpoint import FakeEndpoint
from fakes.platform import FakePlatform
from fakes.release import AtLevel
from mlops.errors import ConfigError, Hold, PlatformError, Refused
from mlops.monitoring.decisions import Decision, decided
from mlops.release.candidate import ReleaseOptions, release_version
from mlops.release.candidate_end import end_kept
from mlops.release.reference import Outdated, meant_here, require_reference
from mlops.release.turn import NotItsTurn
from mlops.release.watchers import Ended, Watchers
from mlops.settings.loading import LoadedSettings
from mlops.window import Window

pytestmark = pytest.mark.usefixtures("smoke", "small_picture")

ID = "1-20260630T120000Z"
VERSION = 10


def of_candidate(platform: FakePlatform, **changed: Any) -> None:
    """Let version 10 be one of a candidate for the place of version 1 in dev."""
    path = platform.version(VERSION).folder / "lineage.json"
    told = {"id": ID, "environment": "dev", "reference": 1, "cause": "drift", "reason": "drift"}
    lineage = json.loads(path.read_text())
    path.write_text(json.dumps({**lineage, "candidate": {**told, **changed}}))


@pytest.fixture
def settings(platform: FakePlatform, at_level: AtLevel) -> LoadedSettings:
    of_candidate(platform)
    return at_level(3)


def ends(endpoint: FakeEndpoint, settings: LoadedSettings) -> list[Decision]:
    whole = Window.last(settings.clock() - settings.clock().replace(year=2000), settings.clock())
    return decided(endpoint, Window(whole.start, settings.clock().replace(year=9999)))


def test_it_takes_the_place_that_it_was_made_for(
    platform: FakePlatform, serving: FakeEndpoint, settings: LoadedSettings
) -> None:
    release_version(platform, settings, VERSION)
    assert serving.traffic() == {"green": 100}
    again = release_version(platform, settings, VERSION)
    assert again.record.outcome == "unchanged", "it is not in its own way"


def test_another_version_s_place_is_refused_before_anything_starts(
    platform: FakePlatform, endpoint: FakeEndpoint, settings: LoadedSettings
) -> None:
    endpoint.serve("blue", 9, share=100)
    with pytest.raises(Outdated) as told:
        release_version(platform, settings, VERSION)
    assert told.value.message == (
        f"candidate {ID} is outdated: it was to take the place of version 1, and callers of "
        "tiny-dev reach version 9 now, so version 10 stays registered and is not released"
    )
    assert "retrain --cause TEXT" in told.value.remedy
    assert endpoint.calls == ["lease for the release of version 10", "undone"]
    assert endpoint.serving == {"blue": 9}
    assert VERSION in [each.version for each in platform.versions()]


def test_where_nothing_serves_there_is_no_place(
    platform: FakePlatform, endpoint: FakeEndpoint, settings: LoadedSettings
) -> None:
    with pytest.raises(Outdated, match="reach nothing now"):
        release_version(platform, settings, VERSION)
    assert not endpoint.exists()


def test_a_rehearsal_is_no_way_around(
    platform: FakePlatform, endpoint: FakeEndpoint, settings: LoadedSettings
) -> None:
    endpoint.serve("blue", 9, share=100)
    with pytest.raises(Outdated):
        release_version(platform, settings, VERSION, options=ReleaseOptions(rehearsal="said"))
    stands_in = ReleaseOptions(rehearsal="said", stands_in=True)
    release_version(platform, settings, VERSION, options=stands_in)
    assert endpoint.traffic()["green"] == 100


def test_callers_that_somebody_moved_meanwhile_are_not_moved_again(
    platform: FakePlatform, serving: FakeEndpoint, settings: LoadedSettings
) -> None:
    """By hand in the portal: the lease does not hinder it."""

    def moved() -> None:
        serving.serve("blue", 9, share=serving.traffic()["blue"])

    with pytest.raises(Outdated, match="reach version 9 now"):
        release_version(platform, settings, VERSION, options=ReleaseOptions(before_switch=moved))
    assert serving.serving == {"blue": 9}
    assert serving.traffic() == {"blue": 100}


@pytest.mark.parametrize("told", [{"environment": "prod"}, None])
def test_elsewhere_and_of_no_candidate_any_version_is_replaced(
    platform: FakePlatform, endpoint: FakeEndpoint, at_level: AtLevel, told: dict[str, str] | None
) -> None:
    if told:
        of_candidate(platform, **told)
    assert meant_here(platform.version(VERSION), "dev") is None
    endpoint.serve("blue", 9, share=100)
    release_version(platform, at_level(3), VERSION)
    assert endpoint.traffic() == {"green": 100}


@pytest.mark.parametrize(
    ("shares", "own", "well"),
    [
        ({1: 100}, None, True),
        ({1: 60, 9: 40}, None, True),
        ({1: 40, 9: 60}, None, False),
        ({1: 40, 10: 60}, 10, True),  # in its A/B test
        ({9: 40, 10: 60}, 10, False),
        ({10: 100}, 10, True),
        ({10: 100}, None, False),
        ({1: 0, 9: 100}, 10, False),
    ],
)
def test_the_place_is_that_of_most_callers(
    shares: dict[int, int], own: int | None, well: bool
) -> None:
    endpoint = FakeEndpoint()
    for name, (version, share) in zip(("blue", "green"), shares.items(), strict=False):
        endpoint.serve(name, version, share)
    if well:
        require_reference(endpoint, ID, 1, own)
    else:
        with pytest.raises(Outdated):
            require_reference(endpoint, ID, 1, own)


@pytest.mark.parametrize(
    ("error", "outcome", "reason"),
    [
        (Outdated("another one serves"), "outdated", "another one serves"),
        (Refused("slower"), "rejected", "slower"),
        (Hold("no decision"), "hold", "no decision"),
        (PlatformError("no quota"), "failed", "no quota"),
        (ValueError("a bug"), "failed", "ValueError: a bug"),
        (KeyboardInterrupt(), "failed", "it was interrupted"),
    ],
)
def test_how_a_candidate_ended_is_kept_for_the_next_decision(
    platform: FakePlatform,
    serving: FakeEndpoint,
    settings: LoadedSettings,
    error: BaseException,
    outcome: str,
    reason: str,
) -> None:
    with (
        pytest.raises(type(error)),
        end_kept(platform, settings, VERSION, [], lambda _line: None),
    ):
        raise error
    (end,) = ends(serving, settings)
    assert (end.outcome, end.reason, end.kind) == (outcome, reason, "retraining")
    assert (end.subject, end.model_version, end.cause) == (ID, 1, "drift")


@pytest.mark.parametrize("error", [ConfigError("no such setting"), NotItsTurn("another one")])
def test_what_did_not_begin_has_not_ended(
    platform: FakePlatform, serving: FakeEndpoint, settings: LoadedSettings, error: Exception
) -> None:
    with (
        pytest.raises(type(error)),
        end_kept(platform, settings, VERSION, [], lambda _line: None),
    ):
        raise error
    assert ends(serving, settings) == []


def test_a_release_is_kept_and_one_that_changed_nothing_is_not(
    platform: FakePlatform, serving: FakeEndpoint, settings: LoadedSettings
) -> None:
    for _ in range(2):
        told: list[Ended] = []
        with end_kept(platform, settings, VERSION, told, lambda _line: None):
            release_version(platform, settings, VERSION, Watchers(ended=told.append))
    (end,) = ends(serving, settings)
    assert (end.outcome, end.subject) == ("released", ID)


def test_of_no_candidate_nothing_is_kept(
    platform: FakePlatform, serving: FakeEndpoint, at_level: AtLevel
) -> None:
    for version in (2, 99):
        with (
            pytest.raises(Refused),
            end_kept(platform, at_level(3), version, [], lambda _line: None),
        ):
            raise Refused("slower")
    assert ends(serving, at_level(3)) == []


def test_what_cannot_be_kept_is_said_and_ends_as_it_did(
    platform: FakePlatform, serving: FakeEndpoint, settings: LoadedSettings
) -> None:
    serving.unkept = "no space left"
    said: list[str] = []
    with (
        pytest.raises(Refused, match="slower"),
        end_kept(platform, settings, VERSION, [], said.append),
    ):
        raise Refused("slower")
    assert said == [f"how candidate {ID} ended could not be kept: no space left"]
