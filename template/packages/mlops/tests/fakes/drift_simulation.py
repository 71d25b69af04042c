"""Checks of made-up data again and again, each with a baseline and a window of its own."""

import io
import tempfile
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from fakes.drift_data import Population, baseline_of, events_of
from mlops.artifacts.drift_result import ColumnDrift
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
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "baseline.parquet"
        path.write_bytes(_parquet(baseline_of(train, features, old=old)))
        profiles = read_profiles(path)
    counts = count_window(events_of(window, features), 1, features, profiles)
    limits = DriftSettings(min_rows=20, alpha=alpha or 0.01)
    return judge_columns(counts, features, profiles, limits)


def _parquet(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()
