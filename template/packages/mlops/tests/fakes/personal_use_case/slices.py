import polars as pl

SLICES = {"earns_well": pl.col("earns_well")}
