"""The settings of data: where they are, what they must satisfy, what is held out."""

import re
from datetime import date
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from mlops.settings.section import Section


class SampleSettings(Section):
    """The generated data of the source `sample`."""

    size: int = Field(default=20_000, ge=50, description="How many entities to generate.")
    seed: int = Field(default=7, description="The same seed gives the same data.")
    drift: float = Field(
        default=0.0, ge=0, le=1, description="0 none, 1 a strong change of behaviour."
    )


class DataSettings(Section):
    """Where the raw data is and what it must satisfy beyond the contract."""

    source: Literal["sample", "folder"] = Field(
        default="sample",
        description="`sample` generates data on the spot; `folder` reads data.folder.",
    )
    folder: str = Field(
        default="data", description="Folder of Parquet or CSV files, from the root."
    )
    reference_date: date | None = Field(
        default=None, description="The day that counts as today; null is the current day (UTC)."
    )
    max_age_days: int | None = Field(
        default=30,
        ge=0,
        le=36_500,
        description="The newest row may be this old at most; null switches this off.",
    )
    unique_key: tuple[str, ...] | None = Field(
        default=None,
        description="Columns that identify a row; [] makes repeated rows a warning only. "
        "null: KEY where rows have no date, else [].",
    )
    ignore: tuple[str, ...] = Field(
        default=(),
        description="Patterns of files that are not read, such as old/*.xlsx.",
    )
    fraction: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="Share of the entities that are used, the same ones each time; 1 is all.",
    )
    show_values: bool = Field(
        default=True,
        description="Messages, results of the validation and errors quote the data; false: "
        "counts and kinds only.",
    )
    sample: SampleSettings = SampleSettings()

    @field_validator("reference_date", mode="before")
    @classmethod
    def _is_written_as_a_day(cls, value: Any) -> Any:
        """Refuse what pydantic would take for a day: seconds since 1970, a time, a short year."""
        day = value
        if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            day = date.fromisoformat(value)
        if day is None or (type(day) is date and date(1900, 1, 1) <= day <= date(2200, 12, 31)):
            return day
        raise ValueError("must be a day from 1900 to 2200, written as 2026-06-30")


class SplitSettings(Section):
    """The holdout: a share of the entities, drawn by a hash or the newest ones."""

    by: Literal["key", "time"] = Field(
        default="key",
        description="`key` holds out what a hash of the key draws; `time` the newest entities.",
    )
    holdout_fraction: float = Field(
        default=0.25, gt=0, lt=1, description="Share of entities held out."
    )
    salt: str = Field(default="holdout", description="Changing it draws another holdout.")
    key: str | None = Field(
        default=None,
        min_length=1,
        description="A column that features.py returns: entities with the same value of it are "
        "on one side, and it is no feature. null: each entity by itself.",
    )
    date: str | None = Field(
        default=None,
        min_length=1,
        validate_default=True,
        description="For split.by: time. The column that features.py returns with the date of each "
        "entity; it is no feature.",
    )
    gap_days: int = Field(
        default=0,
        ge=0,
        le=36_500,
        description="For split.by: time. Training rows less than so many days before the holdout "
        "are cut away: as many days as labels look ahead.",
    )

    @field_validator("date")
    @classmethod
    def _is_the_one_of_a_split_in_time(cls, value: str | None, info: ValidationInfo) -> str | None:
        by = info.data.get("by", "time" if value else "key")
        if by == "time" and value is None:
            raise ValueError(
                "split.by: time needs it: set split.date in conf/base.yaml to the column with the "
                "date of each entity, which build_features in features.py returns"
            )
        if by == "key" and value is not None:
            raise ValueError("needs split.by: time")
        return value

    @field_validator("gap_days")
    @classmethod
    def _is_of_a_split_in_time(cls, value: int, info: ValidationInfo) -> int:
        if value and info.data.get("by", "time") != "time":
            raise ValueError("needs split.by: time")
        return value
