import pandera.polars as pa
import polars as pl

KEY = "shop"
DATE_COLUMN = "day"


class Days(pa.DataFrameModel):
    shop: str
    day: pl.Date = pa.Field()
    amount: float = pa.Field(nullable=True)
    visits: pl.Int64 = pa.Field(ge=0)
    open: pl.Boolean = pa.Field(nullable=True)
    colour: str = pa.Field(nullable=True)


def contract() -> type[pa.DataFrameModel]:
    return Days
