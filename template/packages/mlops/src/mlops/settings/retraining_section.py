"""The settings of retraining: what is reason enough, and how often it may be tried."""

from pydantic import Field, ValidationInfo, field_validator

from mlops.settings.section import Section


class RetrainingSettings(Section):
    """When the model that serves is trained again, by itself or by `mlops retrain`."""

    windows: int = Field(
        default=5, ge=1, le=100, description="The newest windows of drift that are looked at."
    )
    drifted_windows: int = Field(
        default=2,
        ge=1,
        validate_default=True,
        description="So many of them must have drifted, the newest one among them.",
    )
    apart_days: float = Field(
        default=0.9,
        gt=0,
        description="Checks whose windows end closer together than this are one window: the "
        "newest of them counts. A daily schedule starts some minutes early or late.",
    )
    newest_days: float = Field(
        default=2.0,
        gt=0,
        description="What was found longer ago than this says nothing about now.",
    )
    max_age_days: float | None = Field(
        default=180.0,
        gt=0,
        description="A version that was made longer ago is trained again; null: age is no reason.",
    )
    cooldown_days: float = Field(
        default=7.0,
        ge=0,
        description="After a candidate began, no other begins by itself for so long.",
    )
    patience_hours: float = Field(
        default=24.0,
        gt=0,
        description="A candidate of which nothing was heard for so long counts as ended without a "
        "release. Longer than training and approvals take.",
    )
    refusals: int = Field(
        default=3,
        ge=1,
        description="After so many candidates that did not replace the version that serves, "
        "nothing is trained by itself any more, and somebody is told.",
    )
    memory_days: float = Field(
        default=90.0,
        gt=0,
        le=3650,
        validate_default=True,
        description="How far back decisions are read.",
    )

    @field_validator("drifted_windows")
    @classmethod
    def _fits_the_windows(cls, value: int, info: ValidationInfo) -> int:
        windows = info.data.get("windows", value)
        if value > windows:
            raise ValueError(f"must be at most retraining.windows, {windows}")
        return value

    @field_validator("memory_days")
    @classmethod
    def _outlasts_the_refusals(cls, value: float, info: ValidationInfo) -> float:
        days = info.data.get("cooldown_days", 0.0) * (info.data.get("refusals", 0) + 1)
        if value < days:
            raise ValueError(
                f"must be at least {days:g}: retraining.cooldown_days after each of "
                "retraining.refusals, and once more"
            )
        return value
