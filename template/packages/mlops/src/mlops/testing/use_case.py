"""What holds for every correct use case, whatever it is about.

These tests call `use_case/` as the commands do, on the data of `make_sample`. While a function is
a stub, the tests that need it are expected to fail. Tests of what your use case means go beside
this file.
"""

from datetime import date, timedelta
from typing import Any

import ibis
import numpy as np
import polars as pl
import pytest
import skops.io
from polars.testing import assert_frame_equal
from pydantic import ValidationError

from {{ package_name }} import onnx_model
from {{ package_name }}.steps.fit import load_model, matrix
from {{ package_name }}.steps.prepare import build_table, check_table
from {{ package_name }}.usecase import LABEL, load_use_case

USE_CASE = load_use_case(".use_case")
REFERENCE_DATE = date(2026, 6, 30)
SIZE = 300


def make(
    seed: int = 7, drift: float = 0.0, day: date = REFERENCE_DATE, size: int = SIZE
) -> pl.DataFrame:
    return USE_CASE.sample(size, seed, drift, day)


def features_of(raw: pl.DataFrame, day: date) -> pl.DataFrame:
    return USE_CASE.features(ibis.memtable(raw), day).to_polars().sort(USE_CASE.key)


def labels_of(raw: pl.DataFrame, cutoff: date, day: date = REFERENCE_DATE) -> pl.DataFrame:
    labels = USE_CASE.labels(ibis.memtable(raw), cutoff, day).to_polars()
    return labels.select(USE_CASE.key, LABEL).sort(USE_CASE.key)


def assert_same(left: pl.DataFrame, right: pl.DataFrame) -> None:
    """Compare as precisely as float32, in which models see features."""
    assert_frame_equal(left, right, rel_tol=1e-6, abs_tol=1e-6)


@pytest.fixture(scope="module")
def raw() -> pl.DataFrame:
    return make()


@pytest.fixture(scope="module")
def params() -> Any:
    return USE_CASE.params_type()()


@pytest.fixture(scope="module")
def cutoff(params: Any) -> date:
    return USE_CASE.cutoff(REFERENCE_DATE, params)


@pytest.fixture(scope="module")
def features(raw: pl.DataFrame, cutoff: date) -> pl.DataFrame:
    return features_of(raw, cutoff)


@pytest.fixture(scope="module")
def labels(raw: pl.DataFrame, cutoff: date) -> pl.DataFrame:
    return labels_of(raw, cutoff)


@pytest.fixture(scope="module")
def table(raw: pl.DataFrame, cutoff: date) -> pl.DataFrame:
    """What a model is trained on: key, float32 features, label."""
    data = ibis.memtable(raw)
    return check_table(build_table(data, USE_CASE, cutoff, REFERENCE_DATE), USE_CASE.key)


@pytest.fixture(scope="module")
def inputs(table: pl.DataFrame) -> np.ndarray:
    return matrix(table, table.drop(USE_CASE.key, LABEL).columns)


@pytest.fixture(scope="module")
def model(params: Any, inputs: np.ndarray, table: pl.DataFrame) -> Any:
    return USE_CASE.model(params, 42).fit(inputs, table[LABEL].to_numpy())


@pytest.fixture(scope="module")
def baseline(inputs: np.ndarray, table: pl.DataFrame) -> Any:
    return USE_CASE.baseline(42).fit(inputs, table[LABEL].to_numpy())


class TestParams:
    def test_a_typing_error_in_conf_is_noticed(self, params: Any) -> None:
        with pytest.raises(ValidationError):
            type(params).model_validate({"no_such_setting": 1})

    def test_cannot_be_changed_later(self, params: Any) -> None:
        assert params.model_config.get("frozen")


class TestContract:
    def test_key_and_date_are_columns(self) -> None:
        columns = USE_CASE.contract().to_schema().columns

        assert USE_CASE.key in columns
        assert USE_CASE.date_column is None or USE_CASE.date_column in columns

    def test_refuses_a_missing_key(self, raw: pl.DataFrame) -> None:
        first = pl.int_range(pl.len()) == 0
        broken = raw.with_columns(pl.when(~first).then(pl.col(USE_CASE.key)))

        with pytest.raises(Exception, match=USE_CASE.key):
            USE_CASE.contract().validate(broken)


class TestSample:
    @pytest.mark.parametrize("drift", [0.0, 1.0])
    def test_satisfies_the_contract(self, drift: float) -> None:
        contract = USE_CASE.contract()
        sample = make(drift=drift)

        assert contract.validate(sample).height == sample.height > 0

    def test_has_no_more_keys_than_asked_for(self, raw: pl.DataFrame) -> None:
        assert 100 < raw[USE_CASE.key].n_unique() <= SIZE
        assert make(size=100)[USE_CASE.key].n_unique() <= 100

    def test_depends_on_the_seed_alone(self, raw: pl.DataFrame) -> None:
        assert_frame_equal(make(), raw)
        assert not make(seed=8).equals(raw)

    def test_drift_changes_it(self, raw: pl.DataFrame) -> None:
        assert not make(drift=1.0).equals(raw)

    def test_ends_on_the_reference_date(self, raw: pl.DataFrame) -> None:
        """Without dates, it must not depend on the reference date at all."""
        later = REFERENCE_DATE + timedelta(days=400)
        if USE_CASE.date_column is None:
            assert_frame_equal(make(day=later), raw)
        else:
            for day, sample in ((REFERENCE_DATE, raw), (later, make(day=later))):
                assert sample[USE_CASE.date_column].cast(pl.Date).max() == day


class TestFeatures:
    def test_one_row_for_each_key(self, raw: pl.DataFrame, features: pl.DataFrame) -> None:
        key = features[USE_CASE.key]

        assert 0 < len(key) == key.n_unique()
        assert set(key) <= set(raw[USE_CASE.key])

    def test_are_numbers_that_a_model_can_use(
        self, features: pl.DataFrame, inputs: np.ndarray
    ) -> None:
        assert inputs.shape == (features.height, features.width - 1)
        assert not np.isinf(inputs).any()

    def test_the_label_is_not_among_them(self, features: pl.DataFrame, table: pl.DataFrame) -> None:
        assert LABEL not in features.columns
        for name in table.drop(USE_CASE.key, LABEL).columns:
            likeness = abs(table.select(pl.corr(name, LABEL)).item())
            assert not likeness > 0.999, f"the feature {name} says the label itself"

    def test_do_not_depend_on_the_order_of_rows(
        self, raw: pl.DataFrame, features: pl.DataFrame, cutoff: date
    ) -> None:
        assert_same(features_of(raw.sample(fraction=1, shuffle=True, seed=1), cutoff), features)


class TestTime:
    def test_rows_after_the_reference_date_change_nothing(
        self, raw: pl.DataFrame, features: pl.DataFrame, labels: pl.DataFrame, cutoff: date
    ) -> None:
        """Without dates, another reference date must change nothing."""
        column = USE_CASE.date_column
        later = REFERENCE_DATE + timedelta(days=400)
        if column is None:
            assert_same(features_of(raw, later), features)
            assert_same(labels_of(raw, later, later), labels)
            return
        tomorrow = pl.lit(REFERENCE_DATE + timedelta(days=1)).cast(raw.schema[column])
        more = pl.concat([raw, raw.with_columns(tomorrow.alias(column))])

        assert_same(features_of(more, REFERENCE_DATE), features_of(raw, REFERENCE_DATE))
        assert_same(features_of(more, cutoff), features)
        assert_same(labels_of(more, cutoff), labels)

    def test_what_makes_the_label_makes_no_feature(
        self,
        raw: pl.DataFrame,
        features: pl.DataFrame,
        labels: pl.DataFrame,
        cutoff: date,
    ) -> None:
        """Move what may make the label: labels change, features never do.

        With a label window, its rows all go to one key. Without one, the values of each column in
        turn move to the next row.
        """
        column = USE_CASE.date_column
        if column is not None and cutoff < REFERENCE_DATE:
            in_window = pl.col(column).cast(pl.Date) > cutoff
            receiver = pl.lit(features[USE_CASE.key][0])
            key = pl.when(in_window).then(receiver).otherwise(pl.col(USE_CASE.key))
            variants = [raw.with_columns(key.alias(USE_CASE.key))]
        else:
            fixed = {USE_CASE.key, column}
            names = [name for name in raw.columns if name not in fixed]
            next_row = (pl.int_range(pl.len()) + 1) % pl.len()
            variants = [raw.with_columns(pl.col(name).gather(next_row)) for name in names]
        changing = [v for v in variants if not labels_of(v, cutoff).equals(labels)]

        assert changing, "nothing that was moved changes a label"
        for variant in changing:
            assert_same(features_of(variant, cutoff), features)


class TestLabels:
    def test_are_0_and_1(self, labels: pl.DataFrame) -> None:
        assert set(labels[LABEL]) == {0, 1}

    def test_one_for_each_key_with_features(
        self, labels: pl.DataFrame, features: pl.DataFrame
    ) -> None:
        assert labels[USE_CASE.key].n_unique() == labels.height
        assert set(features[USE_CASE.key]) <= set(labels[USE_CASE.key])

    def test_the_cutoff_is_not_after_the_reference_date(self, cutoff: date) -> None:
        assert cutoff <= REFERENCE_DATE


class TestModel:
    @pytest.mark.parametrize("name", ["model", "baseline"])
    def test_gives_probabilities_that_tell_something(
        self, name: str, request: pytest.FixtureRequest, inputs: np.ndarray
    ) -> None:
        probabilities = request.getfixturevalue(name).predict_proba(inputs)

        assert probabilities.shape == (len(inputs), 2)
        assert ((probabilities >= 0) & (probabilities <= 1)).all()
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
        assert np.ptp(probabilities[:, 1]) > 0

    @pytest.mark.parametrize("name", ["model", "baseline"])
    def test_can_be_stored_without_pickle(
        self, name: str, request: pytest.FixtureRequest, inputs: np.ndarray, tmp_path: Any
    ) -> None:
        fitted = request.getfixturevalue(name)
        path = tmp_path / "model.skops"
        skops.io.dump(fitted, path)

        np.testing.assert_array_equal(
            load_model(path).predict_proba(inputs), fitted.predict_proba(inputs)
        )

    def test_the_seed_decides(
        self, model: Any, params: Any, inputs: np.ndarray, table: pl.DataFrame
    ) -> None:
        again = USE_CASE.model(params, 42).fit(inputs, table[LABEL].to_numpy())

        np.testing.assert_allclose(
            again.predict_proba(inputs), model.predict_proba(inputs), atol=1e-6
        )

    def test_answers_the_same_as_onnx(self, model: Any, inputs: np.ndarray) -> None:
        onnx = onnx_model.convert(model, inputs.shape[1])

        assert onnx_model.parity_gap(model, onnx, inputs) <= 1e-4


class TestSlices:
    def test_each_makes_a_few_groups(self, table: pl.DataFrame) -> None:
        for name, expression in USE_CASE.slices().items():
            groups = table.drop(USE_CASE.key, LABEL).select(expression).to_series()

            assert len(groups) == table.height, f"the slice {name} is not one value a row"
            assert 2 <= groups.n_unique() <= 20, f"the slice {name} has {groups.n_unique()} groups"
            assert groups.null_count() == 0, f"the slice {name} leaves rows out"
