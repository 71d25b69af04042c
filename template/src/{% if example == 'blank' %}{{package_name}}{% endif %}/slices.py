"""Groups in which the model is judged separately. May stay empty.

Each entry is an expression over the feature columns; every value that it takes is one slice.

Example:
    SLICES = {"wear": pl.when(pl.col("visits") > 10).then(pl.lit("old")).otherwise(pl.lit("new"))}
"""

import polars as pl

SLICES: dict[str, pl.Expr] = {}
