"""Which entities are used, and which of them are held out.

By key: those that a hash of their key, or of their group's value, draws. It depends on nothing
else, so every model ever trained leaves the same ones out. In time: the newest ones. Dates are
split first and rows follow, so that no date is on both sides. The labels of rows shortly before the
holdout look into its time: `split.gap_days` cuts these rows away, which is the purge of López de
Prado, Advances in Financial Machine Learning (2018), chapter 7.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from mlops.artifacts.prepared import SPLIT_DAY, SPLIT_GROUP, SPLIT_GROUP_SINCE
from mlops.errors import ConfigError, Refused
from mlops.settings.data_sections import SplitSettings
from mlops.usecase.use_case import LABEL


@dataclass(frozen=True)
class Parts:
    """What became of each row of the table that was split.

    Attributes:
        basis: what it was split by, one row each; the first column is the key.
        train: whether a row is in the training part.
        holdout: whether it is in the holdout; a row that was cut away is in neither.
        description: how it was split, as prepared.json and lineage.json say it.
    """

    basis: pl.DataFrame
    train: pl.Series
    holdout: pl.Series
    description: dict[str, Any]

    def beside_train(self, table: pl.DataFrame) -> pl.DataFrame:
        """Return the rows of the training part with what they were split by."""
        return table.hstack(self.basis.filter(self.train).get_columns()[1:])

    def beside_holdout(self, table: pl.DataFrame) -> pl.DataFrame:
        """Return the rows of the holdout with what they were split by."""
        return table.hstack(self.basis.filter(self.holdout).get_columns()[1:])


def is_held_out(keys: Iterable[Any], split: SplitSettings) -> list[bool]:
    """Tell for each key whether it belongs to the holdout; the same key always does or never."""
    return _below(keys, split.holdout_fraction, salt=split.salt, purpose=b"")


def is_used(keys: Iterable[Any], fraction: float) -> list[bool]:
    """Tell for each key whether it belongs to a share of the entities.

    The same key always does or never, and what is in a small share is in every larger one. The
    share does not depend on the holdout: it takes the same part of it as of the training part.
    """
    return _below(keys, fraction, salt="", purpose=b"data.fraction")


def _below(keys: Iterable[Any], share: float, *, salt: str, purpose: bytes) -> list[bool]:
    limit = int(share * 2**64)
    return [number < limit for number in hashes(keys, salt=salt, purpose=purpose)]


def hashes(keys: Iterable[Any], *, salt: str, purpose: bytes) -> list[int]:
    """Return a number from 0 to 2^64 - 1 for each key; each salt and purpose has its own."""
    found = (
        hashlib.blake2b(f"{salt}|{key}".encode(), digest_size=8, person=purpose) for key in keys
    )
    return [int.from_bytes(each.digest()) for each in found]


def columns(key: str, split: SplitSettings) -> list[str]:
    """Return which columns of features.py say how to split, the key aside: no features."""
    named = (split.key, split.date)
    return list(dict.fromkeys(name for name in named if name is not None and name != key))


def basis(table: pl.DataFrame, key: str, split: SplitSettings) -> pl.DataFrame:
    """Return what the entities are split by: the key and, where asked, day and group.

    Args:
        table: what build_features returned, and the label.
        key: the column that names an entity.
        split: which columns it is split by.

    Returns:
        One row for each of `table`, in its order. A date with a time zone becomes its day in UTC;
        of a group its hash is kept, not its value.

    Raises:
        ConfigError: a column is not there, has nulls, or is no date or no name of a group.
    """
    if taken := sorted({SPLIT_DAY, SPLIT_GROUP, SPLIT_GROUP_SINCE} & set(table.columns)):
        raise ConfigError(
            f"features.py returned a column {taken[0]}, a name that the split needs",
            "give it another name",
        )
    for setting, name in (("split.key", split.key), ("split.date", split.date)):
        if name is not None:
            _check_column(table, setting, name)
    found = table.select(key)
    if split.date is not None:
        found = found.with_columns(_days(table[split.date]).alias(SPLIT_DAY))
    if _has_groups(key, split):
        numbers = hashes(_names(table[str(split.key)]), salt=split.salt, purpose=b"")
        found = found.with_columns(pl.Series(SPLIT_GROUP, numbers, dtype=pl.UInt64))
        if split.by == "time":
            since = pl.col(SPLIT_DAY).min().over(SPLIT_GROUP)
            found = found.with_columns(since.alias(SPLIT_GROUP_SINCE))
    return found


def assign(basis: pl.DataFrame, key: str, split: SplitSettings) -> Parts:
    """Assign each row to the training part, to the holdout, or to neither.

    Args:
        basis: what the rows are split by, as `basis` returns it.
        key: the column that names an entity.
        split: how it is split.

    Raises:
        Refused: a part would be empty.
    """
    return _in_time(basis, key, split) if split.by == "time" else _by_key(basis, key, split)


def _by_key(basis: pl.DataFrame, key: str, split: SplitSettings) -> Parts:
    grouped = _has_groups(key, split)
    if grouped:
        held_out = basis[SPLIT_GROUP] < int(split.holdout_fraction * 2**64)
        if basis[SPLIT_GROUP].n_unique() < 2 or held_out.all() or not held_out.any():
            raise Refused(
                f"the {basis.height} rows have {basis[SPLIT_GROUP].n_unique()} values of "
                f"{split.key}, which split.key names: the hash puts all of them on one side",
                "name a column with more values, change split.salt, or leave split.key out",
            )
    else:
        held_out = pl.Series(is_held_out(basis[key], split), dtype=pl.Boolean)
    description = {
        "by": "key",
        "holdout_fraction": split.holdout_fraction,
        "salt": split.salt,
        "key": split.key if grouped else key,
        "grouped": grouped,
    }
    return Parts(basis, train=~held_out, holdout=held_out, description=description)


def _in_time(basis: pl.DataFrame, key: str, split: SplitSettings) -> Parts:
    days = basis[SPLIT_DAY]
    first = first_holdout_day(days, split)
    held_out = days >= first
    train = is_before(days, first, split.gap_days)
    if _has_groups(key, split):
        both = basis[SPLIT_GROUP].is_in(basis[SPLIT_GROUP].filter(held_out).unique().implode())
        train &= ~both
    if not train.any():
        raise Refused(
            f"the holdout begins on {first}, and none of the {(~held_out).sum()} rows before it "
            f"is left to train on: split.gap_days: {split.gap_days}"
            f"{f' and split.key: {split.key}' if _has_groups(key, split) else ''} cut them away",
            "bring older data, or lower split.gap_days or split.holdout_fraction in conf/",
        )
    description = {
        "by": "time",
        "date": split.date,
        "holdout_fraction": split.holdout_fraction,
        "key": split.key if _has_groups(key, split) else key,
        "grouped": _has_groups(key, split),
        "first_holdout_day": first.isoformat(),
        "last_training_day": days.filter(train).sort()[-1].isoformat(),
        "gap_days": split.gap_days,
        "rows_cut_away": basis.height - int(train.sum()) - int(held_out.sum()),
        "dates": days.filter(held_out).n_unique(),
    }
    return Parts(basis, train=train, holdout=held_out, description=description)


def first_holdout_day(days: pl.Series, split: SplitSettings) -> date:
    """Return the day from which on the share of rows is nearest to `split.holdout_fraction`.

    The oldest day is never held out. Of two days that are equally near it is the earlier one.

    Raises:
        Refused: there are fewer than two days.
    """
    counts = days.to_frame(SPLIT_DAY).group_by(SPLIT_DAY).len().sort(SPLIT_DAY)
    if counts.height < 2:
        raise Refused(
            f"the {len(days)} rows have {counts.height} days in {split.date}, which split.date "
            "names: a split in time needs at least two",
            "let build_features return a date that differs between entities, or set split.by: key",
        )
    held_out = counts["len"].reverse().cum_sum().reverse().cast(pl.Float64)
    distances = (held_out - split.holdout_fraction * len(days)).abs()[1:]
    found: date = counts[SPLIT_DAY][1 + int(distances.arg_min() or 0)]
    return found


def is_before(days: pl.Series, first: date, gap_days: int) -> pl.Series:
    """Tell of each day whether it lies before `first`, and by at least the gap."""
    return (pl.Series([first]) - days).dt.total_days() >= max(gap_days, 1)


def _has_groups(key: str, split: SplitSettings) -> bool:
    return split.key is not None and split.key != key


def _check_column(table: pl.DataFrame, setting: str, name: str) -> None:
    have = [column for column in table.columns if column != LABEL]
    if name not in have:
        raise ConfigError(
            f"features.py returned no column {name}, which {setting} in conf/ names "
            f"(it has: {', '.join(have)})",
            f"let build_features return it, or change {setting}",
        )
    if nulls := table[name].null_count():
        raise ConfigError(
            f"features.py returned null in {name}, which {setting} in conf/ names, in {nulls} of "
            f"{table.height} rows",
            "give each entity a value there, or leave those entities out of build_features",
        )


def _days(values: pl.Series) -> pl.Series:
    kind = values.dtype
    if isinstance(kind, pl.Datetime) and kind.time_zone:
        values = values.dt.convert_time_zone("UTC")
    if not isinstance(kind, pl.Date | pl.Datetime):
        raise ConfigError(
            f"features.py returned {values.name} as {kind}, and split.date in conf/ needs a date "
            "or timestamp",
            'return it as one, such as table.column.cast("date")',
        )
    return values.dt.date()


def _names(values: pl.Series) -> pl.Series:
    kind = values.dtype
    if isinstance(kind, pl.Categorical | pl.Enum):
        return values.cast(pl.String)
    if not (kind.is_integer() or isinstance(kind, pl.String | pl.Date)):
        raise ConfigError(
            f"features.py returned {values.name} as {kind}, and split.key in conf/ needs a text, a "
            "whole number or a date, which the same group always has",
            'return it as one, such as table.column.cast("string")',
        )
    return values
