"""Categories and their codes, which the model and the scoring script must agree on."""

from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest

from fakes.scoring_script import load_script
from mlops.features import (
    Feature,
    Features,
    Kind,
    learn_categories,
    normalised,
    normalised_texts,
)

COLOUR = Feature("colour", True, "red", kind=Kind.CATEGORY, categories=("red", "blue"))
FEATURES = Features((Feature("size", True, 1.0), COLOUR))
COMPOSED, DECOMPOSED = "Zürich", "Zu\u0308rich"


def learnt(values: Sequence[str | None], most: int = 50, min_rows: int = 1) -> tuple[str, ...]:
    return learn_categories(pl.Series("colour", values, pl.String), most=most, min_rows=min_rows)


def test_the_most_frequent_come_first_and_equals_by_name() -> None:
    assert learnt(["b", "c", "a", "c", None, "b", "d"]) == ("b", "c", "a", "d")


def test_what_is_rare_gets_no_code_of_its_own() -> None:
    values = ["a"] * 5 + ["b"] * 4 + ["c"] * 3
    assert learnt(values, min_rows=4) == ("a", "b")
    assert learnt(values, most=1) == ("a",)
    assert learnt([None, None]) == ()


def test_each_value_has_its_code_in_the_matrix() -> None:
    """Known ones by their position; then every other one; then null. No category is NaN."""
    frame = pl.DataFrame(
        {"colour": ["blue", "red", "pink", None], "size": [1.5, None, 3.0, 4.0]},
        schema={"colour": pl.String, "size": pl.Float32},
    )
    found = FEATURES.matrix(frame)
    assert found.dtype == np.float32
    assert found[:, 1].tolist() == [1.0, 0.0, 2.0, 3.0]
    assert np.isnan(found[:, 0]).tolist() == [False, True, False, False]


def test_a_category_without_a_known_value_has_codes_all_the_same() -> None:
    empty = Features((Feature("c", True, "", kind=Kind.CATEGORY),))
    frame = pl.DataFrame({"c": ["x", None]}, schema={"c": pl.String})
    assert empty.matrix(frame).tolist() == [[0.0], [1.0]]


def test_estimators_are_told_where_categories_are_and_their_codes() -> None:
    assert (FEATURES.categories, FEATURES.numbers) == ([1], [0])
    assert FEATURES.category_codes == [[0, 1, 2, 3]]
    assert FEATURES.names == ["size", "colour"]


def test_rows_between_codes_become_codes() -> None:
    rows = np.array([[0.5, 1.4], [np.nan, np.nan], [9.0, 77.0], [0.0, -3.0]], np.float32)
    found = FEATURES.in_codes(rows)
    assert found[:, 1].tolist() == [1.0, 3.0, 3.0, 0.0]
    assert np.array_equal(found[:, 0], rows[:, 0], equal_nan=True)
    assert rows[1, 1] != rows[1, 1], "what was given is left alone"


def test_features_survive_a_document() -> None:
    assert Features.read(FEATURES.to_list()) == FEATURES


@pytest.mark.parametrize(
    ("value", "compared"),
    [
        (DECOMPOSED, COMPOSED),
        ("  red\u00a0", "red"),
        ("Red", "Red"),
        ("", ""),
        (" \t", ""),
        ("a\u200bb", "a\u200bb"),
        ("\x1cred", "red"),
    ],
)
def test_the_script_compares_texts_as_training_does(value: str, compared: str) -> None:
    assert normalised(value) == compared
    assert load_script().normalised(value) == compared
    assert normalised_texts(pl.Series([value, None])).to_list() == [compared, None]
