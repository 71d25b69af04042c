"""From numbers to a decision and its reason, at each limit and beside it."""

import math
from dataclasses import replace

import pytest

from mlops.release.ab_test.decision import (
    EXPECTED_COPIES,
    Limits,
    decide,
    explain,
    lacks_copies,
    limits_of,
)
from mlops.release.ab_test.looks import Arm, Look, number, percent
from mlops.release.ab_test.sequential import Evidence
from mlops.settings.sections import AbTestSettings

SETTINGS = AbTestSettings(alpha=0.05, min_requests=200, mirror_percent=20, mirror_requests=80)
PROMOTE, REJECT = 20.0, 40.0
ENOUGH = Evidence(blocks=200, worse=PROMOTE, not_worse=1.0)
GOOD = Look(9.0, "share", Arm(1800), Arm(200), Arm(80), {"errors": ENOUGH, "slow": ENOUGH})


def below(value: float) -> float:
    return math.nextafter(value, 0)


def with_evidence(**evidence: Evidence) -> Look:
    return replace(GOOD, evidence={**GOOD.evidence, **evidence})


def test_the_error_probability_is_shared_among_the_metrics_of_a_rejection() -> None:
    assert limits_of(SETTINGS) == Limits(PROMOTE, REJECT)
    limits = limits_of(AbTestSettings(alpha=0.1))
    assert limits.promote == pytest.approx(10)
    assert limits.reject == pytest.approx(20)


def test_what_reaches_every_limit_is_promoted() -> None:
    assert decide(GOOD, SETTINGS) == "promote"


@pytest.mark.parametrize("metric", ["errors", "slow"])
def test_each_metric_must_reach_the_limit_of_a_promotion(metric: str) -> None:
    almost = Evidence(200, below(PROMOTE), 1.0)
    assert decide(with_evidence(**{metric: almost}), SETTINGS) is None


@pytest.mark.parametrize("metric", ["errors", "slow"])
def test_one_metric_that_reaches_its_limit_rejects(metric: str) -> None:
    for not_worse, expected in ((REJECT, "reject"), (below(REJECT), "promote")):
        found = with_evidence(**{metric: Evidence(200, PROMOTE, not_worse)})
        assert decide(found, SETTINGS) == expected


def test_one_request_less_than_the_minimum_does_not_promote() -> None:
    assert decide(replace(GOOD, candidate=Arm(199)), SETTINGS) is None
    assert decide(replace(GOOD, candidate=Arm(201)), SETTINGS) == "promote"


def test_the_minimum_holds_back_no_rejection() -> None:
    bad = with_evidence(errors=Evidence(1, 1.0, REJECT))
    assert decide(replace(bad, candidate=Arm(1)), SETTINGS) == "reject"
    assert decide(replace(bad, phase="mirror"), SETTINGS) == "reject"


def test_copies_do_not_promote() -> None:
    assert decide(replace(GOOD, phase="mirror"), SETTINGS) is None


@pytest.mark.parametrize(("requests", "lacking"), [(49, False), (50, True)])
def test_copies_are_lacking_once_ten_are_to_be_expected(requests: int, lacking: bool) -> None:
    assert EXPECTED_COPIES == 10
    look = replace(GOOD, phase="mirror", baseline=Arm(requests), copies=Arm())
    assert lacks_copies(look, SETTINGS) is lacking
    assert not lacks_copies(replace(look, copies=Arm(1)), SETTINGS)
    assert not lacks_copies(replace(look, phase="share"), SETTINGS)


NUMBERS = Look(
    seconds=9.0,
    phase="share",
    baseline=Arm(1000, 10, 20),
    candidate=Arm(400, 12, 16),
    copies=Arm(100, 5, 6),
    evidence={"errors": Evidence(100, 21.0, 41.0), "slow": Evidence(100, 22.0, 42.0)},
)


@pytest.mark.parametrize(
    ("decision", "look", "said"),
    [
        (
            "promote",
            NUMBERS,
            "green is not worse than blue by the margins: 400 requests gave the e-values "
            "errors 21, slow 22, and each needs 20",
        ),
        (
            "reject",
            NUMBERS,
            "green is worse than blue in slow by more than the margin: 4.00 % against 2.00 %, "
            "6.00 % of the copies before, e-value 42, limit 40",
        ),
        (
            "reject",
            replace(NUMBERS, phase="mirror"),
            "green is worse than blue in slow by more than the margin: 6.00 % of the copies "
            "against 2.00 %, e-value 42, limit 40",
        ),
        (
            "reject",
            replace(NUMBERS, baseline=Arm(), copies=Arm()),
            "green is worse than blue in slow by more than the margin: 4.00 % against no "
            "requests, e-value 42, limit 40",
        ),
        (
            None,
            NUMBERS,
            "no decision yet: 400 requests gave the e-values errors 21, slow 22, and each needs 20",
        ),
        (
            None,
            replace(NUMBERS, candidate=Arm()),
            "no decision yet: no request came to the candidate",
        ),
        (
            None,
            replace(NUMBERS, phase="mirror", copies=Arm(7)),
            "no decision yet: green was given 7 of 80 copies, so it answered no callers",
        ),
        (
            None,
            replace(NUMBERS, phase="mirror", copies=Arm()),
            "no decision yet: blue answered 1,000 requests, but no copy of one was seen at "
            "green; if copies are not logged here, set ab_test.mirror_percent to 0 in conf",
        ),
    ],
)
def test_a_reason_tells_each_number_of_what_it_is_said_to_be(
    decision: str | None, look: Look, said: str
) -> None:
    chosen = decision if decision in ("promote", "reject") else None
    assert explain(chosen, look, SETTINGS, "blue", "green") == said  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.123, "0.12"),
        (9.94, "9.9"),
        (10, "10"),
        (20, "20"),
        (12345.6, "12,346"),
        (1e6, "1,000,000"),
        (math.nextafter(1e6, 2e6), "over a million"),
        (1e9, "over a million"),
    ],
)
def test_numbers_are_for_people(value: float, shown: str) -> None:
    assert number(value) == shown


def test_rates_are_for_people() -> None:
    assert percent(0.0123) == "1.23 %"
    assert percent(0.0) == "0.00 %"
    assert percent(None) == "no requests"
