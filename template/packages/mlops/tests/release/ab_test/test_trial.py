"""An A/B test from look to look, without an endpoint."""

import pytest

from mlops.platforms.base import Observation
from mlops.release.ab_test.comparison import Comparison
from mlops.release.ab_test.decision import limits_of
from mlops.release.ab_test.trial import Conclusion, Trial
from mlops.settings.sections import AbTestSettings

SETTINGS = AbTestSettings(mirror_percent=50, mirror_seconds=30)


def requests(first: int, count: int, name: str = "blue", status: int = 200) -> list[Observation]:
    return [Observation(first + n, name, status, 0.01, False) for n in range(count)]


def trial(settings: AbTestSettings = SETTINGS) -> Trial:
    return Trial(Comparison("blue", "green", settings))


def test_what_began_before_a_phase_is_seen_but_not_counted() -> None:
    made = trial()
    made.begin("mirror", requests(5, 3))
    assert (made.seen, made.looks, made.heard) == (7, [], False)
    made.begin("mirror", [])
    assert made.seen == 7
    assert made.add([], 1).baseline.requests == 0
    assert not made.heard
    assert made.add(requests(8, 2), 2).baseline.requests == 2
    assert (made.seen, made.heard, len(made.looks)) == (9, True, 2)


@pytest.mark.parametrize(("seconds", "gives_up"), [(34.999, False), (35.0, True)])
def test_copies_may_be_missing_for_just_so_long(seconds: float, gives_up: bool) -> None:
    made = trial()
    made.add(requests(1, 19), 1)  # 9.5 copies are to be expected: that may be chance
    assert made.given_up() is None
    made.add(requests(20, 1), 5)
    assert made.given_up() is None
    made.add([], seconds)
    found = made.given_up()
    assert (found is not None) is gives_up
    if found:
        assert found.decision == "hold"
        assert "no copy of one was seen at green" in found.reason


def test_a_copy_that_comes_late_still_comes() -> None:
    made = trial()
    made.add(requests(1, 100), 1)
    made.add([Observation(101, "green", 200, 0.01, True)], 50)
    assert made.given_up() is None


def test_callers_are_waited_for_without_copies() -> None:
    made = trial()
    made.add(requests(1, 100), 1)
    made.begin("share", [])
    made.add(requests(101, 100), 50)
    assert made.given_up() is None


def test_a_result_holds_all_looks_and_what_they_were_judged_by() -> None:
    made = trial()
    looks = (made.add(requests(1, 5), 1), made.add(requests(6, 5), 2))
    result = made.result(Conclusion("reject", "it is gone"))
    assert (result.baseline, result.candidate) == ("blue", "green")
    assert (result.decision, result.reason) == ("reject", "it is gone")
    assert (result.limits, result.settings) == (limits_of(SETTINGS), SETTINGS)
    assert result.looks == looks


def test_a_decision_comes_with_its_reason() -> None:
    made = trial(AbTestSettings(share_percent=50))
    made.begin("share", [])
    made.add([*requests(1, 300), *requests(301, 300, "green", 500)], 1)
    found = made.decided()
    assert found
    assert (found.decision, found.reason) == ("reject", made.comparison.explain("reject"))
    assert trial().decided() is None
