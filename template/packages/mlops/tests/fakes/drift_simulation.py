"""Checks of made-up data again and again, each with a baseline and a window of its own."""

import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import polars as pl

from fakes.drift_data import Population, baseline_of, events_of
from fakes.features import numbers
from mlops.artifacts.drift_result import ColumnDrift
from mlops.features import Features
from mlops.monitoring.baseline import drift_baseline
from mlops.monitoring.drift import judge_columns
from mlops.monitoring.profile import read_profiles
from mlops.monitoring.window_counts import count_window
from mlops.settings.monitoring_sections import DriftSettings

TRAINING = 3000


def false_alarms(
    population: Population,
    rows: int,
    seeds: Iterable[int],
    *,
    alpha: float | None = 0.01,
    training: int = TRAINING,
    old: bool = False,
) -> list[bool]:
    """Return for each seed whether unchanged data drift; without an alpha by the limits alone."""
    found = []
    for seed in seeds:
        window = population.sample(rows, 1_000_000 + seed)
        columns = judged(population, population.sample(training, seed), window, alpha, old=old)
        beyond = [each.p_value is not None for each in columns]
        found.append(any(each.outcome != "ok" for each in columns) if alpha else any(beyond))
    return found


def judged(
    population: Population,
    train: pl.DataFrame,
    window: pl.DataFrame,
    alpha: float | None = 0.01,
    *,
    old: bool = False,
) -> tuple[ColumnDrift, ...]:
    """Return the columns of a window beside the baseline of a training part."""
    features = population.features
    baseline = baseline_of(train, features, old=old)
    return _judged(features, baseline, events_of(window, features), alpha or 0.01)


def judged_tables(train: pl.DataFrame, window: pl.DataFrame) -> tuple[ColumnDrift, ...]:
    """Return the columns of two tables of numbers; nothing is predicted."""
    features = numbers(*train.columns)
    baseline, rows = (
        drift_baseline(train, features, np.full(train.height, 0.5)),
        events_of(window, features, outputs=np.full(window.height, 0.5)),
    )
    return _judged(features, baseline, rows, 0.01)


def _judged(
    features: Features, baseline: pl.DataFrame, rows: pl.LazyFrame, alpha: float
) -> tuple[ColumnDrift, ...]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "baseline.parquet"
        baseline.write_parquet(path)
        profiles = read_profiles(path)
    counts = count_window(rows, 1, features, profiles)
    return judge_columns(counts, features, profiles, DriftSettings(min_rows=20, alpha=alpha))
