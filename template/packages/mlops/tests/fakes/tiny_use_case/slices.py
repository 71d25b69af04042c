import polars as pl

SLICES = {"level": pl.when(pl.col("highest") < 20).then(pl.lit("low")).otherwise(pl.lit("high"))}
