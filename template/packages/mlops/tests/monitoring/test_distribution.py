"""Two distributions of a column as few shares."""

import numpy as np
import polars as pl
import pytest

from fakes.drift_data import events_of
from mlops.features import Feature, Features, Kind
from mlops.monitoring.baseline import drift_baseline
from mlops.monitoring.distribution import distribution_of
from mlops.monitoring.profile import CategoryProfile, read_profiles
from mlops.monitoring.window_counts import CategoryCounts, count_window

FEATURES = Features(
    (
        Feature("amount", False, 1.0),
        Feature("flag", False, True, kind=Kind.BOOLEAN),
        Feature("colour", True, "red", kind=Kind.CATEGORY, categories=("red", "blue")),
    )
)


def table(seed: int, shift: float = 0.0) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    amount = np.where(random.random(5000) < 0.3, 0.0, random.normal(10 + shift, 2, 5000))
    return pl.DataFrame(
        {
            "amount": amount,
            "flag": random.random(5000) < 0.2 + shift / 100,
            "colour": random.choice(["red", "blue", "green"], 5000, p=[0.6, 0.3, 0.1]),
        }
    )


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    before, now = table(1), table(2, shift=10.0)
    path = tmp_path_factory.mktemp("baseline") / "baseline.parquet"
    drift_baseline(before, FEATURES, np.full(5000, 0.5)).write_parquet(path)
    profiles = read_profiles(path)
    counts = count_window(events_of(now, FEATURES, 1, np.full(5000, 0.5)), 1, FEATURES, profiles)
    return {name: distribution_of(profiles[name], counts.columns[name]) for name in profiles}


def shares(found: dict[str, object], name: str) -> dict[str, tuple[float, float]]:
    each = found[name]
    return dict(zip(each.labels, zip(each.baseline, each.window, strict=True), strict=True))  # type: ignore[attr-defined]


def test_shares_of_each_side_add_up_to_one(found: dict[str, object]) -> None:
    for name in ("amount", "flag", "colour"):
        before, now = zip(*shares(found, name).values(), strict=True)
        assert sum(before) == pytest.approx(1, abs=1e-9)
        assert sum(now) == pytest.approx(1, abs=1e-9)


def test_a_value_that_repeats_has_a_bar_of_its_own_and_so_has_what_is_beyond(
    found: dict[str, object],
) -> None:
    amount = shares(found, "amount")
    assert amount["0"] == pytest.approx((0.3, 0.3), abs=0.03)
    (above,) = [label for label in amount if label.startswith("above")]
    assert amount[above][0] == 0
    assert amount[above][1] > 0.3
    assert 4 <= len(amount) <= 15


def test_booleans_and_names_are_told_as_they_are(found: dict[str, object]) -> None:
    flag = shares(found, "flag")
    assert set(flag) == {"0", "1"}
    assert flag["1"] == pytest.approx((0.2, 0.3), abs=0.03)
    colour = shares(found, "colour")
    assert list(colour) == ["red", "blue", "all others"]
    assert colour["all others"] == pytest.approx((0.1, 0.1), abs=0.02)


def test_nothing_present_has_no_distribution() -> None:
    profile = CategoryProfile(10, 0, ("red",), np.array([1.0, 0.0]))
    assert distribution_of(profile, CategoryCounts(0, np.array([0]), {})) is None
