"""Groups of wines in which the model is judged separately."""

import polars as pl

SLICES: dict[str, pl.Expr] = {
    "strength": pl.when(pl.col("alcohol") < 13).then(pl.lit("light")).otherwise(pl.lit("strong")),
}
