"""Groups of customers in which the model is judged separately.

Each entry is an expression over the feature columns; every value that it takes is one slice.
"""

import polars as pl

_monetary = pl.col("monetary")

SLICES: dict[str, pl.Expr] = {
    "channel": pl.col("channel").fill_null("not known"),
    "spending": pl.when(_monetary < 100)
    .then(pl.lit("under 100"))
    .when(_monetary < 500)
    .then(pl.lit("100 to 500"))
    .otherwise(pl.lit("500 and more")),
}
