from datetime import date
from typing import Any

import pandera.polars as pa
import polars as pl

KEY = "machine"
DATE_COLUMN = "day"
PERSONAL = {"personal": True}


class Readings(pa.DataFrameModel):
    machine: str
    day: pl.Date = pa.Field()
    reading: float = pa.Field(ge=0)
    email: str = pa.Field(str_contains="@", metadata=PERSONAL)
    salary: float = pa.Field(ge=0, metadata=PERSONAL)
    born: pl.Date = pa.Field(metadata={**PERSONAL, "days": (date(1850, 1, 1), date(2200, 1, 1))})
    badge: int = pa.Field(metadata=PERSONAL)
    plan: pl.Enum = pa.Field(dtype_kwargs={"categories": ["basic", "full"]}, metadata=PERSONAL)

    @pa.check("email", name="email_fails")
    def email_fails(cls, data: Any) -> Any:  # noqa: N805
        """Fails on what no e-mail address is, and says of which one."""
        for value in data.lazyframe.collect()["email"]:
            if value and "broken" in value:
                raise ValueError(value)
        return True

    @pa.dataframe_check(name="earns_enough")
    def earns_enough(cls, data: Any) -> Any:  # noqa: N805
        """Fails on whole rows."""
        return data.lazyframe.select(pl.col("salary") > 1.0)

    class Config:
        name = "reading"  # as a column is called, too


def contract() -> type[pa.DataFrameModel]:
    return Readings
