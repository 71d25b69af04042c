"""What the use case's functions return, as a model sees it."""

from datetime import date

import polars as pl
import pytest

from mlops.errors import ConfigError, Refused
from mlops.features import Kind
from mlops.settings.sections import TrainingSettings
from mlops.steps.typed_table import (
    check_table,
    describe_features,
    encoded,
    feature_kinds,
    learn_target,
    require_learnable,
)
from mlops.tasks import Target, Task

CLASSES = Target(Task.MULTICLASS, ("cat", "dog"))


def table(**columns: list[object]) -> pl.DataFrame:
    return pl.DataFrame({"key": list(range(len(next(iter(columns.values()))))), **columns})


def test_each_type_has_its_kind() -> None:
    found = feature_kinds(
        table(a=[1, 2], b=[True, None], c=["x", None], d=[1.5, 2.0], label=[0, 1]).with_columns(
            e=pl.Series(["x", "y"], dtype=pl.Categorical),
            f=pl.Series(["x", "y"], dtype=pl.Enum(["x", "y"])),
        ),
        ("key", "label"),
    )
    assert found == {
        "a": Kind.NUMBER,
        "b": Kind.BOOLEAN,
        "c": Kind.CATEGORY,
        "d": Kind.NUMBER,
        "e": Kind.CATEGORY,
        "f": Kind.CATEGORY,
    }


def test_a_date_is_no_feature() -> None:
    with pytest.raises(ConfigError, match="the feature day is Date") as refusal:
        feature_kinds(table(day=[date(2026, 1, 1)], label=[0]), ("key", "label"))
    assert "a number, a boolean or a text" in refusal.value.remedy


def test_features_are_stored_as_slices_see_them() -> None:
    found = check_table(table(flag=[True, None], city=[" Zu\u0308rich", None], label=[0, 1]), "key")
    assert found["flag"].to_list() == [1.0, None]
    assert found["city"].to_list() == ["Zürich", None]
    assert found.schema["city"] == pl.String


def test_codes_are_learnt_on_the_training_part_alone() -> None:
    """Else a value that stands in the holdout alone would have a code that no model ever saw."""
    train = pl.DataFrame({"city": ["a", "a", "b"]})
    holdout = pl.DataFrame({"city": ["c", "c", "c", None]})
    (city,) = describe_features(
        train, holdout, {"city": Kind.CATEGORY}, (), TrainingSettings(min_category_rows=1)
    )
    assert city.categories == ("a", "b")
    assert city.example == "a"
    assert city.has_nulls


def test_a_typical_value_is_of_its_kind() -> None:
    train = pl.DataFrame({"n": [1.0, 2.0, 3.0], "flag": [1.0, 1.0, 0.0], "none": ["a", "b", "c"]})
    kinds = {"n": Kind.NUMBER, "flag": Kind.BOOLEAN, "none": Kind.CATEGORY}
    found = describe_features(train, train, kinds, ("n",), TrainingSettings())
    assert [each.example for each in found] == [2.0, True, ""]
    assert [each.optional for each in found] == [True, False, False]


@pytest.mark.parametrize(
    ("task", "labels", "stored"),
    [
        (Task.BINARY, [True, False], [1, 0]),
        (Task.BINARY, [1.0, 0.0], [1, 0]),
        (Task.MULTICLASS, ["dog ", "cat"], ["dog", "cat"]),
        (Task.MULTICLASS, [3, 11], ["3", "11"]),
        (Task.REGRESSION, [3, 11], [3.0, 11.0]),
    ],
)
def test_labels_are_stored_by_task(task: Task, labels: list[object], stored: list[object]) -> None:
    assert check_table(table(x=[1.0, 2.0], label=labels), "key", task)["label"].to_list() == stored


@pytest.mark.parametrize(
    ("task", "labels", "said"),
    [
        (Task.BINARY, ["a", "b"], "neither 0 nor 1"),
        (Task.MULTICLASS, [1.5, 2.5], "labels that are Float64"),
        (Task.MULTICLASS, ["a", None], "a label that is null"),
        (Task.REGRESSION, ["a", "b"], "labels that are String"),
        (Task.REGRESSION, [1.0, float("nan")], "infinite or not a number"),
        (Task.REGRESSION, [1.0, float("inf")], "infinite or not a number"),
        (Task.REGRESSION, [1.0, None], "a label that is null"),
    ],
)
def test_labels_of_another_task_are_refused(task: Task, labels: list[object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        check_table(table(x=[1.0, 2.0], label=labels), "key", task)


def test_classes_are_those_of_the_training_part_in_the_order_of_their_names() -> None:
    train = pl.DataFrame({"label": ["dog", "cat", "dog"]})
    target = learn_target(train, Task.MULTICLASS)
    assert target == CLASSES
    assert encoded(train, target)["label"].to_list() == [1, 0, 1]


def test_more_classes_than_are_told_apart_are_refused() -> None:
    names = [f"c{number}" for number in range(101)]
    with pytest.raises(Refused, match="101 classes"):
        learn_target(pl.DataFrame({"label": names}), Task.MULTICLASS)
    assert len(learn_target(pl.DataFrame({"label": names[:100]}), Task.MULTICLASS).classes) == 100


def test_a_class_in_the_holdout_alone_is_refused() -> None:
    parts = {
        "training part": pl.DataFrame({"label": ["cat", "dog"]}),
        "holdout": pl.DataFrame({"label": ["cat", "eel"]}),
    }
    with pytest.raises(Refused, match="the holdout has the classes eel"):
        require_learnable(parts, CLASSES, "")


@pytest.mark.parametrize(
    ("task", "said"),
    [(Task.BINARY, "0 and 1"), (Task.MULTICLASS, "two classes"), (Task.REGRESSION, "that differ")],
)
def test_labels_that_are_all_the_same_teach_nothing(task: Task, said: str) -> None:
    same = pl.DataFrame({"label": ["a", "a"] if task is Task.MULTICLASS else [1.0, 1.0]})
    with pytest.raises(Refused, match=said):
        require_learnable({"training part": same}, Target(task), "")


def test_the_unit_of_amounts_is_their_standard_deviation() -> None:
    amounts = pl.DataFrame({"label": [1.0, 3.0]})
    assert learn_target(amounts, Task.REGRESSION).scale == pytest.approx(2**0.5)
    assert learn_target(amounts.head(1), Task.REGRESSION).scale == 1.0
