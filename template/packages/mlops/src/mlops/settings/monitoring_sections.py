"""The settings of watching a model that serves: telemetry, drift, late labels, alerts."""

from typing import Literal

from pydantic import Field

from mlops.settings.section import Section


class TelemetrySettings(Section):
    """What is kept of each prediction, and for how long."""

    enabled: bool = Field(
        default=True, description="Write an event of each prediction; without, nothing is watched."
    )
    keys: bool = Field(
        default=False, description="Events of predictions name the key: whom or what they are of."
    )
    features: bool = Field(
        default=True,
        description="Events of predictions hold the features, but never those declared personal; "
        "without, drift sees predictions alone.",
    )
    queue: int = Field(
        default=10_000,
        ge=1,
        description="Events that a server lets wait to be written; what comes beyond is dropped "
        "and counted.",
    )
    keep_days: int = Field(
        default=90,
        ge=1,
        le=3650,
        description="Events on this machine are removed after so many days.",
    )
    keep_gb: float = Field(
        default=2.0,
        gt=0,
        description="The oldest events of an endpoint on this machine give way beyond this.",
    )


class DriftSettings(Section):
    """When the data that a model is asked about counts as other than what it was trained on."""

    days: float = Field(
        default=7.0, gt=0, le=3650, description="The newest days of events that are looked at."
    )
    alpha: float = Field(
        default=0.01,
        gt=0,
        le=0.5,
        description="How often a whole check of unchanged data may find drift, whatever the number "
        "of columns.",
    )
    min_rows: int = Field(
        default=100, ge=20, description="With fewer rows there is not enough to say anything."
    )
    psi: float = Field(
        default=0.2, gt=0, description="Limit of a column's population stability index."
    )
    jensen_shannon: float = Field(
        default=0.1, gt=0, le=1, description="Limit of a column's Jensen-Shannon distance."
    )
    wasserstein: float = Field(
        default=0.1,
        gt=0,
        description="Limit of a number's Wasserstein distance, in standard deviations.",
    )
    missing: float = Field(
        default=0.05,
        gt=0,
        le=1,
        description="How far a column's share of missing values may move, as a difference.",
    )
    new_categories: float = Field(
        default=0.01,
        gt=0,
        le=1,
        description="How far the share of names without a code of their own may rise, as a "
        "difference.",
    )


class FeedbackSettings(Section):
    """Where labels come from that are known only later, and when they are all there."""

    source: str | None = Field(
        default=None,
        min_length=1,
        description="File of labels, or folder of raw data over which labels.py runs, from the "
        "root; null: named at each call.",
    )
    days: float = Field(
        default=30.0,
        gt=0,
        le=3650,
        description="The days of predictions that are judged, the newest whose label is due.",
    )
    delay_days: float = Field(
        default=0.0,
        ge=0,
        le=3650,
        description="Days after a prediction until its label is known: only older predictions are "
        "judged.",
    )
    min_rows: int = Field(
        default=100,
        ge=1,
        description="With fewer labelled predictions there is not enough to say anything.",
    )


Receiver = Literal["teams", "slack", "pager"]


class AlertSettings(Section):
    """The limits of observability/alerts.yaml, and who is told."""

    latency_ms: float = Field(
        default=500.0, gt=0, description="An alarm where the 95th percentile is longer."
    )
    error_rate: float = Field(
        default=0.05, gt=0, lt=1, description="An alarm where a larger share of requests failed."
    )
    drift_checks: int = Field(
        default=1, ge=1, description="An alarm where so many checks of a day found drift."
    )
    performance_share: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="An alarm where this share of the checks of two hours was below the limit.",
    )
    receivers: tuple[Receiver, ...] = Field(
        default=(),
        description="Who is told: teams, slack, pager. Their addresses are secrets, in the "
        "environment variables that docs/alerts.md names.",
    )
    remind_hours: float = Field(
        default=24.0,
        gt=0,
        le=168,
        description="An alarm that goes on is told again after so many hours.",
    )
    pager_url: str = Field(
        default="https://events.pagerduty.com/v2/enqueue",
        pattern=r"^(https://|http://(127\.0\.0\.1|localhost)[:/])[^\s@]+$",
        description="Where events of the pager go, by https; its key is the secret.",
    )
