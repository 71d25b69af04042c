"""Groups of customers in which the model is judged separately.

Each entry is an expression over the feature columns; every value that it takes is one slice.
"""

import polars as pl

_recency = pl.col("recency")
_monetary = pl.col("monetary")

SLICES: dict[str, pl.Expr] = {
    "last purchase": pl.when(_recency <= 30)
    .then(pl.lit("within 30 days"))
    .when(_recency <= 180)
    .then(pl.lit("31 to 180 days ago"))
    .otherwise(pl.lit("longer ago")),
    "loyalty": pl.when(pl.col("frequency") <= 2)
    .then(pl.lit("new (1 or 2 visits)"))
    .otherwise(pl.lit("established")),
    "spending": pl.when(_monetary < 100)
    .then(pl.lit("under 100"))
    .when(_monetary < 500)
    .then(pl.lit("100 to 500"))
    .otherwise(pl.lit("500 and more")),
}
