"""Tells the names of columns from a first row of values."""

import re
from collections.abc import Mapping

import polars as pl

from mlops.data.profile.kinds import Found, Kind, kind_of_text

LONGEST = 60
"""So many characters a name may have."""

_PLAIN = re.compile(r"[^\W\d_]")
"""A letter, of any script."""


def is_of_values(columns: Mapping[str, Found]) -> bool:
    """Tell whether one of the names may be a value, as in a file without a header.

    It is, if it is a number, a day or an address, has no letter or many, or stands among the
    values below it.
    """
    return any(_is_value(name) or _occurs(name, found) for name, found in columns.items())


def _is_value(name: str) -> bool:
    strange = len(name) > LONGEST or not name.isprintable() or not _PLAIN.search(name)
    if strange or "@" in name:
        return True
    return kind_of_text(pl.Series([name]), ",").kind not in (Kind.TEXT, Kind.EMPTY)


def _occurs(name: str, found: Found) -> bool:
    return found.kind is Kind.TEXT and bool((found.values.str.strip_chars() == name.strip()).any())
