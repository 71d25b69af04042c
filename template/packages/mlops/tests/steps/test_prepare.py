"""Features never see the label window, and the holdout never moves."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import ibis
import polars as pl
import pytest

from fakes.project import TODAY
from fakes.tiny_use_case import features as features_module
from fakes.tiny_use_case.labels import ALARM, WINDOW_DAYS
from fakes.tiny_use_case.sample import make_sample
from mlops.artifacts.prepared import Prepared, load_prepared
from mlops.errors import ConfigError, Refused
from mlops.settings.loading import LoadedSettings
from mlops.steps import prepare, validate
from mlops.steps.typed_table import check_table
from mlops.usecase.use_case import UseCase

Load = Callable[..., LoadedSettings]


def prepared(data: pl.DataFrame, folder: Path, settings: LoadedSettings) -> Prepared:
    raw = folder / "raw"
    raw.mkdir(parents=True)
    data.write_parquet(raw / "data.parquet")
    validate.run(raw, folder / "validated", settings)
    return prepare.run(folder / "validated", folder / "prepared", settings)


def everything(result: Prepared) -> pl.DataFrame:
    return pl.concat([result.train(), result.holdout()]).sort("machine")


@pytest.fixture
def sample() -> pl.DataFrame:
    return make_sample(200, 1, 0.0, TODAY)


def test_the_label_window_changes_labels_but_never_features(
    sample: pl.DataFrame, tmp_path: Path, settings: LoadedSettings
) -> None:
    in_window = pl.col("day") > TODAY - timedelta(days=WINDOW_DAYS)
    opposite = pl.when(pl.col("reading") >= ALARM).then(1.0).otherwise(2 * ALARM)
    moved = sample.with_columns(
        reading=pl.when(in_window).then(opposite).otherwise(pl.col("reading")),
        day=pl.when(in_window).then(pl.col("day") - timedelta(days=1)).otherwise(pl.col("day")),
    )
    before = everything(prepared(sample, tmp_path / "before", settings))
    after = everything(prepared(moved, tmp_path / "after", settings))
    assert after.drop("label").equals(before.drop("label"))
    assert not after["label"].equals(before["label"])


@pytest.mark.parametrize("name", ["[v2]", "a*b", "a?b", "100% (copy)", "a%20b", "a#b", "team=a"])
def test_a_folder_of_any_name_holds_its_own_data(
    sample: pl.DataFrame, tmp_path: Path, settings: LoadedSettings, name: str
) -> None:
    """Beside it lies what its name would match as a pattern."""
    other = tmp_path / name.replace("[v2]", "v").replace("*", "X").replace("?", "X")
    if other != tmp_path / name:
        prepared(make_sample(200, 2, 0.0, TODAY), other, settings)
    found = everything(prepared(sample, tmp_path / name, settings))
    assert found.equals(everything(prepared(sample, tmp_path / "plain", settings)))


def test_every_entity_is_in_one_part_and_rows_in_any_order_give_the_same(
    sample: pl.DataFrame, tmp_path: Path, settings: LoadedSettings
) -> None:
    first = prepared(sample, tmp_path / "first", settings)
    second = prepared(sample.reverse(), tmp_path / "second", settings)
    assert first.holdout().equals(second.holdout())
    assert first.train().equals(second.train())
    assert not set(first.train()["machine"]) & set(first.holdout()["machine"])
    assert first.rows == {"train": first.train().height, "holdout": first.holdout().height}
    assert sum(first.rows.values()) == 200


class TestFraction:
    """`data.fraction`: the same part of the entities each time."""

    def test_the_parts_hold_a_tenth_of_the_rows_that_they_have_without_it(
        self, tmp_path: Path, load: Load
    ) -> None:
        data = make_sample(2000, 1, 0.0, TODAY)
        whole = prepared(data, tmp_path / "whole", load())
        tenth = prepared(data, tmp_path / "tenth", load(data__fraction=0.1))
        for part, full in ((tenth.holdout(), whole.holdout()), (tenth.train(), whole.train())):
            assert part.equals(full.filter(full["machine"].is_in(part["machine"].to_list())))
            assert 0.05 * full.height < part.height < 0.15 * full.height

    def test_a_part_that_is_too_small_says_which_setting_made_it_so(
        self, sample: pl.DataFrame, tmp_path: Path, load: Load
    ) -> None:
        with pytest.raises(Refused, match=r"in the part that data\.fraction: 0\.01"):
            prepared(sample, tmp_path, load(data__fraction=0.01))


class TestColumnsOfTheSplit:
    """What features.py returns for the split alone is no feature, and stands beside them."""

    @pytest.fixture
    def returned(self, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
        """Let features.py return columns beside its features."""
        plain = features_module.build_features

        def let(*names: str) -> None:
            def build_features(readings: ibis.Table, reference_date: date) -> ibis.Table:
                found = plain(readings, reference_date)
                number = found.machine.substr(1).cast("int64")
                seen = ibis.literal(TODAY) + (number % 20).as_interval("D")
                columns = {
                    "plant": (number % 30).cast("string"),
                    "seen": seen.cast("timestamp('UTC')"),
                }
                return found.mutate(**{name: columns[name] for name in names})

            monkeypatch.setattr(features_module, "build_features", build_features)

        return let

    @pytest.mark.parametrize(
        ("split", "names", "beside"),
        [
            ({"key": "plant"}, ["plant"], ["split.group"]),
            ({"by": "time", "date": "seen"}, ["seen"], ["split.day"]),
            (
                {"by": "time", "date": "seen", "key": "plant", "holdout_fraction": 0.05},
                ["plant", "seen"],
                ["split.day", "split.group", "split.group_since"],
            ),
        ],
    )
    def test_they_are_no_features(
        self,
        sample: pl.DataFrame,
        tmp_path: Path,
        load: Load,
        returned: Callable[..., None],
        split: dict[str, object],
        names: list[str],
        beside: list[str],
    ) -> None:
        returned(*names)
        found = prepared(sample, tmp_path, load(split=split))
        assert found.feature_names == ["highest", "lowest", "count"]
        columns = ["machine", *found.feature_names, "label", *beside]
        assert found.train().columns == found.holdout().columns == columns
        assert found.train().height > 50
        assert load_prepared(found.folder) == found

    def test_in_time_no_row_of_the_gap_is_trained_on(
        self, sample: pl.DataFrame, tmp_path: Path, load: Load, returned: Callable[..., None]
    ) -> None:
        returned("seen")
        split = {"by": "time", "date": "seen", "gap_days": 2}
        found = prepared(sample, tmp_path, load(split=split, data__fraction=0.9))
        days = found.holdout()["split.day"].unique().to_list()
        assert min(days) == TODAY + timedelta(days=15)
        assert found.train()["split.day"].max() == TODAY + timedelta(days=13)
        assert found.split["first_holdout_day"] == min(days).isoformat()
        assert found.split["dates"] == len(days) == 5
        assert found.split["rows_cut_away"] > 0


def test_the_description_can_be_read_again(
    sample: pl.DataFrame, tmp_path: Path, settings: LoadedSettings
) -> None:
    written = prepared(sample, tmp_path, settings)
    assert load_prepared(written.folder) == written
    assert written.feature_names == ["highest", "lowest", "count"]
    assert written.cutoff == (TODAY - timedelta(days=WINDOW_DAYS)).isoformat()


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        (("lowest", "age"), "names age, which build_features does not return"),
        ("lowest", "is 'lowest', and must be a tuple of names"),
        ((1,), r"is \(1,\), and must be a tuple of names"),
    ],
)
def test_a_declaration_of_what_callers_may_leave_out_names_features(
    sample: pl.DataFrame,
    tmp_path: Path,
    settings: LoadedSettings,
    monkeypatch: pytest.MonkeyPatch,
    declared: object,
    said: str,
) -> None:
    monkeypatch.setattr(features_module, "OPTIONAL", declared, raising=False)
    with pytest.raises(ConfigError, match=rf"OPTIONAL in features\.py {said}"):
        prepared(sample, tmp_path, settings)


def test_what_callers_may_leave_out_is_declared_beside_the_features(
    sample: pl.DataFrame, tmp_path: Path, settings: LoadedSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features_module, "OPTIONAL", ["lowest"], raising=False)
    written = prepared(sample, tmp_path, settings)
    assert [each.optional for each in load_prepared(written.folder).features] == [
        *(False, True, False)
    ]


def test_data_that_failed_validation_are_refused(
    sample: pl.DataFrame, tmp_path: Path, settings: LoadedSettings
) -> None:
    with pytest.raises(Refused, match="did not pass validation"):
        prepared(sample.with_columns(reading=-1.0), tmp_path, settings)
    assert not (tmp_path / "prepared").exists()


def test_one_class_only_is_refused(
    sample: pl.DataFrame, tmp_path: Path, settings: LoadedSettings
) -> None:
    with pytest.raises(Refused, match="needs both labels"):
        prepared(sample.with_columns(reading=1.0), tmp_path, settings)
    assert not (tmp_path / "prepared").exists()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"label": [0, 1]}, "no feature column"),
        ({"x": [date(2026, 1, 1), None], "label": [0, 1]}, "the feature x is Date"),
        ({"x": [[1.0], [2.0]], "label": [0, 1]}, "the feature x is List"),
        ({"x": [1.0, 2.0], "label": [0, 2]}, "neither 0 nor 1"),
        ({"x": [1.0, 2.0], "label": [0.9, 1.0]}, "neither 0 nor 1"),
        ({"x": [1.0, 2.0], "label": [0.0, 1.0000001]}, "neither 0 nor 1"),
        ({"x": [1.0, 2.0], "label": ["no", "yes"]}, "neither 0 nor 1"),
        ({"x": [1.0, 2.0], "label": [True, None]}, "a label that is null"),
        ({"x": [1.0, 2.0], "label": [0, None]}, "a label that is null"),
        ({"x": [1.0, 1e300], "label": [0, 1]}, "infinite"),
    ],
)
def test_unusable_columns_are_named(columns: dict[str, list[object]], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_table(pl.DataFrame({"key": ["a", "b"], **columns}), "key")


@pytest.mark.parametrize(
    ("part", "columns", "message"),
    [
        ("features", {"machine": ["a"], "label": [1.0]}, "a feature named label"),
        ("features", {"x": [1.0]}, r"features\.py returned no column machine"),
        ("labels", {"machine": ["a"]}, r"labels\.py returned no column label"),
    ],
)
def test_missing_or_clashing_columns_are_named(
    settings: LoadedSettings,
    monkeypatch: pytest.MonkeyPatch,
    part: str,
    columns: dict[str, list[object]],
    message: str,
) -> None:
    wrong = ibis.memtable(pl.DataFrame(columns))
    monkeypatch.setattr(UseCase, part, lambda *_: wrong)
    data = ibis.memtable(make_sample(50, 1, 0.0, TODAY))
    with pytest.raises(ConfigError, match=message):
        prepare.build_table(data, settings.use_case, TODAY - timedelta(days=10), TODAY)


def test_a_boolean_label_is_a_label() -> None:
    table = pl.DataFrame({"key": ["a", "b"], "x": [1.0, 2.0], "label": [True, False]})
    assert check_table(table, "key")["label"].to_list() == [1, 0]


def test_a_repeated_key_is_refused() -> None:
    table = pl.DataFrame({"key": ["a", "a"], "x": [1.0, 2.0], "label": [0, 1]})
    with pytest.raises(ConfigError, match="repeated key"):
        check_table(table, "key")


def test_nan_counts_as_null() -> None:
    table = pl.DataFrame({"key": ["a", "b"], "x": [1.0, float("nan")], "label": [0, 1]})
    assert check_table(table, "key")["x"].to_list() == [1.0, None]
