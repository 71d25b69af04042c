"""Events of predictions as series over time."""

from datetime import timedelta
from typing import TYPE_CHECKING

from mlops.artifacts.predictions import ANSWERED
from mlops.window import Window

if TYPE_CHECKING:
    import polars as pl

QUANTILES = (0.5, 0.95, 0.99)


_PARTS = {
    timedelta(hours=2): timedelta(minutes=1),
    timedelta(hours=12): timedelta(minutes=10),
    timedelta(days=3): timedelta(hours=1),
    timedelta(days=92): timedelta(days=1),
}
_SHORTEST = timedelta(minutes=20)


def bucket_of(window: Window) -> timedelta:
    """Return how long the parts of a window are: from a minute to a week."""
    span = window.end - window.start
    return next((part for most, part in _PARTS.items() if span <= most), timedelta(days=7))


def seen_window(rows: "pl.LazyFrame", window: Window) -> tuple[Window, timedelta]:
    """Return the time that pictures show, from the first event on, and how long its parts are."""
    import polars as pl

    first = rows.select(pl.col("time").min()).collect().item()
    start = window.start
    if first is not None:
        start = max(start, min(first, window.end - _SHORTEST))
    every = bucket_of(Window(start, window.end))
    whole = pl.Series([start, window.end - timedelta(microseconds=1)]).dt.truncate(every)
    return Window(whole[0], whole[1] + every), every


def traffic(rows: "pl.LazyFrame", every: timedelta) -> "pl.LazyFrame":
    """Return how many predictions each deployment made in each part of the time.

    Columns: time (its start), deployment, version, predictions; what `mlops score` made without an
    endpoint has the deployment `score`.
    """
    import polars as pl

    return (
        rows.group_by(
            pl.col("time").dt.truncate(every).alias("time"),
            pl.col("deployment").fill_null("score"),
            pl.col("model_version").alias("version"),
        )
        .agg(pl.len().alias("predictions"))
        .sort("time", "deployment", "version")
    )


def latency(rows: "pl.LazyFrame", every: timedelta) -> "pl.LazyFrame":
    """Return the latency of answered requests in each part of the time.

    Columns: time, p50, p95, p99 (milliseconds), requests.
    """
    import polars as pl

    answered = (pl.col("row") == 0) & (pl.col("status") == ANSWERED)
    answered &= pl.col("latency_ms").is_not_null()
    return (
        rows.filter(answered)
        .group_by(pl.col("time").dt.truncate(every).alias("time"))
        .agg(
            *(
                pl.col("latency_ms").quantile(level, "linear").alias(f"p{100 * level:.0f}")
                for level in QUANTILES
            ),
            pl.len().alias("requests"),
        )
        .sort("time")
    )


def errors(rows: "pl.LazyFrame", every: timedelta) -> "pl.LazyFrame":
    """Return the share of requests that failed, by version, in each part of the time.

    Columns: time, version, errors (0 to 1), failed, requests.
    """
    import polars as pl

    failed = pl.col("status") != ANSWERED
    return (
        rows.filter(pl.col("row") == 0)
        .group_by(
            pl.col("time").dt.truncate(every).alias("time"),
            pl.col("model_version").alias("version"),
        )
        .agg(
            failed.mean().alias("errors"),
            failed.sum().alias("failed"),
            pl.len().alias("requests"),
        )
        .sort("time", "version")
    )
