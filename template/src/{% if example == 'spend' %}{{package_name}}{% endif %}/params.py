"""The use case's own settings: what stands under `params:` in conf/."""

from pydantic import BaseModel, ConfigDict, Field


class Params(BaseModel):
    """The question that the model answers, and how it learns."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    horizon_days: int = Field(default=60, ge=1, description="Label: spent within so many days.")
    learning_rate: float = Field(default=0.05, gt=0, le=1, description="Weight of each new tree.")
    max_iter: int = Field(default=150, ge=1, description="Number of trees.")
    max_leaf_nodes: int = Field(default=8, ge=2, description="Leaves a tree; more: finer patterns.")
    min_samples_leaf: int = Field(default=100, ge=1, description="Fewest customers in a leaf.")
    l2_regularization: float = Field(default=1.0, ge=0, description="Shrinks each tree's answers.")
