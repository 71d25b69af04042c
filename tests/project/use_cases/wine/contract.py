"""What a raw table must look like: the chemical analysis of one wine a row."""

import pandera.polars as pa

KEY = "row_id"


class Wines(pa.DataFrameModel):
    """Some of the measurements, and the grower."""

    row_id: int = pa.Field(ge=0)
    alcohol: float = pa.Field(gt=0, le=100)
    flavanoids: float = pa.Field(ge=0, lt=100)
    color_intensity: float = pa.Field(ge=0, lt=100)
    proline: float = pa.Field(ge=0, lt=10_000)
    hue: float = pa.Field(ge=0, lt=10)
    grower: str = pa.Field(isin=["class_0", "class_1", "class_2"])


def contract() -> type[pa.DataFrameModel]:
    """Return the model that every raw table has to satisfy."""
    return Wines
