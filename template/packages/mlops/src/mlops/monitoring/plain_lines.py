"""A file of a server in which every line is an event of the plainest form, read as one table.

A server of a model with two classes writes nothing else. It is read many times faster than line by
line, so that a look at a whole busy day takes seconds. Where one line is of another form, nothing
is returned, and the file is read line by line: what is read is the same either way.
"""

from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

from mlops.artifacts.predictions import ANSWERED, DIRECT, event_schema
from mlops.window import Window

if TYPE_CHECKING:
    import polars as pl

LONGEST = 1_000_000_000
"""A file of more bytes is read line by line, which needs little memory."""
_FEATURES, _NO_FEATURES = b'"features":{', b'"features":null'
_HALVES = (b"\\ud", b"\\uD")
"""What may be half a character."""
_TIME = "%Y-%m-%dT%H:%M:%S%.6f+00:00"
_TIME_BYTES = 32


def read_plain(path: Path, window: Window, schema: int) -> "tuple[pl.DataFrame, int] | None":
    """Return the events of a file in a window and how many were dropped; None: it is not plain.

    Args:
        path: the file.
        window: when the predictions were made.
        schema: that of its lines.

    Raises:
        OSError: it cannot be read.
    """
    import polars as pl

    if not 0 < path.stat().st_size <= LONGEST:
        return None
    content = path.read_bytes()
    # where no backslash is, which is seen at once, no half is
    halves = b"\\" in content and any(each in content for each in _HALVES)
    if halves or not content.endswith(b"}\n"):
        return None
    told = event_schema()
    columns = {
        **{name: told[name] for name in _KEPT},
        "schema": pl.Int64(),
        "time": pl.String(),
        "prediction": pl.Int64(),
        "probability": pl.Float64(),
        "dropped": pl.Int64(),
    }
    try:
        lines = pl.read_ndjson(content, schema=columns)
    except pl.exceptions.PolarsError:
        return None
    if content.count(b"\n") != len(lines):
        return None
    events = lines.filter(pl.col("dropped").is_null())
    # within a text the quotation marks would stand behind a backslash
    has, without = content.count(_FEATURES), content.count(_NO_FEATURES)
    if (has, without) not in ((len(events), 0), (0, len(events))):
        return None
    if not lines.select(_is_dated(schema)).to_series().all() or not _are_plain(events):
        return None
    inside = _inside(lines, window)
    dropped = int(inside["dropped"].sum())
    rows = inside.filter(pl.col("dropped").is_null() & (pl.col("source") != DIRECT)).select(
        *_KEPT,
        pl.col("time").str.to_datetime(_TIME, time_unit="us", time_zone="UTC"),
        pl.col("prediction").cast(pl.String),
        pl.col("probability").alias("value"),
        pl.lit(None, told["probabilities"]).alias("probabilities"),
        pl.lit(has > 0).alias("has_features"),
    )
    return rows.select(list(told)), dropped


_KEPT = (
    "inference_id",
    "key",
    "source",
    "endpoint",
    "deployment",
    "model_name",
    "model_version",
    "latency_ms",
    "status",
    "error_type",
    "row",
)


def _is_dated(schema: int) -> "pl.Expr":
    """Return whether each line has a time as servers write it, and the right schema."""
    import polars as pl

    time = pl.col("time")
    dated = (time.str.len_bytes() == _TIME_BYTES) & time.str.ends_with("+00:00")
    return (dated & (pl.col("schema") == schema)).fill_null(value=False)


def _are_plain(events: "pl.DataFrame") -> bool:
    """Tell whether all events have what every event has, and a probability with each answer."""
    import polars as pl

    there = [pl.col(name).is_not_null() for name in ("source", *_NUMBERS)]
    answered = pl.col("prediction").is_not_null()
    alike = answered == pl.col("probability").is_not_null()
    explained = answered | (pl.col("status") != ANSWERED)
    return bool(events.select(pl.all_horizontal(*there, alike, explained)).to_series().all())


_NUMBERS = ("model_version", "latency_ms", "status", "row")


def _inside(lines: "pl.DataFrame", window: Window) -> "pl.DataFrame":
    """Return the lines of a window, by their times as texts, which are in the same order."""
    import polars as pl

    start, end = (
        time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
        for time in (window.start, window.end)
    )
    time = pl.col("time")
    return lines.filter((time >= start) & (time < end))
