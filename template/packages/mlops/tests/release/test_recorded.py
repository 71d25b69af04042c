"""Whatever changes what callers reach stands in the audit log, and needs it whole."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from fakes.audit_lines import WHEN
from fakes.endpoint import FakeEndpoint
from fakes.platform import FakePlatform
from fakes.release import AtLevel, PretendedSmokeTest
from mlops.errors import ConfigError, PlatformError, Refused
from mlops.governance.audit.entry import Act, Entry
from mlops.governance.audit.log import BrokenLog, read_entries
from mlops.governance.audit.record import noted
from mlops.governance.audit.replay import serves_now
from mlops.progress import silent
from mlops.release.candidate import release_version
from mlops.release.recorded import (
    recorded_deployment,
    recorded_removal,
    recorded_rollback,
    recorded_switch,
)
from mlops.release.traffic import rollback, switch_traffic
from mlops.release.withdraw import Outcome, withdraw
from mlops.settings.loading import LoadedSettings

pytestmark = pytest.mark.usefixtures("smoke", "small_picture")
Break = Callable[[], None]


@pytest.fixture
def settings(at_level: AtLevel) -> LoadedSettings:
    return replace(at_level(2, release__keep_previous="24h"), clock=lambda: WHEN)


@pytest.fixture
def spoil(platform: FakePlatform, settings: LoadedSettings) -> Break:
    def spoiled() -> None:
        noted(platform, settings, Act.GATE, {"version": 1}, "passed")
        noted(platform, settings, Act.GATE, {"version": 2}, "passed")
        store = platform.audit_store
        store.files = {
            name: content.replace(b'"outcome":"passed"', b'"outcome":"refused"', 1)
            for name, content in store.files.items()
        }

    return spoiled


def lines(platform: FakePlatform) -> list[Entry]:
    return list(read_entries(platform.audit()))


def test_a_release_is_written_down_with_what_serves_after_it(
    platform: FakePlatform, serving: FakeEndpoint, settings: LoadedSettings
) -> None:
    release_version(platform, settings, 2)
    intent, outcome = lines(platform)
    assert (intent.act, intent.version, intent.outcome) == (Act.RELEASE, 2, "")
    assert (outcome.outcome, outcome.subject["deployment"]) == ("done", "green")
    assert outcome.details["traffic"] == "2=100"
    (served,) = serves_now(lines(platform))
    assert (served.endpoint, served.traffic) == (serving.name, {2: 100})


def test_a_release_that_is_refused_is_written_down(
    platform: FakePlatform,
    serving: FakeEndpoint,
    settings: LoadedSettings,
    smoke: PretendedSmokeTest,
) -> None:
    smoke.passes = False
    with pytest.raises(Refused):
        release_version(platform, settings, 2)
    outcome = lines(platform)[-1]
    assert (outcome.outcome, outcome.details["traffic"]) == ("refused", "1=100")
    assert "failed the smoke test" in outcome.reason
    assert serving.traffic()["blue"] == 100


def test_a_release_needs_a_whole_log(
    platform: FakePlatform, serving: FakeEndpoint, settings: LoadedSettings, spoil: Break
) -> None:
    spoil()
    with pytest.raises(BrokenLog, match=r"line 1 .* was changed"):
        release_version(platform, settings, 2)
    assert [each.name for each in serving.deployments()] == ["blue"]


def test_a_deployment_and_a_switch_need_a_whole_log(
    platform: FakePlatform, both: FakeEndpoint, settings: LoadedSettings, spoil: Break
) -> None:
    with recorded_deployment(platform, settings, 2, "green", silent):
        pass
    with recorded_switch(platform, settings, both, silent, {"green_percent": 50}):
        switch_traffic(platform, both, 50)
    assert [each.act for each in lines(platform)] == [Act.RELEASE] * 2 + [Act.SWITCH] * 2
    assert serves_now(lines(platform))[0].traffic == {1: 50, 2: 50}
    spoil()
    with (
        pytest.raises(BrokenLog),
        recorded_deployment(platform, settings, 2, "green", silent),
    ):
        pytest.fail("it was deployed")
    with pytest.raises(BrokenLog):
        recorded_switch(platform, settings, both, silent, {"green_percent": 0})


def test_the_way_back_needs_no_log(
    platform: FakePlatform, serving: FakeEndpoint, settings: LoadedSettings, spoil: Break
) -> None:
    release_version(platform, settings, 2)
    spoil()
    with recorded_rollback(platform, settings, serving, silent, 2):
        rollback(platform, serving, settings.values.smoke_test)
    assert serving.traffic()["blue"] == 100
    with recorded_removal(platform, settings, serving, silent):
        pass


@pytest.mark.parametrize("broken", [False, True])
def test_an_alarm_withdraws_with_and_without_the_log(
    platform: FakePlatform, serving: FakeEndpoint, settings: LoadedSettings, broken: bool
) -> None:
    release_version(platform, settings, 2)
    if broken:
        platform.audit_store.fails = PlatformError("no network")
    assert withdraw(platform, serving, 2, settings).outcome is Outcome.ROLLED_BACK
    assert serving.traffic()["blue"] == 100
    platform.audit_store.fails = None
    found = [(each.act, each.outcome) for each in lines(platform)[2:]]
    assert found == ([] if broken else [(Act.ROLLBACK, ""), (Act.ROLLBACK, "done")])
    if not broken:
        assert lines(platform)[-1].details == {"by": "alert", "traffic": "1=100"}


def test_what_fails_before_it_begins_is_written_down(
    platform: FakePlatform, serving: FakeEndpoint, settings: LoadedSettings
) -> None:
    with pytest.raises(ConfigError):
        release_version(platform, settings, 77)
    assert (lines(platform)[-1].outcome, serving.traffic()) == ("failed", {"blue": 100})
