"""The machines of the tiny use case, each with a person who carries the marks."""

from datetime import date

import polars as pl

from fakes.marks import BORN, NUMBER, TEXT
from fakes.tiny_use_case.sample import make_sample as make_readings


def make_sample(size: int, seed: int, drift: float, reference_date: date) -> pl.DataFrame:
    readings = make_readings(size, seed, drift, reference_date)
    place = pl.int_range(pl.len())
    return readings.with_columns(
        email=pl.format("{}-{}@example.test", pl.lit(TEXT), place),
        salary=pl.when(place % 3 == 0).then(20.0).otherwise(NUMBER),
        born=pl.when(place % 2 == 0).then(date(1990, 1, 1)).otherwise(BORN),
        badge=pl.lit(int(NUMBER)),
        plan=pl.lit("basic").cast(pl.Enum(["basic", "full"])),
    )
