"""The use case's own settings: what stands under `params:` in conf/. May stay empty."""

from pydantic import BaseModel, ConfigDict


class Params(BaseModel):
    """Give each setting a default, so that conf/ needs to name only what differs.

    Example:
        horizon_days: int = Field(default=60, ge=1, description="How far labels look ahead.")
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
