"""The gate on amounts and several classes: every comparison follows the metric's direction."""

from dataclasses import dataclass
from typing import Any

import pytest

from mlops.artifacts.signature import differences
from mlops.checks import Check
from mlops.features import Feature, Features, Kind
from mlops.governance.champion import Comparison, incomparable
from mlops.governance.gate import judge
from mlops.settings.sections import GateSettings, Thresholds
from mlops.tasks import BINARY_TARGET, Target, Task

NOTHING: dict[str, Any] = {"f1": None, "roc_auc": None}
MAE = GateSettings(thresholds=Thresholds(**NOTHING, mae=30), metric="mae", tolerance=2.0)
MACRO = GateSettings(thresholds=Thresholds(**NOTHING, f1_macro=0.6), metric="f1_macro")
AMOUNTS, CLASSES = Target(Task.REGRESSION), Target(Task.MULTICLASS, ("cat", "dog"))


def judged(
    gate: GateSettings,
    model: float,
    baseline: float,
    champion: float | None = None,
    slices: tuple[float, ...] = (),
) -> dict[str, Check]:
    name = gate.metric
    evaluation = {
        "model": {name: model},
        "baseline": {name: baseline},
        "slices": [
            {"slice": "of", "value": str(place), "rows": 100, "metrics": {name: value}}
            for place, value in enumerate(slices)
        ],
    }
    comparison = None if champion is None else Comparison(3, {name: champion}, {name: model})
    return {check.name: check for check in judge(evaluation, gate, comparison)}


@pytest.mark.parametrize(("mae", "passed"), [(30.0, True), (30.01, False), (0.0, True)])
def test_an_error_has_an_upper_limit(mae: float, passed: bool) -> None:
    check = judged(MAE, mae, 40)["mae"]
    assert check.passed is passed
    assert check.asked == "at most 30.0000"


@pytest.mark.parametrize(("baseline", "passed"), [(20.1, True), (20.0, False), (19.9, False)])
def test_an_error_must_be_less_than_that_of_the_baseline(baseline: float, passed: bool) -> None:
    assert judged(MAE, 20, baseline)["mae against the baseline"].passed is passed


@pytest.mark.parametrize(("champion", "passed"), [(18.0, True), (17.99, False), (25.0, True)])
def test_an_error_may_be_more_than_the_champions_by_the_tolerance(
    champion: float, passed: bool
) -> None:
    check = judged(MAE, 20, 40, champion)["mae against champion 3"]
    assert check.passed is passed
    assert check.asked.startswith(f"at most {champion + 2:.4f} (champion")


@pytest.mark.parametrize(("slices", "passed"), [((20.0, 25.0), True), ((20.0, 25.1), False)])
def test_in_a_slice_an_error_may_be_more_by_the_gap(
    slices: tuple[float, ...], passed: bool
) -> None:
    gate = MAE.model_copy(update={"max_slice_gap": 5.0})
    check = judged(gate, 20, 40, slices=slices)["mae in slices"]
    assert check.passed is passed
    assert check.found.endswith("in of=1")


def test_what_is_better_the_higher_it_is_stays_so() -> None:
    found = judged(MACRO, 0.7, 0.6, champion=0.7)
    assert all(check.passed for check in found.values())
    found = judged(MACRO, 0.59, 0.6, champion=0.6)
    assert not any(check.passed for check in found.values())


@dataclass(frozen=True)
class Side:
    """What is known of a model that is compared."""

    features: Features
    target: Target


def features(*kinds: Kind) -> Features:
    return Features(tuple(Feature(f"x{i}", False, 1.0, kind=kind) for i, kind in enumerate(kinds)))


NUMBERS = features(Kind.NUMBER, Kind.BOOLEAN)


@pytest.mark.parametrize(
    ("champion", "current", "said"),
    [
        (Side(NUMBERS, BINARY_TARGET), Side(NUMBERS, AMOUNTS), "the champion is a binary model"),
        (
            Side(NUMBERS, Target(Task.MULTICLASS, ("cat", "eel"))),
            Side(NUMBERS, CLASSES),
            "the champion knows other classes: dog, eel",
        ),
        (
            Side(NUMBERS, Target(Task.MULTICLASS, ("dog", "cat"))),
            Side(NUMBERS, CLASSES),
            "the champion has its classes in another order",
        ),
        (
            Side(NUMBERS, AMOUNTS),
            Side(features(Kind.CATEGORY, Kind.NUMBER), AMOUNTS),
            "the champion takes x0 as another kind",
        ),
        (
            Side(NUMBERS, AMOUNTS),
            Side(features(Kind.NUMBER), AMOUNTS),
            "the champion needs features that are gone: x1",
        ),
        (Side(NUMBERS, AMOUNTS), Side(features(Kind.NUMBER, Kind.NUMBER), AMOUNTS), ""),
        (Side(NUMBERS, AMOUNTS), Side(NUMBERS, Target(Task.REGRESSION, scale=9.0)), ""),
    ],
)
def test_a_champion_that_answers_something_else_is_not_compared(
    champion: Side, current: Side, said: str
) -> None:
    found = incomparable(champion.features, champion.target, current.features, current.target)
    assert found == said


def signature(task: str | None, **feature: Any) -> dict[str, Any]:
    described = {"name": "x", "nullable": True, "example": 1.0, **feature}
    return {"features": [described], **({"task": task} if task else {})}


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (signature(None), signature("binary", kind="number"), []),
        (
            signature(None),
            signature("regression", kind="number"),
            ["the answer is that of a regression model and was that of a binary one"],
        ),
        (signature(None), signature("binary", kind="boolean", example=True), []),
        (
            signature(None, example=0.25),
            signature("binary", kind="boolean"),
            ["x must be a boolean and was a number"],
        ),
        (
            signature("binary", kind="number"),
            signature("binary", kind="boolean"),
            ["x must be a boolean and was a number"],
        ),
        (
            signature(None),
            signature("binary", kind="category"),
            ["x must be a category and was a number"],
        ),
    ],
)
def test_what_callers_send_and_get_is_compared(
    before: dict[str, Any], after: dict[str, Any], said: list[str]
) -> None:
    assert list(differences(before, after)) == said
