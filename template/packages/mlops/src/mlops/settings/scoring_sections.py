"""The settings of scoring without a request."""

from typing import Literal

from pydantic import Field

from mlops.settings.section import Section


class ScoreSettings(Section):
    """How `mlops score` reads, computes and writes."""

    bad_files: Literal["refuse", "skip"] = Field(
        default="refuse",
        description="What to do with a file that breaks the contract: refuse all, or leave it out "
        "and name it.",
    )
    part_rows: int = Field(
        default=100_000, ge=1, description="Keys of each file of predictions; the last has less."
    )
    memory_gb: float = Field(
        default=1.0,
        ge=0.1,
        description="What DuckDB may take to compute features, before it uses the disk.",
    )
