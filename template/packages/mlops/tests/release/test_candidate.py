"""A release from the first deployment to the switch, and everything that may stop it."""

from dataclasses import replace
from typing import Any

import pytest

from fakes.endpoint import FakeEndpoint
from fakes.platform import FakePlatform
from fakes.release import AtLevel, PretendedSmokeTest, holds_at_removal
from fakes.tiny_version import FEATURES, REAL
from mlops.errors import ConfigError, Hold, MlopsError, PlatformError, Refused
from mlops.files import read_json
from mlops.platforms.base import DeploymentShare, ModelVersion, Observation
from mlops.release.ab_test.command import compare_deployments
from mlops.release.candidate import ReleaseOptions, release_version
from mlops.release.watchers import Ended, Watchers

pytestmark = pytest.mark.usefixtures("smoke", "small_picture")

SAID = ReleaseOptions(rehearsal="said")


def ended(ends: list[Ended]) -> dict[str, Any]:
    """The evidence of the only release that ended."""
    (end,) = ends
    assert end.folder
    return read_json(end.folder / "evidence.json", schema=1)


def test_level_1_has_no_release(platform: FakePlatform, at_level: AtLevel) -> None:
    with pytest.raises(ConfigError, match=r"level 1.*copier update -d maturity_level=2"):
        release_version(platform, at_level(1), 1)
    assert platform.endpoints == {}


def test_the_first_release_ever_proves_itself_before_it_serves(
    platform: FakePlatform, endpoint: FakeEndpoint, smoke: PretendedSmokeTest, at_level: AtLevel
) -> None:
    released = release_version(platform, at_level(3), 2)
    assert endpoint.calls == [
        "lease for the release of version 2",
        "deploy blue 2",
        "smoke test blue",
        "mirror None 0",
        "traffic {'blue': 100}",
    ]
    assert smoke.traffic == [{"blue": 0}]
    assert endpoint.traffic() == {"blue": 100}
    assert released.record.outcome == "promoted"
    assert released.record.ab_test is None


def test_a_first_version_that_fails_its_smoke_test_is_removed(
    platform: FakePlatform, endpoint: FakeEndpoint, smoke: PretendedSmokeTest, at_level: AtLevel
) -> None:
    smoke.passes = False
    with pytest.raises(Refused, match="failed the smoke test"):
        release_version(platform, at_level(3), 2)
    assert endpoint.serving == {}


def test_level_2_switches_after_the_smoke_test(
    platform: FakePlatform, serving: FakeEndpoint, at_level: AtLevel
) -> None:
    release_version(platform, at_level(2), 2)
    assert serving.calls == [
        "lease for the release of version 2",
        "deploy green 2",
        "smoke test green",
        "mirror None 0",
        "traffic {'green': 100}",
        "delete blue",
    ]
    assert serving.recorded == {"blue": DeploymentShare(1, 100, serving.code)}


def test_level_3_goes_by_mirror_share_and_decision(
    platform: FakePlatform, serving: FakeEndpoint, at_level: AtLevel
) -> None:
    released = release_version(platform, at_level(3), 2)
    assert serving.calls == [
        "lease for the release of version 2",
        "deploy green 2",
        "smoke test green",
        "mirror green 20",
        "mirror None 0",
        "traffic {'blue': 90, 'green': 10}",
        "mirror None 0",
        "traffic {'green': 100}",
        "delete blue",
    ]
    assert serving.traffic() == {"green": 100}
    assert released.record.ab_test
    assert released.record.ab_test.decision == "promote"


def test_the_next_release_takes_the_other_colour(
    platform: FakePlatform, serving: FakeEndpoint, at_level: AtLevel
) -> None:
    release_version(platform, at_level(2), 2)
    release_version(platform, at_level(2), 10)
    assert serving.serving == {"blue": 10}
    assert serving.traffic() == {"blue": 100}


def test_a_version_that_serves_already_is_left_alone(
    platform: FakePlatform, serving: FakeEndpoint, at_level: AtLevel
) -> None:
    released = release_version(platform, at_level(3), 1)
    assert serving.calls == ["lease for the release of version 1"]
    assert (released.record.outcome, released.folder) == ("unchanged", None)


def test_a_worse_candidate_is_rejected_and_removed(
    platform: FakePlatform, serving: FakeEndpoint, at_level: AtLevel
) -> None:
    serving.errors = {2: 0.1}
    ends: list[Ended] = []
    with pytest.raises(Refused, match=r"rejected: green is worse than blue in errors") as refusal:
        release_version(platform, at_level(3), 2, Watchers(ended=ends.append))
    assert refusal.value.exit_code == 1
    assert (serving.serving, serving.traffic(), serving.mirror()) == (
        {"blue": 1},
        {"blue": 100},
        {},
    )
    evidence = ended(ends)
    assert evidence["outcome"] == "rejected"
    assert evidence["traffic_after"] == {"blue": 100}
    assert ends[0].folder
    assert (ends[0].folder / "candidate.log").read_text() == "green printed this"


def test_without_enough_requests_the_candidate_waits_without_traffic(
    platform: FakePlatform, serving: FakeEndpoint, at_level: AtLevel
) -> None:
    serving.batch = 10
    ends: list[Ended] = []
    settings = at_level(3, ab_test__duration_seconds=0.05)
    with pytest.raises(Hold, match="no decision yet") as hold:
        release_version(platform, settings, 2, Watchers(ended=ends.append))
    assert hold.value.exit_code == 4
    assert (serving.serving, serving.mirror()) == ({"blue": 1, "green": 2}, {})
    assert serving.traffic() == {"blue": 100, "green": 0}
    assert serving.recorded is None
    assert ended(ends)["outcome"] == "hold"

    serving.batch, serving.calls = 400, []
    release_version(platform, at_level(3), 2)
    assert not any(call.startswith("deploy") for call in serving.calls)
    assert serving.traffic() == {"green": 100}


def test_a_failed_smoke_test_leaves_all_as_it_was(
    platform: FakePlatform, serving: FakeEndpoint, smoke: PretendedSmokeTest, at_level: AtLevel
) -> None:
    smoke.passes = False
    with pytest.raises(Refused, match="green, version 2, failed the smoke test: health"):
        release_version(platform, at_level(3), 2)
    assert not any(call.startswith(("traffic", "mirror")) for call in serving.calls)
    assert (serving.serving, serving.traffic()) == ({"blue": 1}, {"blue": 100})


def test_a_candidate_that_dies_is_rejected_at_once(
    platform: FakePlatform, serving: FakeEndpoint, at_level: AtLevel
) -> None:
    def die() -> None:
        if serving.traffic().get("green"):
            serving.dead.add("green")
            serving.batch = 20

    serving.before_look = die
    with pytest.raises(Refused, match=r"green is not healthy: not running|green is worse"):
        release_version(platform, at_level(3), 2)
    assert (serving.serving, serving.traffic()) == ({"blue": 1}, {"blue": 100})


@pytest.mark.parametrize("error", [KeyboardInterrupt(), PlatformError("no router")])
def test_an_interruption_leaves_all_as_it_was(
    platform: FakePlatform, serving: FakeEndpoint, at_level: AtLevel, error: BaseException
) -> None:
    def interrupt() -> None:
        if serving.traffic().get("green"):
            raise error

    serving.before_look = interrupt
    ends: list[Ended] = []
    with pytest.raises(type(error)):
        release_version(platform, at_level(3), 2, Watchers(ended=ends.append))
    assert (serving.serving, serving.traffic(), serving.mirror()) == (
        {"blue": 1},
        {"blue": 100},
        {},
    )
    assert ended(ends)["outcome"] == "failed"


def test_a_candidate_that_was_there_before_is_not_removed_by_a_failure(
    platform: FakePlatform, serving: FakeEndpoint, smoke: PretendedSmokeTest, at_level: AtLevel
) -> None:
    serving.serve("green", 2)
    smoke.passes = False
    with pytest.raises(Refused):
        release_version(platform, at_level(3), 2)
    assert serving.serving == {"blue": 1, "green": 2}


def test_shared_traffic_and_unknown_versions_are_refused_first(
    platform: FakePlatform, serving: FakeEndpoint, at_level: AtLevel
) -> None:
    with pytest.raises(ConfigError, match="no version 7"):
        release_version(platform, at_level(3), 7)
    serving.serve("green", 2)
    serving.set_traffic({"blue": 90, "green": 10})
    with pytest.raises(ConfigError, match="blue 90 %, green 10 %"):
        release_version(platform, at_level(3), 10)
    assert not any(call.startswith("deploy") for call in serving.calls)


@pytest.mark.parametrize(
    ("environment", "enabled", "compared"),
    [("prod", None, True), ("test", None, False), ("test", True, True), ("prod", False, False)],
)
def test_only_prod_compares_unless_it_is_said(
    platform: FakePlatform,
    at_level: AtLevel,
    environment: str,
    enabled: bool | None,
    compared: bool,
) -> None:
    settings = at_level(3, ab_test__enabled=enabled)
    values = settings.values.model_copy(update={"environment": environment})
    settings = replace(settings, values=values)
    endpoint = platform.endpoint(settings.endpoint_name)
    endpoint.serve("blue", 1, share=100)
    released = release_version(platform, settings, 2)
    assert (released.record.ab_test is not None) == compared
    assert endpoint.traffic() == {"green": 100}


def test_a_dead_version_is_replaced_without_a_comparison(
    platform: FakePlatform, serving: FakeEndpoint, at_level: AtLevel
) -> None:
    serving.dead.add("blue")
    released = release_version(platform, at_level(3), 2)
    assert serving.traffic() == {"green": 100}
    assert "blue is not healthy (not running), so there is nothing" in released.record.reason


def test_evidence_that_cannot_be_written_does_not_decide_the_release(
    platform: FakePlatform,
    serving: FakeEndpoint,
    at_level: AtLevel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_arguments: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("mlops.release.candidate.write_evidence", fail)
    lines: list[str] = []
    released = release_version(platform, at_level(2), 2, Watchers(report=lines.append))
    assert (released.record.outcome, released.folder) == ("promoted", None)
    assert serving.traffic() == {"green": 100}
    assert "the evidence could not be written: no space left" in lines


def test_what_cannot_be_removed_undoes_no_release(
    platform: FakePlatform,
    serving: FakeEndpoint,
    at_level: AtLevel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupt(_name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(serving, "delete", interrupt)
    ends: list[Ended] = []
    with pytest.raises(KeyboardInterrupt):
        release_version(platform, at_level(2), 2, Watchers(ended=ends.append))
    assert serving.traffic() == {"blue": 0, "green": 100}
    assert ended(ends)["outcome"] == "promoted"
    assert ended(ends)["not_removed"] == ["blue"]
    assert serving.recorded == {"blue": DeploymentShare(1, 100, serving.code)}


def test_what_cannot_be_removed_stands_in_the_evidence(
    platform: FakePlatform,
    serving: FakeEndpoint,
    at_level: AtLevel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_name: str) -> None:
        raise PlatformError("another operation on it is in progress")

    monkeypatch.setattr(serving, "delete", refuse)
    ends: list[Ended] = []
    released = release_version(platform, at_level(2), 2, Watchers(ended=ends.append))
    assert released.record.outcome == "promoted"
    assert ended(ends)["not_removed"] == ["blue"]
    assert released.folder
    page = (released.folder / "evidence.md").read_text(encoding="utf-8")
    assert "**Warning:** blue could not be removed" in page


def test_what_served_is_removed_while_the_release_holds_the_endpoint(
    platform: FakePlatform,
    serving: FakeEndpoint,
    at_level: AtLevel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held = holds_at_removal(serving, monkeypatch)
    release_version(platform, at_level(2), 2)
    assert held == ["the release of version 2"]


def test_a_switch_completes_its_release(
    platform: FakePlatform, serving: FakeEndpoint, at_level: AtLevel
) -> None:
    release_version(platform, at_level(2), 2)
    assert serving.completed


@pytest.mark.parametrize(("poll_seconds", "seconds"), [(0.0, 0.001), (0.02, 0.02)])
def test_an_endpoint_is_asked_no_more_often_than_it_may_be(
    platform: FakePlatform,
    serving: FakeEndpoint,
    at_level: AtLevel,
    poll_seconds: float,
    seconds: float,
) -> None:
    settings = at_level(3)
    serving.poll_seconds = poll_seconds
    released = release_version(platform, settings, 2)
    serving.serve("blue", 2)
    alone = compare_deployments(platform, settings, ("green", "blue"))
    for each in (released, alone):
        assert each.record.ab_test
        assert each.record.ab_test.settings.batch_seconds == seconds


@pytest.mark.usefixtures("smoke")
def test_a_release_holds_while_nobody_sees_how_requests_go(
    platform: FakePlatform, serving: FakeEndpoint, at_level: AtLevel
) -> None:
    serving.unobserved = "the log is empty"
    ends: list[Ended] = []
    with pytest.raises(Hold, match="neither promoted nor rejected: the log is empty"):
        release_version(platform, at_level(3), 2, Watchers(ended=ends.append))
    assert serving.traffic() == {"blue": 100, "green": 0}
    assert serving.serving == {"blue": 1, "green": 2}
    assert ended(ends)["outcome"] == "hold"
    # without a comparison nobody needs to see
    assert release_version(platform, at_level(2), 2).record.outcome == "promoted"


def test_a_release_that_could_not_be_judged_deploys_nothing(
    platform: FakePlatform,
    serving: FakeEndpoint,
    at_level: AtLevel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse() -> list[Observation]:
        raise ConfigError("there can be no A/B test without a log of the requests")

    monkeypatch.setattr(serving, "observations", refuse)
    with pytest.raises(ConfigError, match="without a log"):
        release_version(platform, at_level(3), 2)
    assert not [call for call in serving.calls if call.startswith(("deploy", "traffic"))]


def test_the_evidence_of_a_release_is_what_the_endpoint_and_the_tests_said(
    platform: FakePlatform, serving: FakeEndpoint, at_level: AtLevel
) -> None:
    settings = at_level(3)
    ends: list[Ended] = []
    returned = release_version(platform, settings, 2, Watchers(ended=ends.append), SAID)
    assert ends == [returned]
    evidence = ended(ends)
    assert returned.record.ab_test
    assert evidence.pop("ended_at")
    assert evidence.pop("would_be_refused")  # the tiny versions have neither card nor lineage
    assert evidence == {
        "schema": 1,
        "endpoint": "tiny-dev",
        "outcome": "promoted",
        "reason": returned.record.ab_test.reason,
        "candidate": "green",
        "model_version": 2,
        "versions": {"blue": 1, "green": 2},
        "data": {"blue": REAL.summary(), "green": REAL.summary()},
        "replaced": "",
        "rehearsal": "said",
        "run": "",
        "changes_of_requests": [],
        "breaking": "",
        "traffic_before": {"blue": 100},
        "traffic_after": {"green": 100},
        "not_removed": [],
        "human_part_sha256": "",
        "smoke_test": {
            "schema": 1,
            "endpoint": "tiny-dev",
            "passed": True,
            "checks": [{"name": "health", "found": "found", "asked": "asked", "passed": True}],
        },
        "ab_test": {
            "decision": "promote",
            "reason": returned.record.ab_test.reason,
            "baseline": "blue",
            "candidate": "green",
            "limits": {"promote": 20.0, "reject": 40.0},
            "settings": settings.values.ab_test.model_dump(mode="json"),
            "looks": [look.to_dict() for look in returned.record.ab_test.looks],
        },
    }
    assert (returned.record.kind, returned.record.candidate_log) == ("Release", "")
    assert serving.serving == {"green": 2}


def test_the_evidence_names_a_version_that_was_never_deployed(
    platform: FakePlatform,
    serving: FakeEndpoint,
    at_level: AtLevel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise PlatformError("it did not start")

    monkeypatch.setattr(serving, "deploy", fail)
    ends: list[Ended] = []
    with pytest.raises(PlatformError):
        release_version(platform, at_level(2), 2, Watchers(ended=ends.append))
    evidence = ended(ends)
    assert (evidence["outcome"], evidence["model_version"]) == ("failed", 2)
    assert evidence["versions"] == {"blue": 1}


def test_the_evidence_of_a_refusal_says_why_and_what_serves(
    platform: FakePlatform, serving: FakeEndpoint, smoke: PretendedSmokeTest, at_level: AtLevel
) -> None:
    smoke.passes = False
    ends: list[Ended] = []
    with pytest.raises(Refused) as refusal:
        release_version(platform, at_level(2), 2, Watchers(ended=ends.append))
    evidence = ended(ends)
    assert evidence["outcome"] == "rejected"
    assert evidence["reason"] == str(refusal.value)
    assert evidence["versions"] == {"blue": 1, "green": 2}
    assert (evidence["traffic_before"], evidence["traffic_after"]) == ({"blue": 100}, {"blue": 100})
    assert (evidence["smoke_test"]["passed"], evidence["ab_test"]) == (False, None)
    assert ends[0].record.candidate_log == "green printed this"
    assert serving.serving == {"blue": 1}


def test_the_evidence_of_a_hold_names_the_candidate_that_stays(
    platform: FakePlatform, serving: FakeEndpoint, at_level: AtLevel
) -> None:
    serving.batch = 1
    ends: list[Ended] = []
    settings = at_level(3, ab_test__duration_seconds=0.001)
    with pytest.raises(Hold) as hold:
        release_version(platform, settings, 2, Watchers(ended=ends.append))
    evidence = ended(ends)
    assert (evidence["outcome"], evidence["reason"]) == ("hold", str(hold.value))
    assert evidence["traffic_before"] == {"blue": 100}
    assert evidence["traffic_after"] == {"blue": 100, "green": 0}
    assert evidence["ab_test"]["decision"] == "hold"
    assert ends[0].record.candidate_log == ""


def test_what_serves_already_is_told_as_unchanged(
    platform: FakePlatform, both: FakeEndpoint, at_level: AtLevel
) -> None:
    both.delete("green")
    ends: list[Ended] = []
    returned = release_version(platform, at_level(2), 1, Watchers(ended=ends.append))
    assert ends == [returned]
    record = returned.record
    assert (record.outcome, record.reason) == ("unchanged", "it serves already")
    assert (record.endpoint, record.candidate, record.versions) == ("tiny-dev", "blue", {"blue": 1})
    assert (record.traffic_before, record.traffic_after) == ({"blue": 100}, {"blue": 100})


def test_beside_another_deployment_a_version_is_released_again(
    platform: FakePlatform, both: FakeEndpoint, at_level: AtLevel
) -> None:
    assert release_version(platform, at_level(2), 1).record.outcome == "promoted"
    assert both.serving == {"green": 1}


def test_a_rehearsal_releases_beside_itself_what_serves_already(
    platform: FakePlatform, serving: FakeEndpoint, at_level: AtLevel
) -> None:
    released = release_version(platform, at_level(2), 1, options=SAID)
    assert (released.record.outcome, released.record.rehearsal) == ("promoted", "said")
    assert serving.serving == {"green": 1}


@pytest.fixture
def changed(platform: FakePlatform) -> FakePlatform:
    """Version 2 asks for one feature more, and knows another one no longer."""
    platform.features[2] = [*FEATURES[:2], {"name": "d", "nullable": True, "example": 1.0}]
    return platform


CHANGES = ("d must be sent and was not known before", "c is no longer known and is refused")


@pytest.mark.parametrize("level", [2, 3])
def test_a_version_that_refuses_what_callers_send_is_refused_before_anything_starts(
    changed: FakePlatform, serving: FakeEndpoint, at_level: AtLevel, level: int
) -> None:
    with pytest.raises(Refused) as refusal:
        release_version(changed, at_level(level), 2)
    assert ", ".join(CHANGES) in refusal.value.message
    assert "--breaking" in refusal.value.remedy
    assert serving.calls == ["lease for the release of version 2", "undone"]
    assert (serving.serving, serving.traffic()) == ({"blue": 1}, {"blue": 100})


def test_a_breaking_release_is_not_compared_and_says_why_it_may(
    changed: FakePlatform, serving: FakeEndpoint, smoke: PretendedSmokeTest, at_level: AtLevel
) -> None:
    ends: list[Ended] = []
    lines: list[str] = []
    options = ReleaseOptions(breaking="the callers are told")
    watchers = Watchers(report=lines.append, ended=ends.append)
    released = release_version(changed, at_level(3), 2, watchers, options)
    assert released.record.outcome == "promoted"
    assert smoke.traffic == [{"blue": 100, "green": 0}]
    assert released.record.ab_test is None
    assert not [call for call in serving.calls if call.startswith("mirror green")]
    assert serving.traffic() == {"green": 100}
    evidence = ended(ends)
    assert evidence["changes_of_requests"] == list(CHANGES)
    assert evidence["breaking"] == "the callers are told"
    assert evidence["reason"].startswith("what callers send changes, so nothing was compared")
    assert any(CHANGES[0] in line for line in lines)


@pytest.mark.usefixtures("serving")
def test_a_breaking_release_that_breaks_nothing_is_compared_as_ever(
    platform: FakePlatform, at_level: AtLevel
) -> None:
    options = ReleaseOptions(breaking="the callers are told")
    released = release_version(platform, at_level(3), 2, options=options)
    assert released.record.ab_test
    assert (released.record.changes, released.record.breaking) == ((), "")


def test_the_first_version_breaks_nothing(
    changed: FakePlatform, endpoint: FakeEndpoint, at_level: AtLevel
) -> None:
    assert release_version(changed, at_level(3), 2).record.changes == ()
    assert endpoint.traffic() == {"blue": 100}


@pytest.mark.parametrize("error", [ConfigError, Refused, PlatformError])
def test_a_version_that_serves_and_cannot_be_read_any_more_is_not_guessed_at(
    platform: FakePlatform,
    serving: FakeEndpoint,
    at_level: AtLevel,
    monkeypatch: pytest.MonkeyPatch,
    error: type[MlopsError],
) -> None:
    find = platform.version

    def version(number: int) -> ModelVersion:
        if number == 1:
            raise error("not as it was registered")
        return find(number)

    monkeypatch.setattr(platform, "version", version)
    monkeypatch.setattr(platform, "versions", lambda: [find(number) for number in platform.numbers])
    unknown = "what version 1 takes is unknown (not as it was registered)"
    with pytest.raises(Refused) as refusal:
        release_version(platform, at_level(3), 2)
    assert unknown in refusal.value.message
    assert serving.traffic() == {"blue": 100}
    options = ReleaseOptions(breaking="nobody has called it for a year")
    assert release_version(platform, at_level(3), 2, options=options).record.changes == (unknown,)
    assert serving.traffic() == {"green": 100}


def test_what_is_asked_before_the_switch_can_stop_it(
    platform: FakePlatform, serving: FakeEndpoint, at_level: AtLevel
) -> None:
    def refuse() -> None:
        raise Refused("3 of 7 generated requests failed")

    with pytest.raises(Refused, match="3 of 7"):
        release_version(platform, at_level(3), 2, options=ReleaseOptions(before_switch=refuse))
    assert (serving.serving, serving.traffic()) == ({"blue": 1}, {"blue": 100})
