"""Groups of penguins in which the model is judged separately."""

import polars as pl

SLICES: dict[str, pl.Expr] = {"island": pl.col("island")}
