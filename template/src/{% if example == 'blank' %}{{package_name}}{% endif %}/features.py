"""Features: what is known about each key on a given day: numbers and categories."""

from datetime import date

import ibis
from mlops.errors import StubNotFilled


def build_features(table: ibis.Table, reference_date: date) -> ibis.Table:
    """Turn raw rows into one row for each key.

    Args:
        table: rows that satisfy the contract, with its columns.
        reference_date: the last day to look at; ignore rows after it. Without dates, ignore it.

    Returns:
        The column KEY, which does not repeat, and one column a feature: numbers, booleans or
        strings, also null where a value is missing. A string is a category: callers send it, and
        the model sees a code. A row depends on this key's raw rows alone. What the label is made of
        must not be among the features.

    Example:
        past = table.filter(table.visited_on <= reference_date)
        return past.group_by("machine_id").aggregate(
            visits=past.count(), mean_cost=past.cost.mean(), site=past.site.max()
        )
    """
    raise StubNotFilled("one row of features for each key")
