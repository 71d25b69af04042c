"""Labels: did the customer buy again? Features end on the cutoff, where the label window begins."""

from datetime import date, timedelta

import ibis

from .params import Params


def label_cutoff(reference_date: date, params: Params) -> date:
    """Return the last day that features may see: `horizon_days` before `reference_date`."""
    return reference_date - timedelta(days=params.horizon_days)


def build_labels(transactions: ibis.Table, cutoff: date, reference_date: date) -> ibis.Table:
    """Tell which customers bought after `cutoff`, until and including `reference_date`.

    Returns:
        One row a customer who had bought by `cutoff`: `customer_id` and `label`, 1 if they bought
        again in the window and else 0.
    """
    t = transactions
    known = t.filter(t.order_date <= reference_date)
    customers = known.group_by("customer_id").aggregate(
        first_order=known.order_date.min(), last_order=known.order_date.max()
    )
    return customers.filter(customers.first_order <= cutoff).select(
        "customer_id", label=lambda c: (c.last_order > cutoff).cast("int8")
    )
