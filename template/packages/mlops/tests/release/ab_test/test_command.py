"""An A/B test by itself: it decides, and leaves everything as it was."""

from pathlib import Path

import pytest

from fakes.endpoint import FakeEndpoint
from fakes.release import AtLevel
from mlops.errors import ConfigError, PlatformError
from mlops.files import read_json
from mlops.release.ab_test.command import compare_deployments
from mlops.settings.sections import AbTestSettings

pytestmark = pytest.mark.usefixtures("small_picture")


@pytest.mark.parametrize(("rate", "outcome"), [(0.0, "promoted"), (0.2, "rejected")])
def test_an_ab_test_by_itself_changes_nothing(
    both: FakeEndpoint, at_level: AtLevel, rate: float, outcome: str
) -> None:
    both.errors = {2: rate}
    result = compare_deployments(at_level(3), both, ("blue", "green"))
    assert result.record.outcome == outcome
    assert (both.traffic(), both.mirror()) == ({"blue": 100, "green": 0}, {})
    assert both.recorded is None
    assert result.folder
    assert Path(result.folder, "evidence.png").is_file()


def test_an_ab_test_needs_level_3(both: FakeEndpoint, at_level: AtLevel) -> None:
    with pytest.raises(ConfigError, match="maturity_level=3"):
        compare_deployments(at_level(2), both, ("blue", "green"))


def test_other_settings_take_the_place_of_the_environments(
    both: FakeEndpoint, at_level: AtLevel
) -> None:
    chosen = AbTestSettings(batch_seconds=0.001, duration_seconds=20, share_percent=30)
    ended = compare_deployments(at_level(3), both, ("blue", "green"), ab_settings=chosen)
    assert ended.record.ab_test
    assert ended.record.ab_test.settings == chosen
    assert "traffic {'blue': 70, 'green': 30}" in both.calls


@pytest.mark.parametrize("error", [KeyboardInterrupt(), PlatformError("no router")])
def test_an_interruption_leaves_all_as_it_was(
    both: FakeEndpoint, at_level: AtLevel, error: BaseException
) -> None:
    def interrupt() -> None:
        if both.traffic()["green"]:
            raise error

    both.before_look = interrupt
    with pytest.raises(type(error)):
        compare_deployments(at_level(3), both, ("blue", "green"))
    assert (both.traffic(), both.mirror()) == ({"blue": 100, "green": 0}, {})
    assert "traffic {'blue': 100}" in both.calls  # before the lease undoes it


def test_the_evidence_is_what_the_endpoint_and_the_test_said(
    both: FakeEndpoint, at_level: AtLevel
) -> None:
    settings = at_level(3)
    both.errors = {2: 0.2}
    ended = compare_deployments(settings, both, ("blue", "green"), rehearsal="said")
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
    assert written == record.to_dict()
