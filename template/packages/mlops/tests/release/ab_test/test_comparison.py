"""From answers to numbers, and to what they are evidence for."""

from typing import Any

import pytest

from mlops.platforms.base import Observation
from mlops.release.ab_test.comparison import Comparison, block_size, classified, phases
from mlops.release.ab_test.decision import lacks_copies
from mlops.release.ab_test.looks import Arm, Phase
from mlops.settings.sections import AbTestSettings, Margins

SETTINGS = AbTestSettings(share_percent=50)


def answers(
    name: str, count: int, status: int = 200, seconds: float = 0.01, *, mirrored: bool = False
) -> list[Observation]:
    return [Observation(n, name, status, seconds, mirrored) for n in range(count)]


def compared(
    settings: AbTestSettings = SETTINGS, phase: Phase = "share", **candidate: Any
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


@pytest.mark.parametrize("status", [0, 400, 408, 424, 429, 500, 502, 504])
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


def test_mistakes_of_callers_are_as_frequent_with_both() -> None:
    comparison = Comparison("blue", "green", SETTINGS)
    comparison.begin("share")
    for status in (200, 400, 200, 200) * 50:
        comparison.add(answers("blue", 50, status))
        comparison.add(answers("green", 50, status))
    assert comparison.decide() == "promote"


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


@pytest.mark.parametrize("field", ["mirror_percent", "mirror_requests"])
def test_the_mirror_can_be_left_out(field: str) -> None:
    for value, expected in ((0, ("share",)), (1, ("mirror", "share"))):
        assert phases(AbTestSettings.model_validate({field: value})) == expected


def test_few_requests_without_a_copy_may_be_chance() -> None:
    settings = AbTestSettings(mirror_percent=20)
    comparison = Comparison("blue", "green", settings)
    comparison.add(answers("blue", 49))
    assert not lacks_copies(comparison.look(1), settings)
    comparison.add(answers("blue", 1))
    assert lacks_copies(comparison.look(1), settings)
    comparison.add(answers("green", 1, mirrored=True))
    assert not lacks_copies(comparison.look(1), settings)
    assert not lacks_copies(compared(phase="share").look(1), settings)


@pytest.mark.parametrize(
    ("status", "seconds", "expected"),
    [
        (200, 0.2, (False, False)),
        (200, 0.201, (False, True)),
        (200, 2.0, (False, True)),
        (200, 2.001, (True, True)),
        (201, 0.01, (True, False)),
        (400, 0.01, (True, False)),
        (500, 0.01, (True, False)),
        (0, 0.01, (True, False)),
    ],
)
def test_a_request_is_an_error_or_slow_only_beyond_its_limit(
    status: int, seconds: float, expected: tuple[bool, bool]
) -> None:
    settings = AbTestSettings(objective_ms=200, patience_ms=2000)
    assert classified(Observation(1, "green", status, seconds, False), settings) == expected


@pytest.mark.parametrize(
    ("phase", "percent", "size"),
    [
        ("mirror", 50, 2),
        ("mirror", 40, 2),
        ("mirror", 39, 3),
        ("mirror", 1, 100),
        ("mirror", 0, 100),
        ("share", 50, 1),
        ("share", 40, 2),
        ("share", 41, 1),
        ("share", 1, 99),
    ],
)
def test_the_shares_say_how_many_answers_are_compared_with_one(
    phase: Phase, percent: int, size: int
) -> None:
    settings = AbTestSettings.model_validate({f"{phase}_percent": percent})
    assert block_size(phase, settings) == size


def test_the_mirror_phase_is_over_with_its_last_copy() -> None:
    comparison = Comparison("blue", "green", AbTestSettings(mirror_requests=5))
    comparison.add(answers("green", 4, mirrored=True))
    assert not comparison.copies_are_enough
    comparison.add(answers("green", 1, mirrored=True))
    assert comparison.copies_are_enough
    comparison.begin("share")
    assert not comparison.copies_are_enough


def test_arms_and_metrics_are_not_mixed_up() -> None:
    comparison = Comparison("blue", "green", SETTINGS)
    comparison.begin("share")
    comparison.add([*answers("blue", 3, status=500), *answers("blue", 2, seconds=0.3)])
    comparison.add([*answers("green", 4, seconds=0.3), *answers("green", 6, status=500)])
    look = comparison.look(7)
    assert (look.seconds, look.phase) == (7, "share")
    assert look.baseline == Arm(requests=5, errors=3, slow=2)
    assert look.candidate == Arm(requests=10, errors=6, slow=4)
    assert look.copies == Arm(requests=0, errors=0, slow=0)
    assert (look.candidate.rate("errors"), look.candidate.rate("slow")) == (0.6, 0.4)
    assert Arm().rate("errors") is None
