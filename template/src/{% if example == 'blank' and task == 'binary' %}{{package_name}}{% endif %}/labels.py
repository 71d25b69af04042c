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
    """Say for each key whether what you predict came true.

    Args:
        table: rows that satisfy the contract, with its columns.
        cutoff: features end with this day.
        reference_date: the last day to look at.

    Returns:
        KEY and `label` (0 or 1), one row for each key that has features at the cutoff.

    Example:
        # is the machine visited after the cutoff?
        known = table.filter(table.visited_on <= reference_date)
        return known.group_by("machine_id").aggregate(
            label=(known.visited_on.max() > cutoff).cast("int8")
        )
    """
    raise StubNotFilled("the key and label, 0 or 1")
