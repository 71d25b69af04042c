"""Measures of an effect are those of scipy, on the same bins and on raw values."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.spatial import distance
from scipy.stats import wasserstein_distance

from fakes.drift_data import Population, baseline_of, events_of
from mlops.artifacts.drift_result import ColumnDrift
from mlops.monitoring.distances import (
    category_cells,
    coarse,
    jensen_shannon,
    least_share,
    number_cells,
    stability_index,
)
from mlops.monitoring.drift import judge_columns
from mlops.monitoring.profile import CategoryProfile, NumberProfile, read_profiles
from mlops.monitoring.window_counts import CategoryCounts, NumberCounts, count_window
from mlops.settings.monitoring_sections import DriftSettings

EXACT, ONE_VALUE, ROUGH = 0.01, 0.03, 0.2
"""How far the Wasserstein distance may be from that of the raw values, as a part of it or in
standard deviations: usually; where most values become one that training did not have (a zero, then
half of one); of a baseline that has quantiles alone."""
POPULATION = Population(11)
MOVED: Mapping[str, Callable[[pl.Expr], pl.Expr]] = {
    "unchanged": lambda x: x,
    "shifted": lambda x: x + 0.5,
    "other unit": lambda x: x * 100,
    "constant": lambda x: x * 0 + 1,
}


def columns_of(path: Path, table: pl.DataFrame) -> dict[str, ColumnDrift]:
    profiles, features = read_profiles(path), POPULATION.features
    counts = count_window(events_of(table, features), 1, features, profiles)
    found = judge_columns(counts, features, profiles, DriftSettings())
    return {each.column: each for each in found}


@pytest.fixture(params=["new", "old"])
def baseline(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"{request.param}.parquet"
    table = POPULATION.sample(4000, 1)
    baseline_of(table, POPULATION.features, old=request.param == "old").write_parquet(path)
    return path


@pytest.mark.parametrize("change", MOVED)
def test_wasserstein_is_that_of_the_raw_values(baseline: Path, change: str) -> None:
    train, window = POPULATION.sample(4000, 1), POPULATION.sample(1500, 2)
    numbers = [name for name, kind in train.schema.items() if kind == pl.Float32]
    window = window.with_columns(MOVED[change](pl.col(name)) for name in numbers)
    found = columns_of(baseline, window)
    for name in numbers:
        one_value = change == "constant" or name.startswith("zeros")
        usual = ONE_VALUE if one_value else EXACT
        bound = ROUGH if baseline.stem == "old" else usual
        before, now = (each[name].drop_nulls().to_numpy().astype(float) for each in (train, window))
        expected = wasserstein_distance(before, now) / before.std()
        assert found[name].wasserstein == pytest.approx(expected, rel=bound, abs=bound), name


def test_jensen_shannon_is_scipys_on_the_same_bins(tmp_path: Path) -> None:
    path, table = tmp_path / "b.parquet", POPULATION.sample(4000, 1)
    baseline_of(table, POPULATION.features).write_parquet(path)
    profiles, window = read_profiles(path), POPULATION.sample(700, 2)
    found = columns_of(path, window)
    counts = count_window(events_of(window, POPULATION.features), 1, POPULATION.features, profiles)
    for name, profile in profiles.items():
        theirs, ours = shares(profile, counts.columns[name])
        expected = distance.jensenshannon(theirs, ours, base=2)
        assert found[name].jensen_shannon == pytest.approx(expected, abs=1e-9), name


def shares(profile: Any, counts: Any) -> tuple[Any, Any]:
    least = least_share(counts.present, profile.present)
    if isinstance(profile, CategoryProfile):
        assert isinstance(counts, CategoryCounts)
        rare = profile.shares[:-1] < LEAST / min(counts.present, profile.present)
        known = counts.known / counts.present
        theirs = profile.shares[:-1][~rare]
        return np.append(theirs, 1 - theirs.sum()), np.append(known[~rare], 1 - known[~rare].sum())
    assert isinstance(profile, NumberProfile)
    assert isinstance(counts, NumberCounts)
    cells = number_cells(profile, least)
    ours = np.diff(counts.at_edges / counts.present, prepend=0.0, append=1.0)
    theirs, ours = (coarse(each, cells.of_cell) for each in (profile.masses, ours))
    return coarse(theirs, cells.groups), coarse(ours, cells.groups)


LEAST = 5


def test_the_stability_index_is_the_sum_that_everybody_knows() -> None:
    before, now = np.array([500.0, 300.0, 200.0]), np.array([40.0, 30.0, 30.0])
    p, q = before / 1000, now / 100
    assert stability_index(before, now) == pytest.approx(((q - p) * np.log(q / p)).sum(), rel=0.05)
    assert stability_index(before, before) == pytest.approx(0.0)
    assert np.isfinite(stability_index(before, np.array([0.0, 0.0, 100.0])))


def test_distances_go_from_nothing_to_one() -> None:
    shares = np.array([[1.0, 0.0], [0.5, 0.5]])
    assert jensen_shannon(shares, shares).tolist() == [0.0, 0.0]
    assert float(jensen_shannon(np.array([1.0, 0.0]), np.array([0.0, 1.0]))) == 1.0


def test_cells_hold_enough_and_values_that_repeat_stand_alone() -> None:
    edges = np.array([0.0, 0.0, 1.0, 2.0, 3.0, 3.0])
    profile = NumberProfile(
        rows=1000,
        nulls=0,
        positions=edges,
        bounds=edges.astype(np.float32),
        inclusive=np.array([False, True, True, True, False, True]),
        shares=np.array([0.0, 0.6, 0.63, 0.68, 0.7, 1.0]),
        moments=np.zeros(6),
        std=1.0,
        worth=1000,
    )
    cells = number_cells(profile, 0.05)
    assert cells.of_cell.tolist() == [0, 1, 2, 2, 2, 3, 4]
    assert cells.groups.tolist() == [3, 0, 1, 2, 3]
    assert cells.rare == 3


def test_names_with_too_few_rows_are_put_together() -> None:
    cells = category_cells(np.array([0.6, 0.3, 0.01, 0.09]), 0.05)
    assert cells.of_cell.tolist() == [0, 1, 2, 2]
    assert (cells.groups.tolist(), cells.rare) == ([0, 1, 2], 2)
