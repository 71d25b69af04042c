import pandera.polars as pa
import polars as pl

KEY = "machine"
DATE_COLUMN = "day"


class Readings(pa.DataFrameModel):
    machine: str
    day: pl.Date = pa.Field()
    reading: float = pa.Field(ge=0)


def contract() -> type[pa.DataFrameModel]:
    return Readings
