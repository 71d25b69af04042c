"""An A/B test by itself: it decides, and leaves everything as it was."""

from pathlib import Path

import pytest

from fakes.endpoint import FakeEndpoint
from fakes.platform import FakePlatform
from fakes.release import AtLevel
from fakes.tiny_version import FEATURES, MADE_UP
from mlops.errors import ConfigError, MlopsError, PlatformError, Refused
from mlops.files import read_json
from mlops.release.ab_test.command import compare_deployments
from mlops.settings.sections import AbTestSettings

pytestmark = pytest.mark.usefixtures("small_picture")


@pytest.mark.parametrize(("rate", "outcome"), [(0.0, "promoted"), (0.2, "rejected")])
def test_an_ab_test_by_itself_changes_nothing(
    platform: FakePlatform, both: FakeEndpoint, at_level: AtLevel, rate: float, outcome: str
) -> None:
    both.errors = {2: rate}
    result = compare_deployments(platform, at_level(3), ("blue", "green"))
    assert result.record.outcome == outcome
    assert (both.traffic(), both.mirror()) == ({"blue": 100, "green": 0}, {})
    assert both.recorded is None
    assert result.folder
    assert Path(result.folder, "evidence.png").is_file()


@pytest.mark.usefixtures("both")
def test_an_ab_test_needs_level_3(platform: FakePlatform, at_level: AtLevel) -> None:
    with pytest.raises(ConfigError, match="maturity_level=3"):
        compare_deployments(platform, at_level(2), ("blue", "green"))


def test_other_settings_take_the_place_of_the_environments(
    platform: FakePlatform, both: FakeEndpoint, at_level: AtLevel
) -> None:
    chosen = AbTestSettings(batch_seconds=0.001, duration_seconds=20, share_percent=30)
    ended = compare_deployments(platform, at_level(3), ("blue", "green"), ab_settings=chosen)
    assert ended.record.ab_test
    assert ended.record.ab_test.settings == chosen
    assert "traffic {'blue': 70, 'green': 30}" in both.calls


@pytest.mark.parametrize("error", [KeyboardInterrupt(), PlatformError("no router")])
def test_an_interruption_leaves_all_as_it_was(
    platform: FakePlatform, both: FakeEndpoint, at_level: AtLevel, error: BaseException
) -> None:
    def interrupt() -> None:
        if both.traffic()["green"]:
            raise error

    both.before_look = interrupt
    with pytest.raises(type(error)):
        compare_deployments(platform, at_level(3), ("blue", "green"))
    assert (both.traffic(), both.mirror()) == ({"blue": 100, "green": 0}, {})
    assert "traffic {'blue': 100}" in both.calls  # before the lease undoes it


def test_the_evidence_is_what_the_endpoint_and_the_test_said(
    platform: FakePlatform, both: FakeEndpoint, at_level: AtLevel
) -> None:
    settings = at_level(3)
    both.errors = {2: 0.2}
    ended = compare_deployments(platform, settings, ("blue", "green"), rehearsal="said")
    record, result = ended.record, ended.record.ab_test
    assert result
    assert (record.kind, record.outcome, record.reason) == ("A/B test", "rejected", result.reason)
    assert (record.endpoint, record.candidate, record.rehearsal) == ("tiny-dev", "green", "said")
    assert record.versions == {"blue": 1, "green": 2}
    before = {"blue": 100, "green": 0}
    assert (record.traffic_before, record.traffic_after) == (before, before)
    assert (result.baseline, result.candidate, result.decision) == ("blue", "green", "reject")
    assert result.settings == settings.values.ab_test
    assert ended.folder
    written = read_json(ended.folder / "evidence.json", schema=1)
    assert written.pop("ended_at")
    assert written == {**record.to_dict(), "run": ""}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (1, "d is no longer known and is refused"),
        (2, "d must be sent and was not known before"),
    ],
)
def test_two_versions_that_take_other_requests_are_not_compared(
    platform: FakePlatform, both: FakeEndpoint, at_level: AtLevel, changed: int, said: str
) -> None:
    platform.features[changed] = [*FEATURES, {"name": "d", "nullable": True, "example": 1.0}]
    with pytest.raises(Refused, match=f"version 2 may refuse .*: {said}; ") as refusal:
        compare_deployments(platform, at_level(3), ("blue", "green"))
    assert "docs/release.md" in refusal.value.remedy
    assert both.calls == ["lease for the A/B test of green", "undone"]
    assert both.traffic() == {"blue": 100, "green": 0}


@pytest.mark.parametrize("made_up", [1, 2])
def test_made_up_data_and_real_ones_are_not_compared(
    platform: FakePlatform, both: FakeEndpoint, at_level: AtLevel, made_up: int
) -> None:
    platform.sources[made_up] = MADE_UP
    with pytest.raises(Refused, match="made-up data and real ones are not compared"):
        compare_deployments(platform, at_level(3), ("blue", "green"))
    assert both.traffic() == {"blue": 100, "green": 0}


@pytest.mark.usefixtures("both")
@pytest.mark.parametrize(
    ("gone", "said"), [(1, "what version 1 takes is unknown"), (2, "there is no version 2")]
)
def test_what_is_not_registered_is_not_compared(
    platform: FakePlatform, at_level: AtLevel, gone: int, said: str
) -> None:
    platform.numbers.remove(gone)
    with pytest.raises(MlopsError, match=said):
        compare_deployments(platform, at_level(3), ("blue", "green"))
