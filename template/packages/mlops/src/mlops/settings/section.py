"""What all sections of the settings have in common."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A frozen section, which refuses a key that it does not have."""

    model_config = ConfigDict(extra="forbid", frozen=True)
