"""What holds for every correct use case, whatever it is about.

A team's tests subclass `UseCaseContract`; what its own use case means stands in tests of its own:

    from mlops.testing import UseCaseContract

    class TestUseCase(UseCaseContract):
        pass
"""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import polars as pl
import polars.selectors as cs
import pytest
import skops.io
from polars.testing import assert_frame_equal
from pydantic import ValidationError

from mlops.features import Features
from mlops.settings.loading import load_settings
from mlops.settings.project import find_project
from mlops.settings.training import TrainingSettings
from mlops.steps.fit import fit_baseline, fit_model
from mlops.steps.onnx_model import convert
from mlops.steps.parity import parity_gap, raw_answers
from mlops.steps.prepare import build_table
from mlops.steps.scoring import load_model
from mlops.steps.split import columns
from mlops.steps.typed_table import (
    check_table,
    describe_features,
    encoded,
    feature_kinds,
    learn_target,
)
from mlops.tasks import MOST_CLASSES, Target, Task
from mlops.usecase.use_case import LABEL, UseCase

REFERENCE_DATE = date(2026, 6, 30)
SIZE = 300
SEED = 42
PARITY_TOLERANCE = 1e-4


@dataclass(frozen=True)
class Sampled:
    """A use case on the data of its own `make_sample`, called as the commands call it."""

    use_case: UseCase

    def raw(
        self, seed: int = 7, drift: float = 0.0, day: date = REFERENCE_DATE, size: int = SIZE
    ) -> pl.DataFrame:
        return self.use_case.sample(size, seed, drift, day)

    def features(self, raw: pl.DataFrame, day: date) -> pl.DataFrame:
        features = self.use_case.features(ibis.memtable(raw), day)
        return pl.DataFrame(features.to_polars()).sort(self.use_case.key)

    def labels(self, raw: pl.DataFrame, cutoff: date, day: date = REFERENCE_DATE) -> pl.DataFrame:
        labels = self.use_case.labels(ibis.memtable(raw), cutoff, day)
        key = self.use_case.key
        return pl.DataFrame(labels.to_polars()).select(key, LABEL).sort(key)


@dataclass(frozen=True)
class Learnt:
    """What a model is trained on: key, features, label; and what was learnt of their columns."""

    table: pl.DataFrame
    features: Features
    target: Target

    @property
    def labels(self) -> np.ndarray:
        return self.table[LABEL].to_numpy()


def assert_same(left: pl.DataFrame, right: pl.DataFrame) -> None:
    """Compare as precisely as float32, in which models see features."""
    assert_frame_equal(left, right, rel_tol=1e-6, abs_tol=1e-6)


class UseCaseContract:
    """Calls the team's package as the commands do, on the data of `make_sample`.

    While a function is a stub, the tests that need it are expected to fail.
    """

    @pytest.fixture(scope="class")
    @classmethod
    def use_case(cls, request: pytest.FixtureRequest) -> UseCase:
        """The team's package, which `[tool.mlops]` names."""
        return UseCase(find_project(request.config.rootpath).package)

    @pytest.fixture(scope="class")
    @classmethod
    def sampled(cls, use_case: UseCase) -> Sampled:
        return Sampled(use_case)

    @pytest.fixture(scope="class")
    @classmethod
    def raw(cls, sampled: Sampled) -> pl.DataFrame:
        return sampled.raw()

    @pytest.fixture(scope="class")
    @classmethod
    def params(cls, use_case: UseCase) -> Any:
        return use_case.params_type()()

    @pytest.fixture(scope="class")
    @classmethod
    def cutoff(cls, use_case: UseCase, params: Any) -> date:
        return use_case.cutoff(REFERENCE_DATE, params)

    @pytest.fixture(scope="class")
    @classmethod
    def features(cls, sampled: Sampled, raw: pl.DataFrame, cutoff: date) -> pl.DataFrame:
        return sampled.features(raw, cutoff)

    @pytest.fixture(scope="class")
    @classmethod
    def labels(cls, sampled: Sampled, raw: pl.DataFrame, cutoff: date) -> pl.DataFrame:
        return sampled.labels(raw, cutoff)

    @pytest.fixture(scope="class")
    @classmethod
    def aside(cls, use_case: UseCase, request: pytest.FixtureRequest) -> list[str]:
        """The columns of features.py that conf splits by, which are no features."""
        settings = load_settings(find_project(request.config.rootpath))
        return columns(use_case.key, settings.values.split)

    @pytest.fixture(scope="class")
    @classmethod
    def learnt(cls, use_case: UseCase, raw: pl.DataFrame, cutoff: date, aside: list[str]) -> Learnt:
        joined = build_table(ibis.memtable(raw), use_case, cutoff, REFERENCE_DATE).drop(aside)
        kinds = feature_kinds(joined, (use_case.key, LABEL))
        table = check_table(joined, use_case.key, use_case.task)
        target = learn_target(table, use_case.task)
        features = describe_features(table, table, kinds, (), TrainingSettings())
        return Learnt(encoded(table, target), features, target)

    @pytest.fixture(scope="class")
    @classmethod
    def table(cls, learnt: Learnt) -> pl.DataFrame:
        """What a model is trained on: key, features, label."""
        return learnt.table

    @pytest.fixture(scope="class")
    @classmethod
    def inputs(cls, learnt: Learnt) -> np.ndarray:
        return learnt.features.matrix(learnt.table)

    @pytest.fixture(scope="class")
    @classmethod
    def model(cls, use_case: UseCase, params: Any, inputs: np.ndarray, learnt: Learnt) -> Any:
        model = use_case.model(params, SEED, learnt.features)
        return fit_model(model, inputs, learnt.labels, learnt.target)

    @pytest.fixture(scope="class")
    @classmethod
    def baseline(cls, use_case: UseCase, inputs: np.ndarray, learnt: Learnt) -> Any:
        baseline = use_case.baseline(SEED, learnt.features)
        return fit_baseline(baseline, inputs, learnt.labels, learnt.target)

    # --- params.py

    def test_params_notice_a_typing_error_in_conf(self, params: Any) -> None:
        with pytest.raises(ValidationError):
            type(params).model_validate({"no_such_setting": 1})

    def test_params_cannot_be_changed_later(self, params: Any) -> None:
        assert params.model_config.get("frozen")

    # --- contract.py

    def test_contract_has_key_and_date_as_columns(self, use_case: UseCase) -> None:
        columns = use_case.contract().to_schema().columns

        assert use_case.key in columns
        assert use_case.date_column is None or use_case.date_column in columns

    def test_contract_refuses_a_missing_key(self, use_case: UseCase, raw: pl.DataFrame) -> None:
        first = pl.int_range(pl.len()) == 0
        broken = raw.with_columns(pl.when(~first).then(pl.col(use_case.key)))

        with pytest.raises(Exception, match=use_case.key):
            use_case.contract().validate(broken)

    # --- sample.py

    @pytest.mark.parametrize("drift", [0.0, 1.0])
    def test_sample_satisfies_the_contract(
        self, use_case: UseCase, sampled: Sampled, drift: float
    ) -> None:
        contract = use_case.contract()
        sample = sampled.raw(drift=drift)

        assert contract.validate(sample).height == sample.height > 0

    def test_sample_has_no_more_keys_than_asked_for(
        self, use_case: UseCase, sampled: Sampled, raw: pl.DataFrame
    ) -> None:
        assert 100 < raw[use_case.key].n_unique() <= SIZE
        assert sampled.raw(size=100)[use_case.key].n_unique() <= 100

    def test_sample_depends_on_the_seed_alone(self, sampled: Sampled, raw: pl.DataFrame) -> None:
        assert_frame_equal(sampled.raw(), raw)
        assert not sampled.raw(seed=8).equals(raw)

    def test_sample_changes_with_drift(self, sampled: Sampled, raw: pl.DataFrame) -> None:
        assert not sampled.raw(drift=1.0).equals(raw)

    def test_sample_ends_on_the_reference_date(
        self, use_case: UseCase, sampled: Sampled, raw: pl.DataFrame
    ) -> None:
        """Without dates, it must not depend on the reference date at all."""
        later = REFERENCE_DATE + timedelta(days=400)
        if use_case.date_column is None:
            assert_frame_equal(sampled.raw(day=later), raw)
        else:
            for day, sample in ((REFERENCE_DATE, raw), (later, sampled.raw(day=later))):
                assert sample[use_case.date_column].cast(pl.Date).max() == day

    # --- features.py

    def test_features_have_one_row_for_each_key(
        self, use_case: UseCase, raw: pl.DataFrame, features: pl.DataFrame
    ) -> None:
        key = features[use_case.key]

        assert 0 < len(key) == key.n_unique()
        assert set(key) <= set(raw[use_case.key])

    def test_features_are_numbers_that_a_model_can_use(
        self, features: pl.DataFrame, aside: list[str], inputs: np.ndarray
    ) -> None:
        assert inputs.shape == (features.height, features.width - 1 - len(aside))
        assert not np.isinf(inputs).any()

    def test_features_do_not_hold_the_label(
        self, use_case: UseCase, features: pl.DataFrame, table: pl.DataFrame
    ) -> None:
        assert LABEL not in features.columns
        numbers = table.drop(use_case.key, LABEL).select(cs.numeric()).columns
        for name in numbers if use_case.task is not Task.MULTICLASS else ():
            likeness = abs(table.select(pl.corr(name, LABEL)).item())
            assert not likeness > 0.999, f"the feature {name} says the label itself"

    def test_features_do_not_depend_on_the_order_of_rows(
        self, sampled: Sampled, raw: pl.DataFrame, features: pl.DataFrame, cutoff: date
    ) -> None:
        shuffled = raw.sample(fraction=1, shuffle=True, seed=1)
        assert_same(sampled.features(shuffled, cutoff), features)

    def test_features_of_a_key_do_not_depend_on_other_keys(
        self,
        use_case: UseCase,
        sampled: Sampled,
        raw: pl.DataFrame,
        features: pl.DataFrame,
        cutoff: date,
    ) -> None:
        """A mean over all, or a rank, would change with who else is asked about."""
        key = use_case.key
        half = raw.select(pl.col(key).unique().sort()).gather_every(2)
        found = sampled.features(raw.join(half, on=key, how="semi"), cutoff)

        assert found.height
        assert_same(found, features.join(found, on=key, how="semi"))

    # --- features.py and labels.py, over time

    def test_rows_after_the_reference_date_change_nothing(
        self,
        use_case: UseCase,
        sampled: Sampled,
        raw: pl.DataFrame,
        features: pl.DataFrame,
        labels: pl.DataFrame,
        cutoff: date,
    ) -> None:
        """Without dates, another reference date must change nothing."""
        column = use_case.date_column
        later = REFERENCE_DATE + timedelta(days=400)
        if column is None:
            assert_same(sampled.features(raw, later), features)
            assert_same(sampled.labels(raw, later, later), labels)
            return
        tomorrow = pl.lit(REFERENCE_DATE + timedelta(days=1)).cast(raw.schema[column])
        more = pl.concat([raw, raw.with_columns(tomorrow.alias(column))])

        assert_same(sampled.features(more, REFERENCE_DATE), sampled.features(raw, REFERENCE_DATE))
        assert_same(sampled.features(more, cutoff), features)
        assert_same(sampled.labels(more, cutoff), labels)

    def test_what_makes_the_label_makes_no_feature(
        self,
        use_case: UseCase,
        sampled: Sampled,
        raw: pl.DataFrame,
        features: pl.DataFrame,
        labels: pl.DataFrame,
        cutoff: date,
    ) -> None:
        """Move what may make the label: labels change, features never do.

        With a label window, its rows all go to one key. Without one, the values of each column in
        turn move to the next row.
        """
        column = use_case.date_column
        if column is not None and cutoff < REFERENCE_DATE:
            in_window = pl.col(column).cast(pl.Date) > cutoff
            receiver = pl.lit(features[use_case.key][0])
            key = pl.when(in_window).then(receiver).otherwise(pl.col(use_case.key))
            variants = [raw.with_columns(key.alias(use_case.key))]
        else:
            fixed = {use_case.key, column}
            names = [name for name in raw.columns if name not in fixed]
            next_row = (pl.int_range(pl.len()) + 1) % pl.len()
            variants = [raw.with_columns(pl.col(name).gather(next_row)) for name in names]
        changing = [v for v in variants if not sampled.labels(v, cutoff).equals(labels)]

        assert changing, "nothing that was moved changes a label"
        for variant in changing:
            assert_same(sampled.features(variant, cutoff), features)

    # --- labels.py

    def test_labels_are_of_the_task(self, use_case: UseCase, labels: pl.DataFrame) -> None:
        found = labels[LABEL]

        if use_case.task is Task.BINARY:
            assert set(found) == {0, 1}
        elif use_case.task is Task.MULTICLASS:
            assert 2 <= found.n_unique() <= MOST_CLASSES
        else:
            assert found.dtype.is_numeric()
            assert found.n_unique() > 1
        assert found.null_count() == 0

    def test_labels_have_one_row_for_each_key_with_features(
        self, use_case: UseCase, labels: pl.DataFrame, features: pl.DataFrame
    ) -> None:
        assert labels[use_case.key].n_unique() == labels.height
        assert set(features[use_case.key]) <= set(labels[use_case.key])

    def test_labels_are_cut_off_by_the_reference_date(self, cutoff: date) -> None:
        assert cutoff <= REFERENCE_DATE

    # --- model.py

    @pytest.mark.parametrize("name", ["model", "baseline"])
    def test_model_gives_answers_that_tell_something(
        self, name: str, request: pytest.FixtureRequest, inputs: np.ndarray, learnt: Learnt
    ) -> None:
        fitted, target = request.getfixturevalue(name), learnt.target

        if not target.task.classifies:
            numbers = raw_answers(fitted, inputs, target)
            assert numbers.shape == (len(inputs),)
            assert np.isfinite(numbers).all()
            assert np.ptp(numbers) > 0
            return
        probabilities = fitted.predict_proba(inputs)
        assert probabilities.shape == (len(inputs), len(target.classes) or 2)
        assert ((probabilities >= 0) & (probabilities <= 1)).all()
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
        assert np.ptp(probabilities[:, 1]) > 0

    @pytest.mark.parametrize("name", ["model", "baseline"])
    def test_model_can_be_stored_without_pickle(
        self,
        name: str,
        request: pytest.FixtureRequest,
        inputs: np.ndarray,
        learnt: Learnt,
        tmp_path: Path,
    ) -> None:
        fitted = request.getfixturevalue(name)
        path = tmp_path / "fitted"
        skops.io.dump(fitted, path)

        np.testing.assert_array_equal(
            raw_answers(load_model(path), inputs, learnt.target),
            raw_answers(fitted, inputs, learnt.target),
        )

    def test_model_depends_on_the_seed_alone(
        self,
        use_case: UseCase,
        model: Any,
        params: Any,
        inputs: np.ndarray,
        learnt: Learnt,
    ) -> None:
        target = learnt.target
        unfitted = use_case.model(params, SEED, learnt.features)
        again = fit_model(unfitted, inputs, learnt.labels, target)

        np.testing.assert_allclose(
            raw_answers(again, inputs, target) / target.scale,
            raw_answers(model, inputs, target) / target.scale,
            atol=1e-6,
        )

    def test_model_answers_the_same_as_onnx(
        self, model: Any, inputs: np.ndarray, learnt: Learnt
    ) -> None:
        onnx = convert(model, inputs.shape[1], learnt.target)

        assert parity_gap(model, onnx, inputs, learnt.target) <= PARITY_TOLERANCE

    # --- slices.py

    def test_slices_make_a_few_groups_each(self, use_case: UseCase, table: pl.DataFrame) -> None:
        for name, expression in use_case.slices().items():
            groups = table.drop(use_case.key, LABEL).select(expression).to_series()

            assert len(groups) == table.height, f"the slice {name} is not one value a row"
            assert 2 <= groups.n_unique() <= 20, f"the slice {name} has {groups.n_unique()} groups"
            assert groups.null_count() == 0, f"the slice {name} leaves rows out"
