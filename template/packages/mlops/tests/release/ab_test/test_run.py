"""From answers to a decision."""

import itertools
from typing import Any

import pytest

from mlops.errors import ConfigError
from mlops.platforms.base import NotObserved, Observation
from mlops.release.ab_test import run as ab_test
from mlops.release.ab_test.run import Arm, Comparison, Look, limits_of, phases, run_ab_test
from mlops.settings.sections import AbTestSettings, Margins

SETTINGS = AbTestSettings(share_percent=50)


def answers(
    name: str, count: int, status: int = 200, seconds: float = 0.01, *, mirrored: bool = False
) -> list[Observation]:
    return [Observation(n, name, status, seconds, mirrored) for n in range(count)]


def compared(
    settings: AbTestSettings = SETTINGS, phase: Any = "share", **candidate: Any
) -> Comparison:
    """5,000 good answers of blue against 5,000 of green: copies if the phase is the mirror's."""
    comparison = Comparison("blue", "green", settings)
    comparison.begin(phase)
    green = answers("green", 5000, **{"mirrored": phase == "mirror", **candidate})
    comparison.add([*answers("blue", 5000), *green])
    return comparison


def test_an_equal_candidate_is_promoted() -> None:
    comparison = compared()
    assert comparison.decide() == "promote"
    assert "not worse than blue by the margins" in comparison.explain("promote")


@pytest.mark.parametrize("status", [0, 500, 502, 504])
def test_a_candidate_that_fails_is_rejected(status: int) -> None:
    comparison = compared(status=status)
    assert comparison.decide() == "reject"
    said = comparison.explain("reject")
    assert "worse than blue in errors by more than the margin: 100.00 % against 0.00 %" in said


def test_a_candidate_that_is_slow_is_rejected() -> None:
    comparison = compared(seconds=0.3)
    assert comparison.decide() == "reject"
    assert "in slow by more than the margin: 100.00 %" in comparison.explain("reject")


def test_an_answer_after_the_patience_is_an_error() -> None:
    settings = SETTINGS.model_copy(update={"objective_ms": 500.0, "patience_ms": 2000.0})
    for seconds, errors in ((1.9, 0), (2.1, 5000)):
        arm = compared(settings, seconds=seconds).look(1).candidate
        assert (arm.errors, arm.slow) == (errors, 5000)


def test_the_patience_covers_the_objective() -> None:
    with pytest.raises(ValueError, match=r"at least ab_test\.objective_ms, 5000"):
        AbTestSettings(objective_ms=5000)
    assert AbTestSettings(objective_ms=5000, patience_ms=5000).patience_ms == 5000


def test_a_clients_mistake_is_not_the_candidates() -> None:
    assert compared(status=400).decide() == "promote"


def test_copies_alone_reject_but_never_promote() -> None:
    assert compared(phase="mirror").decide() is None
    assert compared(phase="mirror", status=500).decide() == "reject"


def test_what_copies_showed_does_not_speak_for_promotion_nor_against_rejection() -> None:
    comparison = compared(phase="mirror", status=500)
    worse = comparison.evidence()["errors"].not_worse
    comparison.begin("share")
    assert comparison.evidence()["errors"].worse == 1
    assert comparison.evidence()["errors"].not_worse == worse


def test_copies_that_arrive_in_the_share_phase_count_for_nothing() -> None:
    comparison = compared()
    before = comparison.look(1)
    comparison.add(answers("green", 500, status=500, mirrored=True))
    assert comparison.look(1) == before


def test_callers_and_copies_are_counted_apart() -> None:
    comparison = compared(phase="mirror", status=500)
    comparison.add(answers("green", 7))
    look = comparison.look(1)
    assert (look.baseline.requests, look.candidate.requests) == (5000, 0)
    assert look.compared == look.copies == Arm(5000, 5000, 0)
    assert "100.00 % of the copies against 0.00 %" in comparison.explain("reject")
    comparison.begin("share")
    comparison.add([*answers("blue", 90), *answers("green", 10)])
    look = comparison.look(2)
    assert (look.baseline.requests, look.copies.requests) == (90, 5000)
    assert look.compared == look.candidate == Arm(10, 0, 0)
    assert "0.00 % against 0.00 %, 100.00 % of the copies before" in comparison.explain("reject")


def test_the_minimum_sample_holds_back_a_promotion() -> None:
    assert compared(SETTINGS.model_copy(update={"min_requests": 5001})).decide() is None


def test_copies_are_no_part_of_the_minimum_sample() -> None:
    settings = SETTINGS.model_copy(
        update={"min_requests": 200, "margins": Margins(errors=0.2, slow=0.2)}
    )
    comparison = compared(settings, phase="mirror")
    comparison.begin("share")
    comparison.add([*answers("blue", 199), *answers("green", 199)])
    assert all(each.worse > 20 for each in comparison.evidence().values())
    assert comparison.decide() is None
    comparison.add([*answers("blue", 1), *answers("green", 1)])
    assert comparison.decide() == "promote"


@pytest.mark.parametrize(
    ("failing", "decision"), [(0, "promote"), (25, "promote"), (100, None), (300, "reject")]
)
def test_the_margin_is_how_much_worse_is_acceptable(failing: int, decision: str | None) -> None:
    comparison = Comparison("blue", "green", SETTINGS)
    comparison.begin("share")
    for start in range(0, 10_000, 100):
        bad = answers("green", failing * (start + 100) // 10_000 - failing * start // 10_000, 500)
        good = answers("green", 100 - len(bad))
        comparison.add([*answers("blue", 100), *good, *bad])
        if found := comparison.decide():
            break
    assert found == decision


@pytest.mark.parametrize("share", [10, 20, 50])
def test_a_block_holds_as_many_answers_of_the_baseline_as_the_shares_say(share: int) -> None:
    comparison = Comparison("blue", "green", AbTestSettings(share_percent=share))
    comparison.begin("share")
    size = (100 - share) // share
    comparison.add([*answers("blue", 7 * size + size - 1), *answers("green", 9)])
    assert comparison.evidence()["errors"].blocks == 7
    comparison.add(answers("blue", 1))
    assert comparison.evidence()["errors"].blocks == 8


def test_how_answers_are_batched_does_not_matter() -> None:
    once, often = Comparison("blue", "green", SETTINGS), Comparison("blue", "green", SETTINGS)
    stream = [
        Observation(n, "green" if n % 3 else "blue", 500 if n % 7 == 0 else 200, 0.01, False)
        for n in range(300)
    ]
    for comparison, size in ((once, 300), (often, 11)):
        comparison.begin("share")
        for start in range(0, len(stream), size):
            comparison.add(stream[start : start + size])
    for metric, evidence in once.evidence().items():
        assert often.evidence()[metric].worse == pytest.approx(evidence.worse)
        assert often.evidence()[metric].not_worse == pytest.approx(evidence.not_worse)


def test_answers_of_others_do_not_count() -> None:
    comparison = compared()
    before = comparison.evidence()
    comparison.add(answers("red", 500, status=500))
    assert comparison.evidence() == before


def test_the_error_probability_is_shared_among_the_metrics_of_a_rejection() -> None:
    limits = limits_of(AbTestSettings(alpha=0.1))
    assert (limits.promote, limits.reject) == (pytest.approx(10), pytest.approx(20))


@pytest.mark.parametrize("off", [{"mirror_percent": 0}, {"mirror_requests": 0}])
def test_the_mirror_can_be_left_out(off: dict[str, int]) -> None:
    assert phases(AbTestSettings()) == ("mirror", "share")
    assert phases(AbTestSettings(**off)) == ("share",)


def test_every_look_is_shown_with_the_shares_of_its_moment(serving: Any) -> None:
    serving.serving["green"], serving.shares["green"] = 2, 0
    seen: list[tuple[Look, dict[str, int], dict[str, int]]] = []
    settings = AbTestSettings(batch_seconds=0.001, duration_seconds=20)
    result = run_ab_test(
        serving, "blue", "green", settings, watch=lambda *numbers: seen.append(numbers)
    )
    assert [look for look, _, _ in seen] == list(result.looks)
    assert seen[0][1:] == ({"blue": 100, "green": 0}, {"green": 20})
    assert seen[-1][1:] == ({"blue": 90, "green": 10}, {})
    assert (seen[0][0].phase, seen[-1][0].phase) == ("mirror", "share")


def test_requests_that_hang_are_waited_for_and_count_as_errors(serving: Any) -> None:
    serving.serving["green"], serving.shares["green"] = 2, 0
    settings = AbTestSettings(batch_seconds=0.001, duration_seconds=20, patience_ms=700)
    serving.hanging = {"green"}
    result = run_ab_test(serving, "blue", "green", settings)
    assert result.decision == "reject"
    assert result.looks[-1].copies.errors == result.looks[-1].copies.requests > 0
    assert serving.patience == {0, 0.7}


def test_an_outage_of_what_observes_is_waited_out(
    serving: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    serving.serving["green"], serving.shares["green"] = 2, 0
    monkeypatch.setattr(ab_test, "_PAUSE_SECONDS", 0)
    observe = serving.observations
    asked, lines = itertools.count(), []

    def sometimes(*arguments: Any, **options: Any) -> list[Observation]:
        if next(asked) % 2 == 0:
            raise NotObserved("the log answered 503")
        return list(observe(*arguments, **options))

    serving.observations = sometimes
    settings = AbTestSettings(batch_seconds=0.001, duration_seconds=20)
    assert run_ab_test(serving, "blue", "green", settings, lines.append).decision == "promote"
    assert "trying again: the log answered 503" in lines


def test_an_outage_that_stays_ends_the_test(serving: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    serving.serving["green"], serving.shares["green"] = 2, 0
    monkeypatch.setattr(ab_test, "_PAUSE_SECONDS", 0)
    times = itertools.count(step=300)
    monkeypatch.setattr(ab_test.time, "monotonic", lambda: next(times))

    def never(*_arguments: Any, **_options: Any) -> list[Observation]:
        raise NotObserved("the log answered 503")

    serving.observations = never
    with pytest.raises(NotObserved, match="503"):
        run_ab_test(serving, "blue", "green", AbTestSettings(duration_seconds=3600))


def test_what_began_before_a_phase_is_no_part_of_it(serving: Any) -> None:
    serving.serving["green"], serving.shares["green"] = 2, 0
    settings = AbTestSettings(batch_seconds=0.001, duration_seconds=20)
    looks = run_ab_test(serving, "blue", "green", settings).looks
    # a batch before the phase, which is skipped, and one within
    assert looks[0].baseline.requests == serving.batch
    assert looks[0].copies.requests == serving.batch * 20 // 100
    first = next(look for look in looks if look.phase == "share")
    assert first.baseline.requests == serving.batch * 90 // 100
    assert first.candidate.requests == serving.batch * 10 // 100


@pytest.mark.parametrize("batch", [0, 400])
def test_no_caller_is_moved_once_the_time_is_over(serving: Any, batch: int) -> None:
    serving.serving["green"], serving.shares["green"] = 2, 0
    serving.batch = batch
    # one look takes all the time there is, with or without the copies that would suffice
    settings = AbTestSettings(batch_seconds=0.05, duration_seconds=0.05, mirror_requests=80)
    result = run_ab_test(serving, "blue", "green", settings)
    assert result.decision == "hold"
    assert f"given {batch * 20 // 100} of 80 copies, so it answered no callers" in result.reason
    assert serving.shares == {"blue": 100, "green": 0}
    assert serving.calls == ["mirror green 20"]


def test_copies_that_are_never_seen_end_the_test_early(
    serving: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = itertools.count()
    monkeypatch.setattr(ab_test.time, "monotonic", lambda: float(next(times)))
    serving.serving["green"], serving.shares["green"] = 2, 0
    observe = serving.observations
    serving.observations = lambda *asked: [each for each in observe(*asked) if not each.mirrored]
    settings = AbTestSettings(batch_seconds=0.001, mirror_seconds=30, duration_seconds=3600)
    result = run_ab_test(serving, "blue", "green", settings)
    assert result.decision == "hold"
    assert "no copy of one was seen at green" in result.reason
    assert "set ab_test.mirror_percent to 0" in result.reason
    assert 30 <= result.looks[-1].seconds - result.looks[0].seconds < 40
    assert serving.calls == ["mirror green 20"]


def test_few_requests_without_a_copy_may_be_chance() -> None:
    comparison = Comparison("blue", "green", AbTestSettings(mirror_percent=20))
    comparison.add(answers("blue", 49))
    assert not comparison.lacks_copies
    comparison.add(answers("blue", 1))
    assert comparison.lacks_copies
    comparison.add(answers("green", 1, mirrored=True))
    assert not comparison.lacks_copies
    assert not compared(phase="share").lacks_copies


def test_without_requests_the_time_for_copies_does_not_begin(serving: Any) -> None:
    serving.serving["green"], serving.shares["green"] = 2, 0
    serving.batch = 0

    def begin() -> None:
        serving.batch = 400 if len(asked) > 5 else 0
        asked.append(serving.batch)

    asked: list[int] = []
    serving.before_look = begin
    settings = AbTestSettings(batch_seconds=0.01, mirror_seconds=0.01, duration_seconds=20)
    assert run_ab_test(serving, "blue", "green", settings).decision == "promote"


@pytest.mark.parametrize(
    ("arms", "said"),
    [
        (("blue", "red"), "no deployment 'red'"),
        (("blue", "blue"), "compared with itself"),
        (("green", "blue"), "starts with all traffic at green, which has 0 %"),
    ],
)
def test_impossible_arms_are_refused(serving: Any, arms: tuple[str, str], said: str) -> None:
    serving.serving["green"], serving.shares["green"] = 2, 0
    with pytest.raises(ConfigError, match=said):
        run_ab_test(serving, *arms, SETTINGS)
    assert serving.calls == []
