"""Guesses which column says whom or what a row is about, and which one dates it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from mlops.data.profile.columns import Column, latest_day
from mlops.data.profile.kinds import Kind
from mlops.data.profile.looks_personal import why_personal

_DAYS = (Kind.DATE, Kind.TIMESTAMP, Kind.ZONED)
_NAMES_SOMETHING = re.compile(
    r"(^|[^a-z])(id|key|nr|no|number|code|uuid|guid)$|[a-z](Id|ID|Nr|No)$"
)


@dataclass(frozen=True)
class Guess:
    """A column that may be meant, and others that may be as well.

    Attributes:
        name: the column; None if there is none.
        others: further ones.
    """

    name: str | None = None
    others: tuple[str, ...] = ()


def guess_key(columns: Sequence[Column]) -> Guess:
    """Return the column that may be KEY: one without nulls that names something and no person.

    A name that ends in id, number and the like is better than none; the first one is taken.
    """
    fitting = [column for column in columns if _may_be_key(column)]
    named = [column.name for column in fitting if names_something(column.name)]
    found = named or [column.name for column in fitting if column.unique]
    return Guess(found[0], tuple(found[1:])) if found else Guess()


def guess_date(columns: Sequence[Column], today: date) -> Guess:
    """Return the column that may be DATE_COLUMN: days without nulls, none after today."""
    found = [column.name for column in columns if _may_be_date(column, today)]
    return Guess(found[0], tuple(found[1:])) if found else Guess()


def names_something(name: str) -> bool:
    """Tell whether a column's name ends as those of keys do."""
    plain = name.strip()
    return bool(_NAMES_SOMETHING.search(plain) or _NAMES_SOMETHING.search(plain.lower()))


def _may_be_key(column: Column) -> bool:
    if not column.everywhere or not column.certain or column.nulls or column.distinct < 2:
        return False
    if column.kind not in (Kind.WHOLE, Kind.TEXT):
        return False
    return not why_personal(column.name, column.kind, column.values, is_key=True)


def _may_be_date(column: Column, today: date) -> bool:
    if column.kind not in _DAYS or not column.everywhere or column.nulls:
        return False
    if why_personal(column.name, column.kind, column.values):
        return False
    last = latest_day(column)
    return last is None or last <= today
