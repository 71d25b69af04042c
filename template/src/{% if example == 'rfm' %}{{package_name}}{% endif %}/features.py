"""Features: what is known about a customer on a given day.

Written once in ibis, they run on DuckDB on a laptop and as generated SQL on Spark.
"""

from datetime import date

import ibis


def calculate_rfm(transactions: ibis.Table, reference_date: date) -> ibis.Table:
    """Sum up each customer's purchases until `reference_date`: recency, frequency, monetary value.

    Purchases after `reference_date` are ignored, and a customer who has no others is left out.
    Several purchases on one day count as one visit, as is usual for such models (Fader, Hardie
    and Lee, "RFM and CLV: Using Iso-Value Curves for Customer Base Analysis", Journal of Marketing
    Research 42, 2005).

    Args:
        transactions: one purchase a row: customer_id, order_date, amount.
        reference_date: the last day to look at.

    Returns:
        One row a customer, in no particular order, without nulls:

        - `customer_id`
        - `recency`: days since the last purchase
        - `frequency`: days with a purchase
        - `monetary`: sum of all amounts, in their currency, rounded to the cent
        - `tenure`: days since the first purchase
        - `average_gap`: mean days from one visit to the next; for a customer with a single visit,
          the days since then
    """
    t = transactions
    past = t.filter(t.order_date <= reference_date)
    today = ibis.literal(reference_date)
    customers = (
        past.group_by("customer_id")
        .aggregate(
            first_order=past.order_date.min(),
            last_order=past.order_date.max(),
            frequency=past.order_date.nunique(),
            monetary=past.amount.sum().round(2),
        )
        .mutate(
            recency=lambda c: today.delta(c.last_order, unit="day"),
            tenure=lambda c: today.delta(c.first_order, unit="day"),
        )
    )
    gap = (customers.tenure - customers.recency) / (customers.frequency - 1).nullif(0)
    return customers.select(
        "customer_id",
        "recency",
        "frequency",
        "monetary",
        "tenure",
        average_gap=gap.fill_null(customers.tenure),
    )


build_features = calculate_rfm
