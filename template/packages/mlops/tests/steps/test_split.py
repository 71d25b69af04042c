"""Which entities are held out: the same ones by key, the newest in time, whole groups."""

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from mlops.errors import ConfigError, Refused
from mlops.settings.data_sections import SplitSettings
from mlops.steps.split import Parts, assign, basis, columns, is_held_out, is_used

HALF = 2**63
DAY = date(2024, 3, 1)


def test_the_holdout_stays_when_entities_come_and_go() -> None:
    split = SplitSettings()
    keys = [f"k{n}" for n in range(1000)]
    held_out = dict(zip(keys, is_held_out(keys, split), strict=True))
    later = [*keys[500:], "new"]
    assert is_held_out(later, split)[:500] == [held_out[key] for key in later[:500]]
    assert 200 < sum(held_out.values()) < 300


def test_the_holdout_is_the_one_that_older_versions_left_out() -> None:
    """A champion of years ago is compared on it: never change which keys are drawn."""
    drawn = [
        key for key, held_out in enumerate(is_held_out(range(40), SplitSettings())) if held_out
    ]
    assert drawn == [9, 13, 15, 17, 19, 20, 25, 30, 35, 36, 39]


def test_a_smaller_holdout_is_part_of_the_larger_one() -> None:
    keys = range(1000)
    large = is_held_out(keys, SplitSettings(holdout_fraction=0.4))
    small = is_held_out(keys, SplitSettings(holdout_fraction=0.1))
    assert all(big for big, little in zip(large, small, strict=True) if little)
    assert is_held_out(keys, SplitSettings(holdout_fraction=0.4, salt="other")) != large


class TestFraction:
    """`data.fraction`: the same part of the entities each time."""

    KEYS = tuple(f"k{n}" for n in range(20_000))

    def test_it_is_the_share_that_was_asked_for_and_one_is_all(self) -> None:
        assert 1800 < sum(is_used(self.KEYS, 0.1)) < 2200
        assert all(is_used(self.KEYS, 1.0))

    def test_a_smaller_share_is_part_of_a_larger_one(self) -> None:
        shares = zip(is_used(self.KEYS, 0.1), is_used(self.KEYS, 0.3), strict=True)
        assert all(large for small, large in shares if small)

    @pytest.mark.parametrize("salt", ["holdout", "data.fraction", ""])
    def test_it_takes_the_same_part_of_the_holdout_as_of_the_rest(self, salt: str) -> None:
        held_out = is_held_out(self.KEYS, SplitSettings(holdout_fraction=0.25, salt=salt))
        both = sum(u and h for u, h in zip(is_used(self.KEYS, 0.1), held_out, strict=True))
        assert 400 < both < 600


class Hash:
    """A hash function that gives one number for every key."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __call__(self, *_key: bytes, **_options: object) -> "Hash":
        return self

    def digest(self) -> bytes:
        return self._number.to_bytes(8)


@pytest.mark.parametrize(("number", "inside"), [(HALF - 1, True), (HALF, False)])
def test_a_share_takes_the_hashes_below_it(
    monkeypatch: pytest.MonkeyPatch, number: int, inside: bool
) -> None:
    monkeypatch.setattr("mlops.steps.split.hashlib.blake2b", Hash(number))
    assert is_used(["key"], 0.5) == [inside]
    assert is_held_out(["key"], SplitSettings(holdout_fraction=0.5)) == [inside]


def test_the_whole_takes_the_highest_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlops.steps.split.hashlib.blake2b", Hash(2**64 - 1))
    assert is_used(["key"], 1.0) == [True]
    assert is_used(["key"], math.nextafter(1.0, 0)) == [False]


def in_time(**values: Any) -> SplitSettings:
    return SplitSettings(by="time", date="seen", **values)


def table(ages: Sequence[int], **more: Sequence[object]) -> pl.DataFrame:
    """One row for each age in days before DAY; its key is its number."""
    seen = [DAY - timedelta(days=age) for age in ages]
    return pl.DataFrame({"key": list(range(len(ages))), "seen": seen, "x": ages, **more})


def parts(data: pl.DataFrame, split: SplitSettings) -> Parts:
    return assign(basis(data, "key", split), "key", split)


def ages(found: Parts, data: pl.DataFrame) -> tuple[list[int], list[int]]:
    """Return how old the rows of the training part are, and those of the holdout."""
    return data.filter(found.train)["x"].to_list(), data.filter(found.holdout)["x"].to_list()


class TestInTime:
    """`split.by: time`: the newest are held out, by whole days."""

    def test_the_newest_are_held_out_whatever_the_order_of_rows(self) -> None:
        data = table([3, 0, 2, 1])
        assert ages(parts(data, in_time(holdout_fraction=0.5)), data) == ([3, 2], [0, 1])
        assert ages(parts(data, in_time(holdout_fraction=0.25)), data) == ([3, 2, 1], [0])

    @pytest.mark.parametrize(
        ("fraction", "held_out"), [(0.1, 3), (0.29, 3), (0.3, 3), (0.49, 3), (0.5, 7), (0.9, 7)]
    )
    def test_no_day_is_on_both_sides_and_the_share_is_the_nearest_there_is(
        self, fraction: float, held_out: int
    ) -> None:
        data = table([0, 5, 0, 9, 5, 9, 5, 0, 5, 9])
        train, holdout = ages(parts(data, in_time(holdout_fraction=fraction)), data)
        assert not set(train) & set(holdout)
        assert len(holdout) == held_out
        assert max(holdout) < min(train)

    def test_the_oldest_day_is_never_held_out(self) -> None:
        data = table([1] * 99 + [0])
        assert ages(parts(data, in_time(holdout_fraction=0.9)), data) == ([1] * 99, [0])

    @pytest.mark.parametrize(
        ("gap", "kept"),
        [(0, [9, 8, 7, 6, 5]), (1, [9, 8, 7, 6, 5]), (2, [9, 8, 7, 6]), (4, [9, 8]), (5, [9])],
    )
    def test_rows_within_the_gap_before_the_holdout_are_cut_away(
        self, gap: int, kept: list[int]
    ) -> None:
        data = table([9, 8, 7, 6, 5, 4, 3, 2, 1, 0])
        found = parts(data, in_time(holdout_fraction=0.5, gap_days=gap))
        assert ages(found, data) == (kept, [4, 3, 2, 1, 0])
        assert found.description == {
            "by": "time",
            "date": "seen",
            "holdout_fraction": 0.5,
            "key": "key",
            "grouped": False,
            "first_holdout_day": (DAY - timedelta(days=4)).isoformat(),
            "last_training_day": (DAY - timedelta(days=kept[-1])).isoformat(),
            "gap_days": gap,
            "rows_cut_away": 5 - len(kept),
            "dates": 5,
        }

    def test_a_gap_that_takes_all_is_refused(self) -> None:
        said = r"holdout begins on 2024-02-29.* split\.gap_days: 36500 cut them away; bring older"
        with pytest.raises(Refused, match=said):
            parts(table([3, 2, 1, 0]), in_time(holdout_fraction=0.5, gap_days=36_500))

    @pytest.mark.parametrize(("rows", "days"), [([5, 5, 5], 1), ([5], 1), ([], 0)])
    def test_one_day_cannot_be_split(self, rows: list[int], days: int) -> None:
        said = rf"the {len(rows)} rows have {days} days in seen, which split\.date names"
        data = table(rows).cast({"seen": pl.Date})
        with pytest.raises(Refused, match=said):
            parts(data, in_time())

    def test_moments_with_a_zone_count_as_days_in_utc(self) -> None:
        """Midnight in Kiritimati is ten o'clock in the morning of the day before."""
        moments = [datetime(2024, 3, 1, hour, tzinfo=UTC) for hour in (0, 9, 10, 23)]
        zoned = pl.Series("seen", moments).dt.convert_time_zone("Pacific/Kiritimati")
        data = table([0] * 4).with_columns(zoned)
        with pytest.raises(Refused, match="1 days in seen"):
            parts(data, in_time())
        naive = data.with_columns(zoned.dt.replace_time_zone(None))
        assert ages(parts(naive, in_time(holdout_fraction=0.5)), naive) == ([0, 0], [0, 0])

    @pytest.mark.parametrize("unit", ["ms", "us", "ns"])
    def test_timestamps_count_as_their_day(self, unit: Any) -> None:
        data = table([2, 1, 0]).cast({"seen": pl.Datetime(unit)})
        assert ages(parts(data, in_time()), data) == ([2, 1], [0])

    def test_the_key_may_be_the_date(self) -> None:
        data = table([2, 1, 0]).drop("key")
        split = in_time()
        assert columns("seen", split) == []
        found = assign(basis(data, "seen", split), "seen", split)
        assert ages(found, data) == ([2, 1], [0])


class TestGroups:
    """`split.key`: all rows of a group are on one side."""

    NAMES = tuple(f"h{number % 40}" for number in range(400))

    def test_each_group_is_on_one_side_and_always_on_the_same(self) -> None:
        split = SplitSettings(key="household")
        data = table(range(400), household=self.NAMES)
        found = parts(data, split)
        train = set(data.filter(found.train)["household"])
        holdout = set(data.filter(found.holdout)["household"])
        assert train
        assert not train & holdout
        assert holdout == {name for name in self.NAMES if is_held_out([name], split)[0]}
        later = data.filter(pl.col("key") % 3 == 0)
        assert set(later.filter(parts(later, split).holdout)["household"]) <= holdout
        assert found.description == {
            "by": "key",
            "holdout_fraction": 0.25,
            "salt": "holdout",
            "key": "household",
            "grouped": True,
        }

    def test_groups_of_the_holdout_in_time_are_taken_out_of_the_training_part(self) -> None:
        data = table([9, 8, 7, 6, 5, 0, 1, 2], household=["a", "b", "a", "c", "d", "a", "c", "e"])
        split = in_time(holdout_fraction=0.4, key="household")
        found = parts(data, split)
        assert ages(found, data) == ([8, 5], [0, 1, 2])
        assert found.description["rows_cut_away"] == 3
        assert found.description["last_training_day"] == (DAY - timedelta(days=5)).isoformat()
        assert (found.description["key"], found.description["grouped"]) == ("household", True)

    def test_groups_that_leave_nothing_to_train_on_are_refused(self) -> None:
        data = table([3, 2, 1, 0], household=["a"] * 4)
        with pytest.raises(Refused, match=r"split\.gap_days: 0 and split\.key: household cut"):
            parts(data, in_time(key="household"))

    def test_one_group_cannot_be_split(self) -> None:
        said = "4 rows have 1 values of household, which split.key names"
        with pytest.raises(Refused, match=said):
            parts(table([3, 2, 1, 0], household=["a"] * 4), SplitSettings(key="household"))

    def test_the_key_as_its_own_group_changes_nothing(self) -> None:
        data = table(range(400))
        plain, named = parts(data, SplitSettings()), parts(data, SplitSettings(key="key"))
        assert named.holdout.equals(plain.holdout)
        assert named.description == plain.description
        assert columns("key", SplitSettings(key="key")) == []

    def test_of_a_group_its_hash_is_kept_and_not_its_value(self) -> None:
        data = table([2, 1, 0], household=["Zürich", "zürich", "Zürich"])
        found = basis(data, "key", in_time(key="household"))
        assert found.columns == ["key", "split.day", "split.group", "split.group_since"]
        groups = found["split.group"].to_list()
        assert groups[0] == groups[2] != groups[1]
        assert found["split.group_since"].to_list() == [
            DAY - timedelta(days=age) for age in (2, 1, 2)
        ]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([1, 2], "returned seen as Int64, and split.date in conf/ needs a date or timestamp"),
        (["2024-01-01", "x"], "returned seen as String, and split.date"),
        ([DAY, None], "returned null in seen, which split.date in conf/ names, in 1 of 2 rows"),
        ([timedelta(1), timedelta(2)], "returned seen as Duration"),
    ],
)
def test_what_is_no_date_is_named(values: list[object], said: str) -> None:
    data = pl.DataFrame({"key": [1, 2], "seen": values})
    with pytest.raises(ConfigError, match=f"features.py {said}"):
        basis(data, "key", in_time())


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([1.0, 2.0], "returned household as Float64, and split.key in conf/ needs a text, a whole"),
        ([["a"], ["b"]], "returned household as List"),
        (["a", None], "returned null in household, which split.key in conf/ names, in 1 of 2"),
    ],
)
def test_what_names_no_group_is_named(values: list[object], said: str) -> None:
    data = pl.DataFrame({"key": [1, 2], "household": values})
    with pytest.raises(ConfigError, match=f"features.py {said}"):
        basis(data, "key", SplitSettings(key="household"))


@pytest.mark.parametrize(
    "values",
    [
        pl.Series(["a", "b"], dtype=pl.Categorical),
        pl.Series(["a", "b"], dtype=pl.Enum(["b", "a"])),
    ],
    ids=["categorical", "enum"],
)
def test_a_category_is_the_group_that_its_text_is(values: pl.Series) -> None:
    split = SplitSettings(key="household")
    text = pl.DataFrame({"key": [1, 2], "household": ["a", "b"]})
    assert basis(text.with_columns(household=values), "key", split).equals(
        basis(text, "key", split)
    )


@pytest.mark.parametrize(
    ("split", "said"),
    [
        (in_time(), r"no column seen, which split\.date in conf/ names \(it has: key, x\)"),
        (SplitSettings(key="seen"), r"no column seen, which split\.key in conf/ names"),
        (SplitSettings(key="label"), r"no column label, which split\.key in conf/ names"),
    ],
)
def test_a_column_that_is_not_there_is_named(split: SplitSettings, said: str) -> None:
    data = pl.DataFrame({"key": [1, 2], "x": [1.0, 2.0], "label": [0, 1]})
    with pytest.raises(ConfigError, match=said):
        basis(data, "key", split)


def test_a_feature_must_not_have_a_name_of_the_split() -> None:
    with pytest.raises(ConfigError, match=r"a column split\.day, a name that the split needs"):
        basis(pl.DataFrame({"key": [1], "split.day": [1.0]}), "key", SplitSettings())
