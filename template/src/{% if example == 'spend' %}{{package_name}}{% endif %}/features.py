"""Features: what is known about a customer on a given day, numbers and categories.

Written once in ibis, they run on DuckDB on a laptop and as generated SQL on Spark.
"""

from datetime import date

import ibis


def build_features(transactions: ibis.Table, reference_date: date) -> ibis.Table:
    """Sum up each customer's purchases until `reference_date`.

    Purchases after `reference_date` are ignored, and a customer who has no others is left out.
    Several purchases on one day count as one visit, as in the example on whether customers buy
    again (Fader, Hardie and Lee, "RFM and CLV: Using Iso-Value Curves for Customer Base Analysis",
    Journal of Marketing Research 42, 2005). How long ago the first purchase was is no feature: the
    customers of the holdout are newer than all of training.

    Args:
        transactions: one purchase a row: customer_id, order_date, amount, channel, country.
        reference_date: the last day to look at.

    Returns:
        One row a customer, in no particular order:

        - `customer_id`
        - `recency`: days since the last purchase
        - `frequency`: days with a purchase
        - `monetary`: sum of all amounts, in their currency, rounded to the cent
        - `average_visit`: `monetary` by `frequency`
        - `average_gap`: mean days from one visit to the next; for a customer with a single visit,
          the days since then
        - `channel`, `country`: the most frequent of the customer's purchases; of several the first
          in the alphabet. The channel is null where none was ever noted.
        - `first_order`: the day of the first purchase, by which customers are held out; no feature
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
    return (
        customers.mutate(
            average_visit=customers.monetary / customers.frequency,
            average_gap=gap.fill_null(customers.tenure),
        )
        .left_join(_most_frequent(past, "channel"), "customer_id")
        .drop("customer_id_right")
        .left_join(_most_frequent(past, "country"), "customer_id")
        .select(
            *("customer_id", "recency", "frequency", "monetary", "average_visit", "average_gap"),
            *("channel", "country", "first_order"),
        )
    )


def _most_frequent(past: ibis.Table, column: str) -> ibis.Table:
    """Return `customer_id` and the most frequent value of `column`; customers without one miss."""
    known = past.filter(past[column].notnull())
    counted = known.group_by("customer_id", column).aggregate(purchases=known.count())
    window = ibis.window(
        group_by="customer_id", order_by=[ibis.desc("purchases"), ibis.asc(column)]
    )
    ranked = counted.mutate(place=ibis.row_number().over(window))
    return ranked.filter(ranked.place == 0).select("customer_id", column)
