"""How the model is fitted and read."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

BEST_F1 = "best-f1"
"""What `training.decision_threshold` says to have the threshold chosen."""


class TrainingSettings(BaseModel):
    """How the model is fitted and read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = Field(default=42, description="Seed of everything random in training.")
    decision_threshold: float | Literal["best-f1"] = Field(
        default=0.5,
        description="Probability from which the prediction is 1, or best-f1: the one at which F1 "
        "is highest in a cross-validation on the training part; of a binary model alone.",
    )
    cross_validation: int = Field(
        default=0,
        ge=0,
        le=50,
        description="Folds of the training part on which metrics are computed as well; 0: none.",
    )
    max_categories: int = Field(
        default=50,
        ge=1,
        le=10_000,
        description="So many values of a text feature get a code of their own, the most frequent "
        "ones; the others share one.",
    )
    min_category_rows: int = Field(
        default=10,
        ge=1,
        description="Rows of the training part that a value of a text feature needs for that.",
    )

    @field_validator("decision_threshold", mode="before")
    @classmethod
    def _is_a_probability_or_a_rule(cls, value: Any) -> Any:
        """Refuse in one sentence what is neither, as the type alone would say it in two."""
        if value == BEST_F1:
            return value
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = 0.0
        if isinstance(value, bool) or not 0 < number < 1:
            raise ValueError(f"must be a number between 0 and 1, or {BEST_F1}")
        return number

    @field_validator("cross_validation")
    @classmethod
    def _has_folds_to_compare(cls, value: int) -> int:
        if value == 1:
            raise ValueError("must be 0 (none) or at least 2: one fold has nothing to fit on")
        return value
