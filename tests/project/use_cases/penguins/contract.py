"""What a raw table must look like: one penguin a row."""

import pandera.polars as pa

KEY = "row_id"


class Penguins(pa.DataFrameModel):
    """Where it lives, how large it is, and its species."""

    row_id: int = pa.Field(ge=0)
    island: str = pa.Field()
    sex: str = pa.Field(nullable=True, isin=["female", "male"])
    bill_length_mm: float = pa.Field(nullable=True, gt=0, lt=200)
    body_mass_g: float = pa.Field(nullable=True, gt=0, lt=20_000)
    species: str = pa.Field(isin=["Adelie", "Chinstrap", "Gentoo"])


def contract() -> type[pa.DataFrameModel]:
    """Return the model that every raw table has to satisfy."""
    return Penguins
