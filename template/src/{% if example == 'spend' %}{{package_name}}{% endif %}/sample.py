"""Generated purchases for trying things out: realistic, seeded, of any size.

Customers follow the BG/CNBD-k model of buying behaviour (Reutterer, Platzer and Schröder,
"Leveraging purchase regularity for predicting customer behavior the easy way", International
Journal of Research in Marketing 38, 2021), here with every parameter drawn for each customer. How
often and how much they buy, and how soon they leave, depends on their channel and country.
"""

from datetime import date

import numpy as np
import polars as pl

HISTORY_DAYS = 3 * 365
CYCLE = (45.0, 0.5)
"""Median (days) and spread (standard deviation of the logarithm) of customers' cycles."""
REGULARITY = (5.0, 30.0)
"""Range of the gamma shape of the time between purchases: 1 is random, higher is more regular."""
DROPOUT = (0.5, 5.0)
"""Beta distribution of the chance to leave after a purchase: most stay long, some leave at once."""
AMOUNT = (40.0, 0.2, 0.6)
"""Median, spread between customers and spread within one: lognormal, in any currency."""
CHANNELS = {
    "app": (0.40, 0.7, 0.7),
    "web": (0.35, 1.0, 1.0),
    "store": (0.18, 1.3, 1.2),
    "phone": (0.07, 2.5, 2.0),
}
"""Share of the customers; factors of the amounts and of the chance to leave."""
USUAL_CHANNEL = 0.85
"""Chance that a purchase comes by the customer's usual channel; else by any."""
CHANNEL_UNKNOWN = 0.08
"""Share of purchases whose channel nobody noted."""
COUNTRIES = {
    "DE": (1.2, 0.5),
    "FR": (0.9, 1.5),
    "GB": (1.5, 0.8),
    "ES": (0.5, 2.5),
    "IT": (0.6, 2.0),
    "NL": (1.2, 0.5),
    "PL": (0.4, 1.5),
    "BE": (1.0, 1.0),
    "AT": (1.2, 0.5),
    "CH": (2.0, 0.5),
    "SE": (1.5, 0.8),
    "CZ": (0.4, 1.5),
    "PT": (0.5, 2.5),
    "DK": (1.6, 0.8),
    "IE": (1.2, 1.0),
    "FI": (1.2, 1.0),
    "NO": (1.8, 2.0),
    "HU": (0.4, 2.0),
    "GR": (0.5, 3.0),
    "RO": (0.4, 2.5),
    "SK": (0.5, 1.5),
    "LU": (1.8, 0.5),
    "HR": (0.5, 2.5),
    "EE": (0.6, 1.5),
    "IS": (1.8, 3.0),
}
"""Factors of the amounts and of the chance to leave, the most frequent country first."""
TAIL = 1.2
"""The share of the n-th country falls as 1 / n to this power (Zipf): the last ones are rare."""


def make_sample(size: int, seed: int, drift: float, reference_date: date) -> pl.DataFrame:
    """Generate the purchases of `size` customers over the three years up to `reference_date`.

    Nothing depends on the calendar: another reference date moves all dates and changes nothing
    else. The newest customer first buys on the reference date itself.

    Args:
        size: number of customers; each buys at least once.
        seed: the same seed gives the same data.
        drift: from 0 to 1: cycles get up to twice as long, amounts grow by up to a half, and
            customers come from rare countries more often.
        reference_date: the day of the newest purchase.

    Returns:
        customer_id (such as "C000123"), order_date, amount (to the cent), channel (some null) and
        country, oldest first.
    """
    rng = np.random.default_rng(seed)
    shares, baskets, leaving = np.array(list(CHANNELS.values())).T
    prices, leaving_there = np.array(list(COUNTRIES.values())).T
    of_country = np.arange(1.0, len(COUNTRIES) + 1) ** (-TAIL * (1 - drift / 2))
    usual = rng.choice(len(CHANNELS), size, p=shares)
    home = rng.choice(len(COUNTRIES), size, p=of_country / of_country.sum())

    median, spread = CYCLE
    customer, day = _purchases(
        first=_first_days(size, rng),
        cycle=median * np.exp(spread * rng.standard_normal(size)) * (1 + drift),
        regularity=rng.uniform(*REGULARITY, size),
        dropout=1 - (1 - rng.beta(*DROPOUT, size)) ** (leaving[usual] * leaving_there[home]),
        rng=rng,
    )
    another = rng.choice(len(CHANNELS), len(customer), p=shares)
    channel = np.where(rng.random(len(customer)) < USUAL_CHANNEL, usual[customer], another)
    noted = rng.random(len(customer)) >= CHANNEL_UNKNOWN

    median, between, within = AMOUNT
    typical = median * (1 + drift / 2) * prices[home] * np.exp(between * rng.standard_normal(size))
    noise = np.exp(within * rng.standard_normal(len(customer)))
    return (
        pl.DataFrame(
            {
                "customer": customer,
                "day": day,
                "amount": typical[customer] * baskets[channel] * noise,
                "channel": np.array(list(CHANNELS))[channel],
                "country": np.array(list(COUNTRIES))[home[customer]],
                "noted": noted,
            }
        )
        .sort("day", "customer", "amount")
        .select(
            customer_id="C" + (pl.col("customer") + 1).cast(pl.String).str.zfill(6),
            order_date=reference_date + pl.duration(days=pl.col("day") - HISTORY_DAYS),
            amount=pl.col("amount").round(2),
            channel=pl.when("noted").then("channel"),
            country="country",
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
