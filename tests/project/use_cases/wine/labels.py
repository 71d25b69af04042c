"""Labels: the grower's name."""

from datetime import date

import ibis


def build_labels(table: ibis.Table, cutoff: date, reference_date: date) -> ibis.Table:
    """Return `row_id` and `label`."""
    return table.select("row_id", label=table.grower)
