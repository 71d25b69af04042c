"""What a raw table must look like. Fill this first.

KEY names the column that says whom or what a row is about: a customer, a machine. DATE_COLUMN names
the column that dates a row, or is None where rows have no date.

The examples in this folder belong together: what comes of the visits that repair machines? There
KEY is "machine_id", and DATE_COLUMN "visited_on".
"""

import pandera.polars as pa
from mlops.errors import StubNotFilled

KEY = "fill_in_your_key_column"
DATE_COLUMN: str | None = None


def contract() -> type[pa.DataFrameModel]:
    """Return the pandera model that every raw table has to satisfy.

    Write a class with one line for each column that you use, and return it here. The checks (`ge`,
    `isin`, `str_matches` …) are listed at https://pandera.readthedocs.io. With
    `metadata={"personal": True}` no message or artifact shows a column's values. A label that stands
    in the row is `… | None` and nullable: rows that are to be predicted have none yet.

    Example:
        import polars as pl

        class Visits(pa.DataFrameModel):
            machine_id: str = pa.Field(str_length={"min_value": 1})
            visited_on: pl.Date = pa.Field()
            cost: float = pa.Field(ge=0, nullable=True)
            site: str = pa.Field(nullable=True)

        return Visits
    """
    raise StubNotFilled("the columns of your raw data; set KEY and DATE_COLUMN as well")
