"""What a raw table must look like: one patient a row."""

import pandera.polars as pa

KEY = "row_id"


class Patients(pa.DataFrameModel):
    """Some measurements as they are, and a measure of progression after one year."""

    row_id: int = pa.Field(ge=0)
    age: float = pa.Field(ge=0, le=130)
    female: bool = pa.Field()
    bmi: float = pa.Field(gt=0, lt=100)
    bp: float = pa.Field(gt=0, lt=300)
    s5: float = pa.Field(gt=0, lt=20)
    progression: float = pa.Field(ge=0, le=1000)


def contract() -> type[pa.DataFrameModel]:
    """Return the model that every raw table has to satisfy."""
    return Patients
