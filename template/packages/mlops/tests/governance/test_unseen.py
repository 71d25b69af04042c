"""Which rows of a holdout a champion was not trained on."""

import math
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from mlops.governance.unseen import SEEN, unseen_rows

LIMIT = 0.5
ABOVE, BELOW = math.nextafter(LIMIT, 1), math.nextafter(LIMIT, 0)
BEFORE = {"salt": "grain", "key": "machine", "holdout_fraction": LIMIT}
"""As a lineage said it before there were splits in time."""
BY_KEY = {"by": "key", **BEFORE, "grouped": False}
FIRST = date(2024, 5, 1)
LAST_TRAINED = FIRST - timedelta(days=1)
IN_TIME = {
    "by": "time",
    "date": "seen",
    "key": "machine",
    "grouped": False,
    "holdout_fraction": LIMIT,
    "first_holdout_day": FIRST.isoformat(),
    "last_training_day": LAST_TRAINED.isoformat(),
    "gap_days": 0,
    "rows_cut_away": 0,
    "dates": 10,
}
GROUPED = {**IN_TIME, "key": "plant", "grouped": True}
HOLDOUT = pl.DataFrame(
    {
        "split.day": [FIRST + timedelta(days=day) for day in range(10)],
        "split.group_since": [FIRST - timedelta(days=5)] * 5
        + [FIRST + timedelta(days=day) for day in range(5)],
    }
)


def ended(days: int, **more: Any) -> dict[str, Any]:
    """A champion whose training part ended so many days after that of the run."""
    last = LAST_TRAINED + timedelta(days=days)
    return {**IN_TIME, "last_training_day": last.isoformat(), **more}


@pytest.mark.parametrize("current", [BEFORE, BY_KEY], ids=["before", "by key"])
@pytest.mark.parametrize("kind", [{}, {"by": "key", "grouped": False}], ids=["before", "by key"])
@pytest.mark.parametrize(
    ("champion", "unseen"),
    [
        (BEFORE, True),
        ({**BEFORE, "holdout_fraction": ABOVE}, True),
        ({**BEFORE, "holdout_fraction": BELOW}, False),
        ({**BEFORE, "salt": "sand"}, False),
        ({**BEFORE, "key": "plant"}, False),
    ],
)
def test_the_holdout_that_a_champion_left_out(
    champion: dict[str, Any], kind: dict[str, Any], current: dict[str, Any], unseen: bool
) -> None:
    found = unseen_rows({**champion, **kind}, current, HOLDOUT, 50)
    assert found.problem == (None if unseen else SEEN)
    assert found.rows.all()
    assert found.note == ""


@pytest.mark.parametrize(
    ("champion", "current"),
    [
        (BEFORE, IN_TIME),
        (BY_KEY, IN_TIME),
        (IN_TIME, BY_KEY),
        ({**IN_TIME, "date": "made"}, IN_TIME),
        (IN_TIME, GROUPED),
        ({**GROUPED, "key": "town"}, GROUPED),
    ],
    ids=["before", "by key", "by key now", "another date", "no groups", "other groups"],
)
def test_a_champion_of_another_kind_of_split_may_have_seen_it(
    champion: dict[str, Any], current: dict[str, Any]
) -> None:
    assert unseen_rows(champion, current, HOLDOUT, 1).problem == SEEN


@pytest.mark.parametrize("days", [0, -1, -400])
def test_a_champion_that_ended_before_the_holdout_saw_none_of_it(days: int) -> None:
    found = unseen_rows(ended(days), IN_TIME, HOLDOUT, 50)
    assert (found.rows.all(), found.problem, found.note) == (True, None, "")


@pytest.mark.parametrize(
    ("champion", "current", "rows"),
    [
        (ended(1), {}, 9),
        (ended(9), {}, 1),
        (ended(0, gap_days=1), {}, 10),
        (ended(0, gap_days=2), {}, 9),
        (ended(0), {"gap_days": 4}, 7),
        (ended(1, gap_days=2), {"gap_days": 4}, 6),
        (ended(-3, gap_days=4), {}, 10),
    ],
)
def test_only_what_is_later_than_a_champions_training_is_compared(
    champion: dict[str, Any], current: dict[str, Any], rows: int
) -> None:
    found = unseen_rows(champion, {**IN_TIME, **current}, HOLDOUT, 1)
    assert found.rows.to_list() == [False] * (10 - rows) + [True] * rows
    assert found.problem is None
    assert found.note == (
        ""
        if rows == 10
        else "champion and model were compared where neither was trained: "
        f"{rows} of the holdout's 10 rows are later than what it was trained on, "
        f"which ends on {champion['last_training_day']}"
    )


@pytest.mark.parametrize(("enough", "compared"), [(6, True), (7, False)])
def test_too_few_later_rows_are_no_evidence(enough: int, compared: bool) -> None:
    found = unseen_rows(ended(4), IN_TIME, HOLDOUT, enough)
    assert (found.problem is None) == compared
    if not compared:
        assert found.problem == (
            f"{SEEN}: 6 of the holdout's 10 rows are later than what it was trained on, which "
            "ends on 2024-05-04, and gate.min_slice_rows asks for 7"
        )


def test_no_later_row_is_no_evidence() -> None:
    found = unseen_rows(ended(10), IN_TIME, HOLDOUT, 1)
    assert found.problem is not None
    assert "0 of the holdout's 10 rows" in found.problem


def test_a_group_that_was_there_when_the_champion_was_trained_is_left_out() -> None:
    found = unseen_rows(GROUPED, GROUPED, HOLDOUT, 1)
    assert found.rows.to_list() == [False] * 5 + [True] * 5
    assert unseen_rows(GROUPED, IN_TIME, HOLDOUT, 1).rows.all()
