"""Made-up populations of columns of all kinds, and the events that a model answers about them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
import polars as pl

from mlops.artifacts.predictions import FEATURE, event_schema
from mlops.features import Feature, Features, Kind
from mlops.monitoring.baseline import drift_baseline

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
KINDS = (
    *("normal", "skewed", "counts", "zeros", "flag", "names", "nulls", "correlated", "rare_flag"),
    *("long_names", "rounded"),
)
NAMES = ("red", "green", "blue", "grey")
LONG = tuple(f"n{number}" for number in range(40))


@dataclass(frozen=True)
class Population:
    """So many columns, their kinds in turn; the first five are of five kinds."""

    columns: int = 5

    @property
    def features(self) -> Features:
        """The signature of a model that takes them."""
        return Features(tuple(_feature(i, KINDS[i % len(KINDS)]) for i in range(self.columns)))

    def sample(self, rows: int, seed: int) -> pl.DataFrame:
        """Return rows as training has them: Float32, and String of categories."""
        return _sampled(self.features, rows, seed)


@lru_cache(maxsize=16)
def _sampled(features: Features, rows: int, seed: int) -> pl.DataFrame:
    random = np.random.default_rng([seed, rows])
    common = random.normal(size=rows)
    return pl.DataFrame(
        [
            _values(each.name, KINDS[i % len(KINDS)], rows, random, common)
            for i, each in enumerate(features)
        ]
    )


def outputs_of(table: pl.DataFrame) -> Any:
    """Return the probability that a model of these rows answers: many rows share a few of them."""
    first = table.to_series(0).cast(pl.Float64).to_numpy()
    return np.round(1 / (1 + np.exp(-first)), 2).astype(np.float32)


def baseline_of(table: pl.DataFrame, features: Features, *, old: bool = False) -> pl.DataFrame:
    """Return the drift baseline of rows; with `old`, as versions had it before."""
    found = drift_baseline(table, features, outputs_of(table))
    if not old:
        return found
    hundredths = [n / 100 for n in range(101)]
    kept = found.filter(pl.col("quantile").is_null() | pl.col("quantile").is_in(hundredths))
    return kept.drop("below", "at_most", "moment", "std")


def events_of(
    table: pl.DataFrame, features: Features, version: int = 1, outputs: Any = None
) -> pl.LazyFrame:
    """Return an answered request for each row."""
    answers = outputs_of(table) if outputs is None else outputs
    rows = table.height
    schema = event_schema(features)
    known = {
        "time": pl.Series([NOW - timedelta(hours=1)] * rows, dtype=schema["time"]),
        "source": pl.Series(["request"] * rows),
        "model_version": pl.Series([version] * rows, dtype=pl.Int64),
        "status": pl.Series([200] * rows, dtype=pl.Int64),
        "prediction": pl.Series((answers >= 0.5).astype(int)).cast(pl.String),
        "value": pl.Series(answers, dtype=pl.Float64),
        "row": pl.Series([0] * rows, dtype=pl.Int64),
        "has_features": pl.Series([True] * rows, dtype=pl.Boolean),
        **{f"{FEATURE}{each.name}": table[each.name] for each in features},
    }
    return pl.LazyFrame(
        {
            name: known[name].cast(kind) if name in known else pl.Series([None] * rows, dtype=kind)
            for name, kind in schema.items()
        }
    )


def _feature(position: int, kind: str) -> Feature:
    name = f"{kind}_{position}"
    if kind in ("names", "long_names"):
        known = NAMES if kind == "names" else LONG
        return Feature(
            name, has_nulls=False, example=known[0], kind=Kind.CATEGORY, categories=known
        )
    of = Kind.BOOLEAN if kind in ("flag", "rare_flag") else Kind.NUMBER
    return Feature(name, has_nulls=kind == "nulls", example=1.0, kind=of)


def _values(
    name: str, kind: str, rows: int, random: np.random.Generator, common: np.ndarray
) -> pl.Series:
    if kind in ("names", "long_names"):
        values = _names(kind, rows, random)
        return pl.Series(name, values, dtype=pl.String)
    draw: Mapping[str, Callable[[], Any]] = {
        "normal": lambda: random.normal(size=rows),
        "skewed": lambda: random.lognormal(3, 1, rows),
        "counts": lambda: random.poisson(3, rows),
        "zeros": lambda: np.where(random.random(rows) < 0.7, 0.0, random.gamma(2, 10, rows)),
        "flag": lambda: random.random(rows) < 0.3,
        "rare_flag": lambda: random.random(rows) < 0.004,
        "nulls": lambda: np.where(random.random(rows) < 0.2, np.nan, random.normal(size=rows)),
        "correlated": lambda: common + 0.1 * random.normal(size=rows),
        "rounded": lambda: np.round(random.gamma(2, 5, rows), 1),
    }
    return pl.Series(name, draw[kind]().astype(np.float32)).fill_nan(None)


def _names(kind: str, rows: int, random: np.random.Generator) -> Any:
    if kind == "names":
        return random.choice([*NAMES, "seldom"], rows, p=[0.5, 0.3, 0.15, 0.045, 0.005])
    shares = 1 / np.arange(1, len(LONG) + 21) ** 1.2
    names = [*LONG, *(f"other {number}" for number in range(20))]
    return random.choice(names, rows, p=shares / shares.sum())
