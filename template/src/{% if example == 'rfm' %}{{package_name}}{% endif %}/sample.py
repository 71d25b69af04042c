"""Generated purchases for trying things out: realistic, seeded, of any size.

Customers follow the BG/CNBD-k model of buying behaviour (Reutterer, Platzer and Schröder,
"Leveraging purchase regularity for predicting customer behavior the easy way", International
Journal of Research in Marketing 38, 2021), here with every parameter drawn for each customer. Two
groups, frequent and occasional buyers, have cycles of about a month and about five months. So a
pause of three months says "gone" of one customer and "due any day" of another.
"""

from datetime import date

import numpy as np
import polars as pl

HISTORY_DAYS = 3 * 365
FREQUENT_SHARE = 0.55
FREQUENT_CYCLE = (30.0, 0.45)
"""Median (days) and spread (standard deviation of the logarithm) of the frequent buyers' cycles."""
OCCASIONAL_CYCLE = (150.0, 0.35)
REGULARITY = (20.0, 50.0)
"""Range of the gamma shape of the time between purchases: 1 is random, higher is more regular."""
DROPOUT = (0.35, 5.0)
"""Beta distribution of the chance to leave after a purchase: most stay long, some leave at once."""
AMOUNT = (40.0, 0.5, 0.4)
"""Median, spread between customers and spread within one: lognormal, in any currency."""
SECOND_ORDER_SHARE = 0.06
"""Share of purchases followed by another one on the same day."""


def make_sample(size: int, seed: int, drift: float, reference_date: date) -> pl.DataFrame:
    """Generate the purchases of `size` customers over the three years up to `reference_date`.

    Nothing depends on the calendar: another reference date moves all dates and changes nothing
    else. The newest customer first buys on the reference date itself.

    Args:
        size: number of customers; each buys at least once.
        seed: the same seed gives the same data.
        drift: from 0 to 1: cycles get up to twice as long, customers leave up to three times as
            readily, and amounts grow by up to a half.
        reference_date: the day of the newest purchase.

    Returns:
        customer_id (such as "C000123"), order_date and amount (to the cent), oldest first.
    """
    rng = np.random.default_rng(seed)
    frequent = rng.random(size) < FREQUENT_SHARE
    median, spread = np.where(frequent[:, None], FREQUENT_CYCLE, OCCASIONAL_CYCLE).T
    cycle = median * np.exp(spread * rng.standard_normal(size)) * (1 + drift)
    customer, day = _purchases(
        first=_first_days(size, rng),
        cycle=cycle,
        regularity=rng.uniform(*REGULARITY, size),
        dropout=1 - (1 - rng.beta(*DROPOUT, size)) ** (1 + 2 * drift),
        rng=rng,
    )
    again = rng.random(len(customer)) < SECOND_ORDER_SHARE
    customer = np.concatenate([customer, customer[again]])
    day = np.concatenate([day, day[again]])

    median_amount, between, within = AMOUNT
    typical = np.log(median_amount * (1 + drift / 2)) + between * rng.standard_normal(size)
    amount = np.exp(typical[customer] + within * rng.standard_normal(len(customer)))
    return (
        pl.DataFrame({"customer": customer, "day": day, "amount": amount})
        .sort("day", "customer", "amount")
        .select(
            customer_id="C" + (pl.col("customer") + 1).cast(pl.String).str.zfill(6),
            order_date=reference_date + pl.duration(days=pl.col("day") - HISTORY_DAYS),
            amount=pl.col("amount").round(2),
        )
    )


def _first_days(size: int, rng: np.random.Generator) -> np.ndarray:
    """Draw the day (from 0, with a fraction) of each customer's first purchase, oldest first."""
    days = np.sort(rng.random(size) * (HISTORY_DAYS + 1))
    days[-1] = HISTORY_DAYS
    return days


def _purchases(
    first: np.ndarray,
    cycle: np.ndarray,
    regularity: np.ndarray,
    dropout: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Let all customers buy in rounds until each has left or the history ends.

    Returns:
        Customer index and day of every purchase, as two int32 arrays of the same length.
    """
    customer = np.arange(len(first), dtype=np.int32)
    time = first
    customers, days = [customer], [time.astype(np.int32)]
    while customer.size:
        stays = rng.random(customer.size) >= dropout[customer]
        customer, time = customer[stays], time[stays]
        shape = regularity[customer]
        time = time + rng.gamma(shape, cycle[customer] / shape)
        inside = time < HISTORY_DAYS + 1
        customer, time = customer[inside], time[inside]
        customers.append(customer)
        days.append(time.astype(np.int32))
    return np.concatenate(customers), np.concatenate(days)
