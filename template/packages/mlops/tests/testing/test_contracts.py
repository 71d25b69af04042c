"""The contract of use cases, on a sound one and on ones with a fault each."""

from dataclasses import replace
from datetime import date

import ibis
import polars as pl
import pytest

from fakes.project import write_project
from mlops.artifacts.run_folder import RunFolder
from mlops.settings.loading import load_settings
from mlops.settings.project import find_project
from mlops.steps.split import columns
from mlops.testing import ModelContract, UseCaseContract
from mlops.testing.model import Fitted
from mlops.testing.use_case import REFERENCE_DATE, Sampled
from mlops.usecase.use_case import UseCase


class Careful(UseCase):
    """The tiny use case trusts its caller to hide later rows; this one hides them itself."""

    def features(self, table: ibis.Table, reference_date: date) -> ibis.Table:
        return super().features(table.filter(table.day <= reference_date), reference_date)

    def labels(self, table: ibis.Table, cutoff: date, reference_date: date) -> ibis.Table:
        return super().labels(table.filter(table.day <= reference_date), cutoff, reference_date)


CARELESS = UseCase("fakes.tiny_use_case")
CAREFUL = Careful("fakes.tiny_use_case")
CUTOFF = CAREFUL.cutoff(REFERENCE_DATE, None)


class TestUseCase(UseCaseContract):
    @pytest.fixture(scope="class")
    @classmethod
    def use_case(cls) -> UseCase:
        return CAREFUL

    @pytest.fixture(scope="class")
    @classmethod
    def aside(cls) -> list[str]:
        return []


class Dated(Careful):
    """Returns a date and a group with the features, by which conf splits."""

    def features(self, table: ibis.Table, reference_date: date) -> ibis.Table:
        found = super().features(table, reference_date)
        return found.mutate(seen=ibis.date(2024, 1, 31), plant=found.machine.substr(0, 2))


class TestUseCaseWithAnotherSplit(TestUseCase):
    @pytest.fixture(scope="class")
    @classmethod
    def use_case(cls) -> UseCase:
        return Dated("fakes.tiny_use_case")

    @pytest.fixture(scope="class")
    @classmethod
    def aside(cls, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
        root = tmp_path_factory.mktemp("dated") / "project"
        text = write_project(root).root.joinpath("conf/base.yaml")
        text.write_text(text.read_text() + "split:\n  {by: time, date: seen, key: plant}\n")
        return columns("machine", load_settings(find_project(root), variables={}).values.split)


class TestModel(ModelContract):
    @pytest.fixture(scope="class")
    @classmethod
    def fitted(cls, tmp_path_factory: pytest.TempPathFactory) -> Fitted:
        folder = tmp_path_factory.mktemp("tiny")
        result = Fitted(
            RunFolder(folder), load_settings(write_project(folder / "project"), variables={})
        )
        result.run()
        return result

    def test_a_model_of_the_sample_is_judged_by_the_limits_of_made_up_data(
        self, fitted: Fitted
    ) -> None:
        def limited(real: float, sample: float) -> Fitted:
            limits = {"gate.thresholds": {"f1": real}, "gate.sample_thresholds": {"f1": sample}}
            project = fitted.settings.project
            return replace(fitted, settings=load_settings(project, overrides=limits, variables={}))

        self.test_the_gate_would_pass_it(limited(real=1.0, sample=0.1))
        with pytest.raises(AssertionError):
            self.test_the_gate_would_pass_it(limited(real=0.1, sample=1.0))


@pytest.mark.parametrize(
    "test",
    [
        "test_rows_after_the_reference_date_change_nothing",
        "test_what_makes_the_label_makes_no_feature",
    ],
)
def test_features_that_see_the_label_window_are_noticed(test: str) -> None:
    sampled = Sampled(CARELESS)
    raw = sampled.raw()
    with pytest.raises(AssertionError):
        getattr(UseCaseContract(), test)(
            CARELESS,
            sampled,
            raw,
            Sampled(CAREFUL).features(raw, CUTOFF),
            sampled.labels(raw, CUTOFF),
            CUTOFF,
        )


def test_a_label_among_the_features_is_noticed() -> None:
    sampled = Sampled(CAREFUL)
    raw = sampled.raw()
    features, labels = sampled.features(raw, CUTOFF), sampled.labels(raw, CUTOFF)
    said = labels.get_column("label").cast(pl.Float32)
    table = features.join(labels, on=CAREFUL.key).with_columns(copy=said)
    with pytest.raises(AssertionError, match="copy says the label itself"):
        UseCaseContract().test_features_do_not_hold_the_label(CAREFUL, features, table)


class MeanFilled(Careful):
    """Compares each amount with the mean over all machines."""

    def features(self, table: ibis.Table, reference_date: date) -> ibis.Table:
        found = super().features(table, reference_date)
        first = next(name for name, kind in found.schema().items() if kind.is_numeric())
        return found.mutate(beside=found[first] - found[first].mean().over())


def test_features_that_are_compared_with_other_keys_are_noticed() -> None:
    sampled = Sampled(MeanFilled("fakes.tiny_use_case"))
    raw = sampled.raw()
    features = sampled.features(raw, CUTOFF)
    with pytest.raises(AssertionError):
        UseCaseContract().test_features_of_a_key_do_not_depend_on_other_keys(
            CAREFUL, sampled, raw, features, CUTOFF
        )
