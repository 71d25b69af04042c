"""Labels: how much did the customer spend? Features end on the cutoff, where the window begins."""

from datetime import date, timedelta

import ibis

from .params import Params


def label_cutoff(reference_date: date, params: Params) -> date:
    """Return the last day that features may see: `horizon_days` before `reference_date`."""
    return reference_date - timedelta(days=params.horizon_days)


def build_labels(transactions: ibis.Table, cutoff: date, reference_date: date) -> ibis.Table:
    """Add up what each customer spent after `cutoff`, until and including `reference_date`.

    Returns:
        One row a customer who had bought by `cutoff`: `customer_id` and `label`, the sum of the
        amounts in the window, rounded to the cent; 0 for who bought nothing.
    """
    t = transactions
    known = t.filter(t.order_date <= reference_date)
    in_window = known.order_date > cutoff
    customers = known.group_by("customer_id").aggregate(
        first_order=known.order_date.min(),
        label=known.amount.sum(where=in_window).fill_null(0.0).round(2),
    )
    return customers.filter(customers.first_order <= cutoff).select("customer_id", "label")
