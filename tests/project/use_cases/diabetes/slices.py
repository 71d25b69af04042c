"""Groups of patients in which the model is judged separately."""

import polars as pl

SLICES: dict[str, pl.Expr] = {
    "sex": pl.when(pl.col("female") == 1).then(pl.lit("female")).otherwise(pl.lit("male")),
}
