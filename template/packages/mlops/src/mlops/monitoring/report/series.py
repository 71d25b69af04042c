"""Events of predictions as series over time."""

from datetime import timedelta
from typing import TYPE_CHECKING

from mlops.artifacts.predictions import ANSWERED, SCORE
from mlops.window import Window

if TYPE_CHECKING:
    import polars as pl

QUANTILES = (0.5, 0.95, 0.99)


def bucket_of(window: Window) -> timedelta:
    """Return how long the parts of a window are: an hour, a day or a week."""
    if window.days <= 3:
        return timedelta(hours=1)
    return timedelta(days=1) if window.days <= 92 else timedelta(days=7)


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

    Columns: time, p50, p95, p99 (milliseconds), requests. A request of several rows counts once a
    row.
    """
    import polars as pl

    answered = (pl.col("source") != SCORE) & (pl.col("status") == ANSWERED)
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
    """Return the share of predictions that failed, by version, in each part of the time.

    Columns: time, version, errors (0 to 1), failed, predictions.
    """
    import polars as pl

    failed = pl.col("status") != ANSWERED
    return (
        rows.filter(pl.col("source") != SCORE)
        .group_by(
            pl.col("time").dt.truncate(every).alias("time"),
            pl.col("model_version").alias("version"),
        )
        .agg(
            failed.mean().alias("errors"),
            failed.sum().alias("failed"),
            pl.len().alias("predictions"),
        )
        .sort("time", "version")
    )
