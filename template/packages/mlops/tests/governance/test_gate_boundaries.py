"""Each comparison of the gate, exactly at its limit and one step beyond it."""

import math
from typing import Any

import pytest

from mlops.checks import Check
from mlops.governance.champion import Comparison
from mlops.governance.gate import judge
from mlops.metrics import METRICS
from mlops.settings.sections import GateSettings, Thresholds

NO_THRESHOLD: dict[str, Any] = {"f1": None, "roc_auc": None}
LIMIT = 0.5
ABOVE, BELOW = math.nextafter(LIMIT, 1), math.nextafter(LIMIT, 0)


def evaluation(
    model: dict[str, float | None],
    baseline: dict[str, float | None] | None = None,
    slices: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    return {"model": model, "baseline": baseline or {}, "slices": slices or []}


def only(checks: tuple[Check, ...]) -> Check:
    (check,) = checks
    return check


def gate(**values: Any) -> GateSettings:
    """A gate that asks nothing but what is given."""
    nothing = {"thresholds": Thresholds(**NO_THRESHOLD), "beat_baseline": False}
    return GateSettings(**{**nothing, **values})


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    ("found", "where_higher", "where_lower"),
    [(LIMIT, True, True), (ABOVE, True, False), (BELOW, False, True)],
    ids=["at the limit", "above", "below"],
)
def test_thresholds(metric: str, found: float, where_higher: bool, where_lower: bool) -> None:
    limits = Thresholds(**{**NO_THRESHOLD, metric: LIMIT})
    check = only(judge(evaluation({metric: found}), gate(thresholds=limits), None))
    assert check.name == metric
    assert check.passed == (where_lower if METRICS[metric].lower_is_better else where_higher)
    assert check.asked == f"{'at most' if METRICS[metric].lower_is_better else 'at least'} 0.5000"


@pytest.mark.parametrize(
    ("metric", "model", "passes"),
    [
        ("f1", LIMIT, False),
        ("f1", ABOVE, True),
        ("f1", BELOW, False),
        ("brier", LIMIT, False),
        ("brier", ABOVE, False),
        ("brier", BELOW, True),
    ],
)
def test_as_good_as_the_baseline_is_not_better(metric: Any, model: float, passes: bool) -> None:
    measured = evaluation({metric: model}, baseline={metric: LIMIT})
    check = only(judge(measured, gate(metric=metric, beat_baseline=True), None))
    assert check.passed == passes
    assert check.asked == "better than 0.5000"


@pytest.mark.parametrize(
    ("metric", "champion", "challenger", "passes"),
    [
        ("f1", 0.75, LIMIT, True),
        ("f1", 0.75, BELOW, False),
        ("brier", 0.25, LIMIT, True),
        ("brier", 0.25, ABOVE, False),
    ],
)
def test_the_champion_less_the_tolerance(
    metric: Any, champion: float, challenger: float, passes: bool
) -> None:
    compared = Comparison(7, champion={metric: champion}, challenger={metric: challenger})
    asked = gate(metric=metric, tolerance=0.25)
    check = only(judge(evaluation({metric: 0.1}), asked, compared))
    assert check.passed == passes
    assert check.name == f"{metric} against champion 7"
    assert f"(champion {champion:.4f}, tolerance 0.25)" in check.asked


def part(value: str, rows: int, metric: str, found: float) -> dict[str, Any]:
    return {"slice": "s", "value": value, "rows": rows, "metrics": {metric: found}}


@pytest.mark.parametrize(
    ("metric", "whole", "worst", "passes"),
    [
        ("f1", 0.75, LIMIT, True),
        ("f1", 0.75, BELOW, False),
        ("brier", 0.25, LIMIT, True),
        ("brier", 0.25, ABOVE, False),
    ],
)
def test_the_gap_of_a_slice(metric: Any, whole: float, worst: float, passes: bool) -> None:
    slices = [part("a", 100, metric, whole), part("b", 100, metric, worst)]
    asked = gate(metric=metric, max_slice_gap=0.25)
    check = only(judge(evaluation({metric: whole}, slices=slices), asked, None))
    assert check.passed == passes
    assert check.found.endswith("in s=b")


@pytest.mark.parametrize(("rows", "judged"), [(50, True), (49, False)])
def test_the_rows_from_which_a_slice_is_judged(rows: int, judged: bool) -> None:
    slices = [part("a", 100, "f1", 0.8), part("b", 50, "f1", 0.8), part("c", rows, "f1", 0.1)]
    asked = gate(min_slice_rows=50, max_slice_gap=0.25)
    check = only(judge(evaluation({"f1": 0.8}, slices=slices), asked, None))
    assert check.passed != judged


@pytest.mark.parametrize(("count", "assessed"), [(2, True), (1, False), (0, False)])
def test_one_slice_alone_has_no_gap(count: int, assessed: bool) -> None:
    slices = [part(str(number), 100, "f1", 0.8) for number in range(count)]
    check = only(judge(evaluation({"f1": 0.8}, slices=slices), gate(max_slice_gap=0.25), None))
    assert check.passed == assessed
    assert check.found.startswith("not assessed") != assessed
