"""What counts as drift, and what does not."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from fakes.drift_data import NOW, Population, baseline_of, events_of, outputs_of
from mlops.artifacts.drift_result import ColumnDrift, DriftResult
from mlops.artifacts.predictions import FEATURE, GENERATED, Predictions, event_schema
from mlops.features import Feature, Features, Kind
from mlops.monitoring.baseline import PREDICTION, drift_baseline
from mlops.monitoring.drift import Asked, Reference, check
from mlops.monitoring.profile import read_profiles
from mlops.settings.monitoring_sections import DriftSettings
from mlops.tasks import Target, Task
from mlops.window import Window

ROWS = 500
POPULATION = Population(11)
WEEK = Window.last(timedelta(days=7), NOW)
Change = Callable[[pl.Expr], pl.Expr]
EVERY_20TH = pl.int_range(pl.len()) % 20 == 0


@pytest.fixture(scope="module")
def references(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reference]:
    """Two versions: the baseline of one is as ours are now, of the other as before."""
    folder, table = tmp_path_factory.mktemp("versions"), POPULATION.sample(5000, 1)
    found = {}
    for age in ("new", "old"):
        path = folder / f"{age}.parquet"
        baseline_of(table, POPULATION.features, old=age == "old").write_parquet(path)
        found[age] = reference_to(path, POPULATION.features)
    return found


@pytest.fixture
def reference(references: dict[str, Reference]) -> Reference:
    return references["new"]


def reference_to(path: Path, features: Features) -> Reference:
    return Reference("prod", "tiny-prod", "blue", "tiny", 1, features, read_profiles(path))


def looked_at(
    reference: Reference, rows: pl.LazyFrame | pl.DataFrame, **settings: Any
) -> DriftResult:
    if isinstance(rows, pl.DataFrame):
        rows = events_of(rows, reference.features)
    asked = Asked(WEEK, NOW, DriftSettings.model_validate(settings))
    return check(reference, Predictions(rows), asked)


def column(result: DriftResult, name: str) -> ColumnDrift:
    return next(each for each in result.columns if each.column == name)


CHANGES: Mapping[str, tuple[str, Change]] = {
    "flipped": ("flag_4", lambda x: 1 - x),
    "constant number": ("normal_0", lambda x: x * 0 + 0.3),
    "constant count": ("counts_2", lambda x: x * 0 + 3),
    "constant flag": ("flag_4", lambda x: x * 0),
    "all null": ("nulls_6", lambda x: pl.when(x > 1e9).then(x)),
    "no null": ("nulls_6", lambda x: x.fill_null(0.1)),
    "other unit": ("skewed_1", lambda x: x * 100),
    "other unit of a count": ("counts_2", lambda x: x * 100),
    "fractions of a count": ("counts_2", lambda x: x + 0.5),
    "no zeros": ("zeros_3", lambda x: pl.when(x == 0).then(5.0).otherwise(x)),
    "shifted": ("normal_0", lambda x: x + 0.5),
    "new category": ("names_5", lambda x: pl.when(EVERY_20TH).then(pl.lit("purple")).otherwise(x)),
    "one category": ("long_names_9", lambda x: x.fill_null("n0").str.slice(0, 1) + "0"),
}


@pytest.mark.parametrize("age", ["new", "old"])
def test_what_did_not_change_is_ok(references: dict[str, Reference], age: str) -> None:
    for rows in (ROWS, 10_000):
        found = looked_at(references[age], POPULATION.sample(rows, 2))
        assert (found.outcome, found.drifted) == ("ok", ())


@pytest.mark.parametrize(
    ("change", "age"),
    [
        *((change, "new") for change in CHANGES),
        *((change, "old") for change in ("flipped", "constant count", "other unit", "shifted")),
    ],
)
def test_what_changed_is_named_and_nothing_else(
    references: dict[str, Reference], change: str, age: str
) -> None:
    (name, changed), reference = CHANGES[change], references[age]
    window = POPULATION.sample(ROWS, 2)
    moved = window.with_columns(changed(pl.col(name)).alias(name))
    found = looked_at(reference, events_of(moved, POPULATION.features, outputs=outputs_of(window)))
    assert found.outcome == "drift"
    assert [each.column for each in found.drifted] == [name]
    assert (column(found, name).p_value or 0) <= 0.01


def test_a_new_category_is_named_with_its_share(reference: Reference) -> None:
    name, changed = CHANGES["new category"]
    window = POPULATION.sample(ROWS, 2).with_columns(changed(pl.col(name)).alias(name))
    found = column(looked_at(reference, window), name)
    assert [(each.name, each.share) for each in found.new_categories] == [("purple", 0.05)]
    assert "new_categories" in found.measures
    gone = POPULATION.sample(ROWS, 2).with_columns(pl.col(name).replace("blue", "green"))
    found = column(looked_at(reference, gone), name)
    assert (found.vanished, found.outcome) == (("blue",), "drift")


def test_a_new_category_counts_also_where_all_others_are_as_before(reference: Reference) -> None:
    """At 2 % of many rows it is below the limits of all other measures."""
    window = POPULATION.sample(4000, 2).with_columns(
        names_5=pl.when(pl.int_range(pl.len()) % 60 == 0)
        .then(pl.lit("purple"))
        .otherwise("names_5")
    )
    found = column(looked_at(reference, window), "names_5")
    assert (found.outcome, found.measures) == ("drift", ("new_categories",))


@pytest.mark.parametrize(("rows", "value"), [(500, 1e6), (2000, 1e6), (20_000, -1e6)])
def test_a_few_values_far_beyond_training_are_found(
    reference: Reference, rows: int, value: float
) -> None:
    """As a code for "unknown" is, which somebody begins to send."""
    window = POPULATION.sample(rows, 2)
    marked = window.with_columns(
        normal_0=pl.when(pl.int_range(pl.len()) % 50 == 0).then(value).otherwise("normal_0")
    )
    found = looked_at(reference, events_of(marked, POPULATION.features, outputs=outputs_of(window)))
    assert [(each.column, each.measures) for each in found.drifted] == [
        ("normal_0", ("wasserstein",))
    ]


def test_one_value_far_beyond_training_is_chance(reference: Reference) -> None:
    window = POPULATION.sample(ROWS, 2)
    one = window.with_columns(
        normal_0=pl.when(pl.int_range(pl.len()) == 7).then(1e6).otherwise("normal_0")
    )
    found = looked_at(reference, events_of(one, POPULATION.features, outputs=outputs_of(window)))
    assert (column(found, "normal_0").wasserstein or 0) > 100
    assert found.outcome == "ok"


def test_new_names_are_hidden_where_data_are_not_to_be_quoted(reference: Reference) -> None:
    name, changed = CHANGES["new category"]
    window = POPULATION.sample(ROWS, 2).with_columns(changed(pl.col(name)).alias(name))
    rows = Predictions(events_of(window, POPULATION.features))
    found = check(reference, rows, Asked(WEEK, NOW, DriftSettings(), show_values=False))
    assert [(each.rows, each.share) for each in column(found, name).new_categories] == [(25, 0.05)]
    assert "purple" not in json.dumps(found.to_dict(), default=str)


def test_a_name_is_the_same_however_it_is_written(reference: Reference) -> None:
    window = POPULATION.sample(ROWS, 2).with_columns(" " + pl.col("names_5") + " ")
    assert looked_at(reference, window).outcome == "ok"


def test_a_small_effect_is_none_however_sure_it_is(reference: Reference) -> None:
    window = POPULATION.sample(20_000, 2)
    moved = window.with_columns(pl.col("normal_0") + 0.09)
    rows = events_of(moved, POPULATION.features, outputs=outputs_of(window))
    assert looked_at(reference, rows, wasserstein=0.12).outcome == "ok"
    found = looked_at(reference, rows, wasserstein=0.05)
    assert [each.column for each in found.drifted] == ["normal_0"]


def test_a_large_effect_is_none_where_chance_does_as_much(reference: Reference) -> None:
    found = looked_at(reference, POPULATION.sample(25, 7), min_rows=20)
    limits = [each for each in found.columns if (each.jensen_shannon or 0) > 0.1]
    assert len(limits) > 3, "chance puts them there"
    assert found.outcome == "ok"
    assert min(each.p_value or 0 for each in limits) > 0.01


@pytest.mark.parametrize(("columns", "outcome"), [(1, "drift"), (11, "ok")])
def test_alpha_holds_for_the_whole_check(tmp_path: Path, columns: int, outcome: str) -> None:
    """What is no chance of one column is some of many."""
    population, path = Population(columns), tmp_path / "baseline.parquet"
    features = population.features
    baseline_of(population.sample(5000, 1), features).write_parquet(path)
    window = population.sample(ROWS, 2)
    moved = window.with_columns(pl.col("normal_0") + 0.14)
    rows = events_of(moved, features, outputs=outputs_of(window))
    assert looked_at(reference_to(path, features), rows).outcome == outcome


def test_missing_values_alone_are_enough(reference: Reference) -> None:
    window = POPULATION.sample(ROWS, 2).with_columns(
        nulls_6=pl.when(pl.int_range(pl.len()) % 4 > 0).then("nulls_6")
    )
    found = looked_at(reference, window)
    assert [each.column for each in found.drifted] == ["nulls_6"]
    assert column(found, "nulls_6").measures == ("missing",)
    assert looked_at(reference, window, missing=0.5).outcome == "ok"


def test_predictions_that_moved_alone_are_found(reference: Reference) -> None:
    window = POPULATION.sample(ROWS, 2)
    rows = events_of(window, POPULATION.features, outputs=outputs_of(window) ** 2)
    assert [each.column for each in looked_at(reference, rows).drifted] == [PREDICTION]


def test_the_same_window_gives_the_same_answer(reference: Reference) -> None:
    window = POPULATION.sample(ROWS, 2).with_columns(pl.col("normal_0") + 0.2)
    assert looked_at(reference, window) == looked_at(reference, window)
    backwards = looked_at(reference, window.reverse())
    assert [each.p_value for each in backwards.columns] == [
        each.p_value for each in looked_at(reference, window).columns
    ]


def test_failures_and_rows_of_others_are_counted_and_left_out(reference: Reference) -> None:
    window, other = POPULATION.sample(ROWS, 2), POPULATION.sample(200, 3)
    failed = events_of(window.head(50), POPULATION.features).with_columns(
        status=pl.lit(500, pl.Int64), prediction=pl.lit(None, pl.String)
    )
    moved = other.with_columns(pl.col("normal_0") + 9)
    rows = [
        events_of(window, POPULATION.features),
        failed,
        events_of(moved, POPULATION.features, version=2),
    ]
    found = looked_at(reference, pl.concat(rows))
    assert found.outcome == "ok"
    volume = found.volume
    assert (volume.rows, volume.failures, volume.other_versions) == (ROWS, 50, 200)
    assert volume.failure_share == pytest.approx(50 / 550)
    assert volume.per_day == pytest.approx(ROWS / 7)


def test_what_a_rehearsal_generates_is_no_evidence(reference: Reference) -> None:
    """It repeats rows of the holdout: many events of few rows, and nobody's."""
    few = POPULATION.sample(20, 4).sample(5000, with_replacement=True, seed=1)
    generated = events_of(few, POPULATION.features).with_columns(source=pl.lit(GENERATED))
    found = looked_at(reference, generated)
    assert (found.outcome, found.volume.rows, found.volume.generated) == ("not enough", 0, 5000)
    assert "5,000 rows that a rehearsal generated are left out" in found.remarks
    window = events_of(POPULATION.sample(ROWS, 2), POPULATION.features)
    both = looked_at(reference, pl.concat([window, generated]))
    assert (both.outcome, both.volume.rows, both.volume.other_versions) == ("ok", ROWS, 0)


def test_a_feature_that_every_request_has_and_no_event_is_another_schema(
    reference: Reference,
) -> None:
    window = POPULATION.sample(ROWS, 2).with_columns(counts_2=pl.lit(None, pl.Float32))
    found = looked_at(reference, window)
    assert found.outcome == "schema broken"
    assert column(found, "counts_2").outcome == "schema broken"
    assert "counts_2 (never in the events" in found.reason


def test_a_boolean_is_true_or_false(reference: Reference) -> None:
    window = POPULATION.sample(ROWS, 2).with_columns(pl.col("flag_4") + 0.5)
    found = looked_at(reference, window)
    assert found.outcome == "schema broken"
    assert "flag_4 (neither true nor false in 500 rows)" in found.reason


@pytest.mark.parametrize("rows", [5, ROWS])
def test_events_of_another_kind_are_another_schema(reference: Reference, rows: int) -> None:
    good = events_of(POPULATION.sample(rows, 2), POPULATION.features)
    texts = good.with_columns(pl.col(f"{FEATURE}normal_0").cast(pl.String))
    found = looked_at(reference, texts)
    assert found.outcome == "schema broken"
    assert f"{FEATURE}normal_0 is String" in found.reason
    found = looked_at(reference, good.drop(f"{FEATURE}normal_0"))
    assert f"{FEATURE}normal_0 is missing" in found.reason


def test_events_that_cannot_be_read_are_not_ok(reference: Reference, tmp_path: Path) -> None:
    path = tmp_path / "events.parquet"
    events_of(POPULATION.sample(ROWS, 2), POPULATION.features).collect().write_parquet(path)
    rows = pl.scan_parquet(path, schema=event_schema(POPULATION.features))
    assert looked_at(reference, rows).outcome == "ok"
    path.write_bytes(path.read_bytes()[:-20])
    found = looked_at(reference, rows)
    assert found.outcome == "schema broken"
    assert "the events cannot be read" in found.reason


def test_a_baseline_without_a_feature_is_another_schema(reference: Reference) -> None:
    extra = Feature("new", has_nulls=False, example=1.0)
    larger = replace(reference, features=Features((*reference.features, extra)))
    window = POPULATION.sample(ROWS, 2).with_columns(new=pl.lit(1.0))
    found = looked_at(larger, window)
    assert found.outcome == "schema broken"
    assert "lacks new" in found.reason


def test_events_without_features_are_told_and_only_then_ok(reference: Reference) -> None:
    window = POPULATION.sample(ROWS, 2)
    bare = (
        events_of(POPULATION.sample(ROWS, 3), POPULATION.features)
        .with_columns(
            pl.lit(None).cast(kind).alias(name)
            for name, kind in event_schema(POPULATION.features).items()
            if name.startswith(FEATURE)
        )
        .with_columns(has_features=False)
    )
    found = looked_at(reference, bare)
    assert (found.outcome, found.reason) == ("schema broken", "no event holds any feature")
    asked = Asked(WEEK, NOW, DriftSettings(), holds_features=False)
    found = check(reference, Predictions(bare), asked)
    assert (found.outcome, [each.column for each in found.columns]) == ("ok", [PREDICTION])
    whole = events_of(window, POPULATION.features)
    found = looked_at(reference, pl.concat([bare, whole.head(20)]))
    assert found.outcome == "not enough"
    assert found.volume.without_features == ROWS
    assert looked_at(reference, pl.concat([bare, whole])).outcome == "ok"


def test_features_that_may_all_be_null_are_told_from_features_that_were_not_kept(
    tmp_path: Path,
) -> None:
    features = Features(tuple(replace(each, has_nulls=True) for each in POPULATION.features))
    path = tmp_path / "baseline.parquet"
    baseline_of(POPULATION.sample(5000, 1), features).write_parquet(path)
    reference = reference_to(path, features)
    window = events_of(POPULATION.sample(ROWS, 2), features)
    nothing = [
        pl.lit(None)
        .cast(window.collect_schema()[f"{FEATURE}{each.name}"])
        .alias(f"{FEATURE}{each.name}")
        for each in features
    ]
    unkept = window.with_columns(*nothing, has_features=pl.lit(value=False))
    asked = Asked(WEEK, NOW, DriftSettings(), holds_features=False)
    assert check(reference, Predictions(unkept), asked).outcome == "ok"
    assert looked_at(reference, unkept).reason == "no event holds any feature"
    assert looked_at(reference, pl.concat([unkept.head(50), window])).outcome == "ok"
    assert looked_at(reference, window.with_columns(nothing)).outcome == "drift"


def test_failures_are_counted_by_request_and_not_by_row(reference: Reference) -> None:
    rows = events_of(POPULATION.sample(ROWS, 2), POPULATION.features)
    many = rows.with_columns(row=pl.int_range(ROWS, dtype=pl.Int64) % 100)
    refused = rows.head(5).with_columns(
        status=pl.lit(400, pl.Int64), prediction=pl.lit(None, pl.String)
    )
    volume = looked_at(reference, pl.concat([many, refused])).volume
    assert (volume.rows, volume.failures, volume.failure_share) == (ROWS, 5, 0.5)


def test_classes_are_compared_as_names(tmp_path: Path) -> None:
    classes = ("low", "mid", "high")
    features = Features((Feature("x", has_nulls=True, example=1.0, kind=Kind.NUMBER),))
    random = np.random.default_rng(1)
    table = pl.DataFrame({"x": random.normal(size=3000)})
    answers = random.dirichlet([1, 1, 1], 3000)
    path = tmp_path / "baseline.parquet"
    target = Target(Task.MULTICLASS, classes)
    drift_baseline(table, features, answers, target).write_parquet(path)
    rows = events_of(table.head(ROWS), features, outputs=answers[:ROWS].max(axis=1))
    named = pl.Series(np.array(classes)[answers[:ROWS].argmax(axis=1)])
    reference = reference_to(path, features)
    found = looked_at(reference, rows.with_columns(prediction=pl.lit(named)))
    assert found.outcome == "ok"
    moved = rows.with_columns(prediction=pl.lit(named.replace("low", "high")))
    found = looked_at(reference, moved)
    assert [each.column for each in found.drifted] == [PREDICTION]
    assert column(found, PREDICTION).vanished == ("low",)


def test_a_column_that_was_never_known_is_found_by_its_values(tmp_path: Path) -> None:
    features = Features(
        (
            Feature("x", has_nulls=True, example=1.0),
            Feature("one", has_nulls=False, example=1.0),
        )
    )
    table = pl.DataFrame({"x": pl.Series([None] * 3000, dtype=pl.Float32), "one": [1.0] * 3000})
    path = tmp_path / "baseline.parquet"
    answers = np.full(3000, 0.5)
    drift_baseline(table, features, answers).write_parquet(path)
    reference = reference_to(path, features)
    window = table.head(ROWS)
    same = events_of(window, features, outputs=answers[:ROWS])
    assert looked_at(reference, same).outcome == "ok"
    moved = window.with_columns(x=pl.lit(1.0), one=pl.lit(2.0))
    found = looked_at(reference, events_of(moved, features, outputs=answers[:ROWS]))
    assert [each.column for each in found.drifted] == ["x", "one"]
    assert column(found, "one").wasserstein is None
