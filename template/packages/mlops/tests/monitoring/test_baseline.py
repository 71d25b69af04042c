import numpy as np
import polars as pl
import pytest

from fakes.features import numbers
from mlops.monitoring.baseline import PREDICTION, QUANTILES, drift_baseline


def test_quantiles_and_nulls_of_every_column() -> None:
    train = pl.DataFrame({"x": [float(n) for n in range(101)], "y": [None, *[1.0] * 100]})
    found = drift_baseline(train, numbers("x", "y"), np.linspace(0, 1, 101))
    assert found.height == 3 * QUANTILES
    x = found.filter(pl.col("column") == "x")
    assert x["value"].to_list() == pytest.approx(list(range(101)))
    assert x["rows"].unique().to_list() == [101]
    assert found.filter(pl.col("column") == "y")["null_fraction"][0] == pytest.approx(1 / 101)
    prediction = found.filter((pl.col("column") == PREDICTION) & (pl.col("quantile") == 0.5))
    assert prediction["value"].item() == pytest.approx(0.5)


def test_a_column_of_nulls_has_no_quantiles() -> None:
    train = pl.DataFrame({"x": pl.Series([None, None], dtype=pl.Float32)})
    found = drift_baseline(train, numbers("x"), np.zeros(2))
    assert found.filter(pl.col("column") == "x")["value"].is_nan().all()
