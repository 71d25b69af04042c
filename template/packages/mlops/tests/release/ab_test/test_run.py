"""The loop that looks: what it asks of an endpoint, and how long it goes on."""

import math
from collections.abc import Callable

import pytest

from fakes.clock import FakeClock
from fakes.endpoint import FakeEndpoint
from mlops.errors import ConfigError
from mlops.platforms.base import NotObserved, Observation
from mlops.release.ab_test.decision import AbResult
from mlops.release.ab_test.looks import Look
from mlops.release.ab_test.run import LOST_SECONDS, PAUSE_SECONDS, SILENT_SECONDS, run_ab_test
from mlops.settings.sections import AbTestSettings

SETTINGS = AbTestSettings(batch_seconds=1, duration_seconds=20)


def run(
    endpoint: FakeEndpoint,
    settings: AbTestSettings = SETTINGS,
    report: Callable[[str], None] = lambda _line: None,
) -> AbResult:
    return run_ab_test(endpoint, "blue", "green", settings, report, clock=FakeClock())


def test_it_goes_by_mirror_and_share_to_a_decision(both: FakeEndpoint) -> None:
    lines: list[str] = []
    result = run(both, report=lines.append)
    assert both.calls == ["mirror green 20", "mirror None 0", "traffic {'blue': 90, 'green': 10}"]
    assert lines == [
        "20 % of the requests are copied to green",
        "green answers 10 % of the requests",
        f"promote: {result.reason}",
    ]


def test_without_a_mirror_callers_are_answered_at_once(both: FakeEndpoint) -> None:
    result = run(both, SETTINGS.model_copy(update={"mirror_percent": 0, "share_percent": 30}))
    assert both.calls == ["mirror None 0", "traffic {'blue': 70, 'green': 30}"]
    assert {look.phase for look in result.looks} == {"share"}


def test_every_look_is_shown_with_the_shares_of_its_moment(both: FakeEndpoint) -> None:
    seen: list[tuple[Look, dict[str, int], dict[str, int]]] = []

    def watch(look: Look, traffic: dict[str, int], mirror: dict[str, int]) -> None:
        seen.append((look, traffic, mirror))

    result = run_ab_test(both, "blue", "green", SETTINGS, watch=watch, clock=FakeClock())
    assert [look for look, _, _ in seen] == list(result.looks)
    assert seen[0][1:] == ({"blue": 100, "green": 0}, {"green": 20})
    assert seen[-1][1:] == ({"blue": 90, "green": 10}, {})
    assert (seen[0][0].phase, seen[-1][0].phase) == ("mirror", "share")


def test_requests_that_hang_are_waited_for_and_count_as_errors(both: FakeEndpoint) -> None:
    both.hanging = {"green"}
    result = run(both, SETTINGS.model_copy(update={"patience_ms": 700}))
    assert result.decision == "reject"
    assert result.looks[-1].copies.errors == result.looks[-1].copies.requests > 0
    assert both.patience == {0, 0.7}


def test_an_outage_of_what_observes_is_waited_out(
    both: FakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    observe, asked, lines = both.observations, [0], list[str]()

    def sometimes(after: int = 0, patience_seconds: float = math.inf) -> list[Observation]:
        asked[0] += 1
        if asked[0] % 2:
            raise NotObserved("the log answered 503")
        return observe(after, patience_seconds)

    monkeypatch.setattr(both, "observations", sometimes)
    longer = SETTINGS.model_copy(update={"duration_seconds": 600})
    assert run(both, longer, lines.append).decision == "promote"
    assert "trying again: the log answered 503" in lines


@pytest.mark.parametrize(("seconds", "waited_out"), [(0.0, True), (PAUSE_SECONDS, False)])
def test_an_outage_of_more_than_ten_minutes_ends_the_test(
    both: FakeEndpoint, monkeypatch: pytest.MonkeyPatch, seconds: float, waited_out: bool
) -> None:
    clock, observe = FakeClock(), both.observations
    over = LOST_SECONDS + PAUSE_SECONDS + seconds

    def later(after: int = 0, patience_seconds: float = math.inf) -> list[Observation]:
        if clock.now < over:
            raise NotObserved("the log answered 503")
        return observe(after, patience_seconds)

    monkeypatch.setattr(both, "observations", later)
    settings = AbTestSettings(duration_seconds=3600)
    if waited_out:
        assert run_ab_test(both, "blue", "green", settings, clock=clock).decision == "promote"
        return
    with pytest.raises(NotObserved, match="503"):
        run_ab_test(both, "blue", "green", settings, clock=clock)


def test_what_began_before_a_phase_is_no_part_of_it(both: FakeEndpoint) -> None:
    looks = run(both).looks
    # a batch before the phase, which is skipped, and one within
    assert looks[0].baseline.requests == both.batch
    assert looks[0].copies.requests == both.batch * 20 // 100
    first = next(look for look in looks if look.phase == "share")
    assert first.baseline.requests == both.batch * 90 // 100
    assert first.candidate.requests == both.batch * 10 // 100


@pytest.mark.parametrize(("duration", "looks"), [(6.0, [3.0, 6.0]), (6.001, [3.0, 6.0, 9.0])])
def test_it_looks_until_the_time_is_over(
    both: FakeEndpoint, duration: float, looks: list[float]
) -> None:
    both.batch = 10
    settings = AbTestSettings(batch_seconds=3, duration_seconds=duration)
    result = run(both, settings)
    assert result.decision == "hold"
    assert [look.seconds for look in result.looks] == looks


@pytest.mark.parametrize("batch", [0, 400])
def test_no_caller_is_moved_once_the_time_is_over(both: FakeEndpoint, batch: int) -> None:
    both.batch = batch
    # one look takes all the time there is, with or without the copies that would suffice
    settings = AbTestSettings(batch_seconds=1, duration_seconds=1, mirror_requests=80)
    result = run(both, settings)
    assert result.decision == "hold"
    assert f"given {batch * 20 // 100} of 80 copies, so it answered no callers" in result.reason
    assert both.traffic() == {"blue": 100, "green": 0}
    assert both.calls == ["mirror green 20"]


@pytest.mark.parametrize(("requests", "looks"), [(80, 1), (81, 2)])
def test_the_mirror_ends_with_the_copies_that_were_asked_for(
    both: FakeEndpoint, requests: int, looks: int
) -> None:
    result = run(both, SETTINGS.model_copy(update={"mirror_requests": requests}))
    assert [look.phase for look in result.looks].count("mirror") == looks


def test_copies_that_are_never_seen_end_the_test_early(
    both: FakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    observe = both.observations

    def without_copies(after: int = 0, patience_seconds: float = math.inf) -> list[Observation]:
        return [each for each in observe(after, patience_seconds) if not each.mirrored]

    monkeypatch.setattr(both, "observations", without_copies)
    settings = AbTestSettings(batch_seconds=1, mirror_seconds=30, duration_seconds=3600)
    result = run(both, settings)
    assert result.decision == "hold"
    assert "no copy of one was seen at green" in result.reason
    assert "set ab_test.mirror_percent to 0" in result.reason
    assert result.looks[-1].seconds - result.looks[0].seconds == 30
    assert both.calls == ["mirror green 20"]


def test_without_requests_the_time_for_copies_does_not_begin(both: FakeEndpoint) -> None:
    both.batch = 0
    looked = [0]

    def begin() -> None:
        looked[0] += 1
        both.batch = 400 if looked[0] > 5 else 0

    both.before_look = begin
    settings = AbTestSettings(batch_seconds=1, mirror_seconds=1, duration_seconds=600)
    assert run(both, settings).decision == "promote"


@pytest.mark.parametrize(
    ("duration", "told"), [(SILENT_SECONDS, False), (SILENT_SECONDS + 0.5, True)]
)
def test_silence_is_told_once_it_lasts(both: FakeEndpoint, duration: float, told: bool) -> None:
    both.batch = 0
    lines: list[str] = []
    run(both, AbTestSettings(batch_seconds=0.5, duration_seconds=duration), lines.append)
    assert ("no request has come to tiny-dev yet" in lines) is told
    lines.clear()
    both.set_mirror(None)
    run(both, AbTestSettings(batch_seconds=0.5, duration_seconds=60), lines.append)
    assert lines.count("no request has come to tiny-dev yet") == 1


def test_where_nobody_calls_the_remedy_is_named(both: FakeEndpoint) -> None:
    both.batch = 0
    lines: list[str] = []
    settings = AbTestSettings(batch_seconds=1, duration_seconds=60)
    run_ab_test(both, "blue", "green", settings, lines.append, callers=False, clock=FakeClock())
    assert any("tiny-dev yet: " in line and "`--rehearsal`" in line for line in lines)


def test_no_caller_is_moved_while_nobody_sees_how_requests_go(both: FakeEndpoint) -> None:
    both.unobserved = "the log is empty"
    result = run(both)
    assert (result.decision, result.reason, result.looks) == ("hold", "the log is empty", ())
    assert both.calls == []


def test_a_candidate_that_is_not_healthy_is_rejected(both: FakeEndpoint) -> None:
    both.batch = 1
    both.before_look = lambda: both.dead.add("green")
    result = run(both)
    assert (result.decision, len(result.looks)) == ("reject", 1)
    assert result.reason == "green is not healthy: not running"


def test_a_candidate_that_is_gone_is_rejected(
    both: FakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    both.batch = 1
    only_blue = both.deployments()[:1]
    monkeypatch.setattr(both, "deployments", lambda: only_blue)
    assert run(both).reason == "green is not healthy: it is gone"


def test_one_late_answer_is_not_enough(both: FakeEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    deployments, late = both.deployments, [True]

    def once() -> list[object]:
        if late[0]:
            late[0] = False
            return []
        return list(deployments())

    monkeypatch.setattr(both, "deployments", once)
    assert run(both).decision == "promote"


@pytest.mark.parametrize(
    ("arms", "said"),
    [
        (("blue", "red"), "no deployment 'red'"),
        (("blue", "blue"), "compared with itself"),
        (("green", "blue"), "starts with all traffic at green, which has 0 %"),
    ],
)
def test_impossible_arms_are_refused(both: FakeEndpoint, arms: tuple[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        run_ab_test(both, *arms, SETTINGS)
    assert both.calls == []


def test_one_percent_less_than_all_traffic_is_not_all(both: FakeEndpoint) -> None:
    both.set_traffic({"blue": 99, "green": 1})
    with pytest.raises(ConfigError, match="all traffic at blue, which has 99 %"):
        run(both)
