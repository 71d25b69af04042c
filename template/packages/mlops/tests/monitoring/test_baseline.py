import numpy as np
import polars as pl
import pytest

from fakes.features import numbers
from mlops.features import Feature, Features, Kind
from mlops.monitoring.baseline import LEVELS, PREDICTION, QUANTILES, drift_baseline


def test_quantiles_and_nulls_of_every_column() -> None:
    train = pl.DataFrame({"x": [float(n) for n in range(101)], "y": [None, *[1.0] * 100]})
    found = drift_baseline(train, numbers("x", "y"), np.linspace(0, 1, 101))
    assert found.height == 3 * QUANTILES
    x = found.filter(pl.col("column") == "x")
    assert x["value"].to_list() == pytest.approx([100 * level for level in LEVELS])
    assert x["rows"].unique().to_list() == [101]
    assert found.filter(pl.col("column") == "y")["null_fraction"][0] == pytest.approx(1 / 101)
    prediction = found.filter((pl.col("column") == PREDICTION) & (pl.col("quantile") == 0.5))
    assert prediction["value"].item() == pytest.approx(0.5)


def test_a_column_of_nulls_has_no_quantiles() -> None:
    train = pl.DataFrame({"x": pl.Series([None, None], dtype=pl.Float32)})
    found = drift_baseline(train, numbers("x"), np.zeros(2))
    assert found.filter(pl.col("column") == "x")["value"].is_nan().all()


def test_what_repeats_is_described_exactly() -> None:
    x = [0.0] * 70 + [1.0] * 20 + [2.5] * 10
    found = drift_baseline(pl.DataFrame({"x": x}), numbers("x"), np.zeros(100))
    exact = found.filter(column="x").select("value", "below", "at_most").unique()
    assert {(0.0, 0.0, 0.7), (1.0, 0.7, 0.9), (2.5, 0.9, 1.0)} <= set(exact.rows())
    assert found.filter(column="x")["std"].unique().to_list() == pytest.approx([np.std(x)])


def test_the_last_digits_of_an_answer_do_not_matter() -> None:
    answers = np.array([0.1, 0.25, 0.9] * 40)
    values = pl.DataFrame({"x": [0.0] * 120})
    one, other = (
        drift_baseline(values, numbers("x"), answers + noise).filter(column=PREDICTION)
        for noise in (0.0, 2e-7 * np.sin(np.arange(120)))
    )
    for name in ("below", "at_most"):
        assert one[name].unique().sort().to_list() == other[name].unique().sort().to_list()


def test_a_category_called_as_the_others_is_one_of_them() -> None:
    names = ("red", "__other")
    feature = Feature("colour", False, "red", kind=Kind.CATEGORY, categories=names)
    train = pl.DataFrame({"colour": ["red"] * 6 + ["__other"] * 3 + ["green"]})
    found = drift_baseline(train, Features((feature,)), np.zeros(10))
    shares = found.filter(pl.col("column") == "colour").select("category", "share").rows()
    assert dict(shares) == {"red": 0.6, "__other": pytest.approx(0.4)}
    assert len(shares) == 2
