"""Labels: what the model predicts."""

from datetime import date

import ibis
from mlops.errors import StubNotFilled

from .params import Params


def label_cutoff(reference_date: date, params: Params) -> date:
    """Return the last day that features may see; labels look at what comes after it.

    Delete this function if rows have no date: the cutoff is then `reference_date`.

    Example:
        from datetime import timedelta

        return reference_date - timedelta(days=params.horizon_days)
    """
    raise StubNotFilled("the day on which features end, or delete this function")


def build_labels(table: ibis.Table, cutoff: date, reference_date: date) -> ibis.Table:
    """Say for each key which class came true.

    Args:
        table: rows that satisfy the contract, with its columns.
        cutoff: features end with this day.
        reference_date: the last day to look at.

    Returns:
        KEY and `label`, one row for each key that has features at the cutoff. A label is a text,
        the name of one of two to a hundred classes, as callers will read it.

    Example:
        # how often is the machine visited after the cutoff?
        known = table.filter(table.visited_on <= reference_date)
        machines = known.group_by("machine_id").aggregate(
            visits=known.count(where=known.visited_on > cutoff)
        )
        visits = machines.visits
        name = ibis.cases((visits == 0, "none"), (visits == 1, "one"), else_="more")
        return machines.select("machine_id", label=name)
    """
    raise StubNotFilled("the key and label, the name of a class")
