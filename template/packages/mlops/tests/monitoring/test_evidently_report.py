"""What Evidently is given; that it makes a page of it is proved in the template's repository."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from fakes.drift_data import Population, baseline_of, events_of
from mlops.artifacts.predictions import Predictions
from mlops.errors import ConfigError
from mlops.monitoring.baseline import PREDICTION
from mlops.monitoring.drift import Reference
from mlops.monitoring.evidently_report import drawn, require_evidently, sampled
from mlops.monitoring.profile import read_profiles

POPULATION = Population(11)


@pytest.fixture
def reference(tmp_path: Path) -> Reference:
    path = tmp_path / "baseline.parquet"
    baseline_of(POPULATION.sample(3000, 1), POPULATION.features).write_parquet(path)
    profiles = read_profiles(path)
    return Reference("prod", "tiny-prod", "blue", "tiny", 1, POPULATION.features, profiles)


def test_the_sample_is_of_what_serves_and_no_larger_than_asked(reference: Reference) -> None:
    ours, others = (
        events_of(POPULATION.sample(300, seed), POPULATION.features, version=seed)
        for seed in (1, 2)
    )
    generated = ours.with_columns(source=pl.lit("generated"))
    failed = ours.with_columns(status=pl.lit(500, pl.Int64))
    events = Predictions(
        pl.concat([ours, others, generated, failed]).with_columns(
            inference_id=pl.int_range(1200).cast(pl.String)
        )
    )
    whole, part = (sampled(reference, events, most) for most in (1000, 50))
    assert (whole.height, part.height) == (300, 50)
    assert whole.columns == [*POPULATION.features.names, PREDICTION]
    assert part.equals(sampled(reference, events, 50))
    assert part.join(whole, on=whole.columns, how="anti", nulls_equal=True).is_empty()


def test_the_reference_is_distributed_as_training_was(reference: Reference) -> None:
    train, found = POPULATION.sample(3000, 1), drawn(dict(reference.profiles or {}))
    assert found.height == 3000
    for name in ("normal_0", "counts_2", "flag_4", "zeros_3"):
        before, now = (np.sort(each[name].to_numpy()) for each in (train, found))
        assert np.abs(before - now).mean() <= 0.02 * before.std(), name
    assert found["nulls_6"].null_count() == train["nulls_6"].null_count()
    reds = [(each["names_5"] == "red").mean() for each in (train, found)]
    assert reds[0] == pytest.approx(reds[1], abs=0.001)


def test_without_evidently_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "evidently", None)
    with pytest.raises(ConfigError, match=r"uv sync --group report"):
        require_evidently()


def test_a_version_without_a_baseline_gives_no_sample(reference: Reference) -> None:
    events = Predictions(events_of(POPULATION.sample(30, 1), POPULATION.features))
    assert sampled(replace(reference, profiles=None), events).columns == []
