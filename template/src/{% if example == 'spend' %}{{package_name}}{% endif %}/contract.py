"""What a raw table must look like: one purchase a row.

To change the contract, edit the class: one line a column, `name: type = pa.Field(checks)`.
A column may be missing values with `nullable=True`. The checks (`ge`, `isin`, `str_matches` …) are
listed at https://pandera.readthedocs.io. A column that the class does not name is ignored.
Repeated rows, future dates and stale data are checked as `data:` in conf/base.yaml says.
"""

import math

import pandera.polars as pa
import polars as pl

KEY = "customer_id"
DATE_COLUMN = "order_date"


class Transactions(pa.DataFrameModel):
    """One purchase: who, when, how much, by which way and in which country."""

    customer_id: str = pa.Field(str_length={"min_value": 1})
    order_date: pl.Date = pa.Field()
    amount: float = pa.Field(ge=0, lt=math.inf, description="In your currency; not NaN.")
    channel: str = pa.Field(nullable=True, description="Null where nobody noted it.")
    country: str = pa.Field(str_matches="^[A-Z]{2}$", description="Two letters, as ISO 3166 has.")


def contract() -> type[pa.DataFrameModel]:
    """Return the model that every raw table has to satisfy."""
    return Transactions
