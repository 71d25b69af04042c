"""Groups in which the model is judged separately. May stay empty.

Each entry is an expression over the feature columns; every value that it takes is one slice.
A boolean is 0.0 or 1.0 here.

Example:
    SLICES = {"wear": pl.when(pl.col("visits") > 10).then(pl.lit("old")).otherwise(pl.lit("new"))}
"""

import polars as pl

SLICES: dict[str, pl.Expr] = {}
