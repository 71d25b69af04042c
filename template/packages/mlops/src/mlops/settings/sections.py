"""Every setting of the project, with its default, its limits and what it is for."""

import re
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from mlops.metrics import MetricName
from mlops.settings.audit_section import AuditSettings
from mlops.settings.data_sections import DataSettings, SplitSettings
from mlops.settings.forget_section import ForgetSettings
from mlops.settings.licences_section import LicencesSettings
from mlops.settings.monitoring_sections import (
    AlertSettings,
    DriftSettings,
    FeedbackSettings,
    TelemetrySettings,
)
from mlops.settings.platform_names import PlatformName
from mlops.settings.release_section import ReleaseSettings
from mlops.settings.retraining_section import RetrainingSettings
from mlops.settings.scoring_sections import ScoreSettings
from mlops.settings.section import Section as _Section
from mlops.settings.signing_section import SigningSettings
from mlops.settings.training import TrainingSettings


class ComputeSettings(_Section):
    """What training runs on in a cloud, in dev; this machine takes what it has."""

    size: str = Field(default="Standard_D4as_v4", description="Size of the virtual machine.")
    low_priority: bool = Field(
        default=False, description="Take cheaper machines that may be withdrawn (spot)."
    )


class ApprovalSettings(_Section):
    """Who must agree before a version is released to an environment."""

    required: int = Field(
        default=0, ge=0, le=6, description="How many people, besides the one who started it."
    )


class Thresholds(_Section):
    """The limit of each metric on the holdout; null asks nothing of it.

    The metrics of other tasks than the use case's are refused when settings are loaded.
    """

    f1: float | None = Field(default=0.75, ge=0, le=1, description="At least.")
    precision: float | None = Field(default=None, ge=0, le=1, description="At least.")
    recall: float | None = Field(default=None, ge=0, le=1, description="At least.")
    accuracy: float | None = Field(default=None, ge=0, le=1, description="At least.")
    roc_auc: float | None = Field(default=0.75, ge=0, le=1, description="At least.")
    average_precision: float | None = Field(default=None, ge=0, le=1, description="At least.")
    brier: float | None = Field(default=None, ge=0, le=1, description="At most.")
    log_loss: float | None = Field(default=None, ge=0, description="At most.")
    balanced_accuracy: float | None = Field(default=None, ge=0, le=1, description="At least.")
    f1_macro: float | None = Field(default=None, ge=0, le=1, description="At least.")
    f1_weighted: float | None = Field(default=None, ge=0, le=1, description="At least.")
    roc_auc_ovr: float | None = Field(default=None, ge=0, le=1, description="At least.")
    mae: float | None = Field(default=None, ge=0, description="At most, in the label's unit.")
    rmse: float | None = Field(default=None, ge=0, description="At most, in the label's unit.")
    median_absolute_error: float | None = Field(
        default=None, ge=0, description="At most, in the label's unit."
    )
    r2: float | None = Field(default=None, le=1, description="At least.")
    mape: float | None = Field(
        default=None, ge=0, description="At most; 0.1 is 10 %. Not computed where a label is 0."
    )

    def active(self) -> dict[str, float]:
        """Return the limits that are set, by metric."""
        return {name: limit for name, limit in self.model_dump().items() if limit is not None}


class SampleThresholds(Thresholds):
    """The limits of a model of made-up data, which says nothing about the team's own problem."""

    f1: float | None = Field(default=None, ge=0, le=1, description="At least.")
    roc_auc: float | None = Field(default=0.5, ge=0, le=1, description="At least.")


class GateSettings(_Section):
    """What a model must show before it may be registered."""

    thresholds: Thresholds = Thresholds()
    sample_thresholds: SampleThresholds = SampleThresholds()
    metric: MetricName = Field(
        default="f1",
        description="The metric compared with baseline and champion; f1 for a binary model, "
        "f1_macro for several classes, mae for a regression.",
    )
    tolerance: float = Field(
        default=0.0, ge=0, description="How much worse than the champion a challenger may be."
    )
    beat_baseline: bool = Field(
        default=True, description="Require a better `metric` than the baseline's."
    )
    compare_to_champion: bool = Field(
        default=True, description="Require to be as good as the champion."
    )
    min_slice_rows: int = Field(
        default=50, ge=1, description="Smaller slices are reported, not judged."
    )
    max_slice_gap: float | None = Field(
        default=None, ge=0, description="How far `metric` may fall in a slice; null: report only."
    )
    slice_alpha: float = Field(
        default=0.05,
        ge=0.001,
        lt=1,
        description="A gap of a slice counts where chance alone makes one with at most this "
        "probability, all groups together.",
    )
    required_slices: tuple[str, ...] = Field(
        default=(), description="Slices of slices.py of which every group must be assessed."
    )
    parity_tolerance: float = Field(
        default=1e-4,
        gt=0,
        description="Largest difference of a probability, ONNX against scikit-learn; of a "
        "regression, in standard deviations of the label (1e-5 there unless set).",
    )
    max_load_seconds: float = Field(
        default=10.0, gt=0, description="Longest time that ONNX Runtime may take to load a model."
    )

    def limits(self, *, made_up: bool | None) -> dict[str, float]:
        """Return the limits of a model's metrics: the sample's own if its data are made up."""
        return (self.sample_thresholds if made_up else self.thresholds).active()


class EndpointSettings(_Section):
    """The online endpoint of an environment."""

    name: str | None = Field(default=None, description="null: <project>-<environment>.")
    start_timeout_seconds: float = Field(
        default=60.0, gt=0, description="Time a deployment has to start."
    )
    request_timeout_seconds: float = Field(
        default=30.0,
        gt=0,
        le=180,
        description="Time one request may take; Azure allows 180 seconds at most.",
    )
    instances: int = Field(
        default=1, ge=1, description="Servers of a deployment; this machine runs one."
    )


Auth = Literal["key", "entra"]


class ServingSettings(_Section):
    """How endpoints in a cloud are called, and how much they do at a time."""

    auth: Auth = Field(
        default="key",
        description="What callers send: a key of the endpoint, or a token of who they are in "
        "Microsoft Entra (entra): then there is no key. A local endpoint has its own key.",
    )
    workers: int = Field(
        default=2,
        ge=1,
        le=64,
        description="Requests that one machine of a deployment works on at once: its cores.",
    )


class SmokeTestSettings(_Section):
    """What a deployment must show before it is trusted."""

    requests: int = Field(default=50, ge=1, description="Scoring requests to send.")
    max_p95_ms: float = Field(
        default=1000.0,
        gt=0,
        description="Limit of the 95th percentile of latency, with the way from here to there.",
    )


class Margins(_Section):
    """How much worse than the present deployment a candidate's rate may be, as a difference."""

    errors: float = Field(
        default=0.01, gt=0, lt=1, description="Requests with no answer, or with another than 200."
    )
    slow: float = Field(
        default=0.05, gt=0, lt=1, description="Requests slower than ab_test.objective_ms."
    )


class AbTestSettings(_Section):
    """How a candidate is compared with the present deployment before it gets all traffic."""

    enabled: bool | None = Field(
        default=None, description="Compare at a release; null: in prod, where there are callers."
    )
    mirror_percent: int = Field(
        default=20, ge=0, le=50, description="Share of requests copied to the candidate at first."
    )
    mirror_requests: int = Field(
        default=200, ge=0, description="How many copies it receives before it answers callers."
    )
    mirror_seconds: float = Field(
        default=900.0, gt=0, description="If requests come, but no copy of one in this time: hold."
    )
    share_percent: int = Field(
        default=10, ge=1, le=50, description="Share of requests that it answers then."
    )
    duration_seconds: float = Field(
        default=3600.0, gt=0, description="Without a decision after this time: hold."
    )
    alpha: float = Field(
        default=0.05, gt=0, le=0.5, description="Probability of a wrong decision, at most."
    )
    min_requests: int = Field(
        default=200, ge=1, description="Requests of the candidate before it may be promoted."
    )
    objective_ms: float = Field(default=200.0, gt=0, description="A slower answer counts as slow.")
    patience_ms: float = Field(
        default=2000.0,
        gt=0,
        validate_default=True,
        description="A request that is not answered by then counts as an error.",
    )
    batch_seconds: float = Field(
        default=1.0, gt=0, description="Time between two looks at the numbers."
    )
    margins: Margins = Margins()

    @field_validator("patience_ms")
    @classmethod
    def _covers_the_objective(cls, value: float, info: ValidationInfo) -> float:
        objective = info.data.get("objective_ms", 0.0)
        if value < objective:
            raise ValueError(f"must be at least ab_test.objective_ms, {objective:g}")
        return value


class AzureSettings(_Section):
    """Where Azure resources live; names that are null follow from the project's (docs/azure.md)."""

    region: str = Field(default="westeurope", description="Azure region of the resources.")
    subscription_id: str | None = Field(
        default=None, description="null: the variable AZURE_SUBSCRIPTION_ID."
    )
    resource_group: str | None = Field(
        default=None, description="null: rg-<project>-<environment>."
    )
    workspace: str | None = Field(
        default=None, description="Azure ML workspace; null: mlw-<project>-<environment>."
    )
    registry: str | None = Field(
        default=None, description="Azure ML registry of all environments; null: mlr-<project>."
    )
    registry_resource_group: str | None = Field(
        default=None, description="null: rg-<project>-shared."
    )
    compute: str | None = Field(
        default=None, description="Cluster that trains; null: cpu-<environment>."
    )
    instance_type: str = Field(
        default="Standard_D2as_v4", description="Size of the machines of a deployment."
    )
    endpoint_identity: Literal["system", "user"] = Field(
        default="system",
        description="What an endpoint is made with: an identity that Azure makes for it (system), "
        "or id-<project>-<environment>-endpoint in the registry's resource group (user).",
    )
    endpoint_identity_id: str | None = Field(
        default=None,
        pattern=r"(?i)^/subscriptions/[^/]+/resourceGroups/[^/]+"
        r"/providers/Microsoft\.ManagedIdentity/userAssignedIdentities/[^/]+$",
        description="Resource id of another identity for the choice `user`.",
    )
    data_asset: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*:[A-Za-z0-9][A-Za-z0-9._-]*$",
        description="Data to train on, such as transactions:3; null: data.source is `sample`.",
    )
    log_analytics_workspace_id: str | None = Field(
        default=None, description="Where requests are logged; null: no A/B test is possible."
    )
    log_analytics_resource_id: str | None = Field(
        default=None,
        pattern=r"(?i)^/subscriptions/[^/]+/resourceGroups/[^/]+"
        r"/providers/Microsoft\.OperationalInsights/workspaces/[^/]+$",
        description="Resource id of that workspace, of which a request of deletion asks a purge; "
        "null: it is looked for in the environment's resource group.",
    )
    insights_connection_string: str | None = Field(
        default=None,
        pattern=r"(?i)^InstrumentationKey=[0-9a-f-]{36};IngestionEndpoint=https://\S+$",
        description="The Application Insights that gets events of predictions and of checks: an "
        "address, no secret, where only who signs in may write; null: none are kept.",
    )
    alert_vault: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]$",
        description="The key vault with the addresses of who is told of alerts, by its name; null: "
        "they are in environment variables alone.",
    )
    audit_account: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9]{3,24}$",
        description="The storage account whose container `audit` has the audit log, by its name; "
        "null: the one that infra/ made, which the workspace's tag audit-account names.",
    )
    log_patience_seconds: float = Field(
        default=900.0,
        ge=0,
        description="A request must be in the log after this time, or no A/B test begins: hold.",
    )
    operation_timeout_seconds: float = Field(
        default=3600.0, gt=0, description="Time a deployment or another operation may take."
    )
    training_timeout_seconds: float = Field(
        default=19800.0, gt=0, description="Time a training job may take."
    )
    poll_seconds: float = Field(
        default=10.0, gt=0, description="Time between two looks at an operation or job."
    )
    lease_seconds: float = Field(
        default=900.0,
        gt=0,
        description="After this time the change of a command that died may be undone. A command "
        "that lives moves it on three times in it, by a write of the endpoint each.",
    )
    deploy_from: Literal["registry", "workspace"] = Field(
        default="registry",
        description="Where a deployment takes its model from. workspace: the checked files of the "
        "registry's version are registered in the environment's workspace first.",
    )

    @field_validator("region")
    @classmethod
    def _is_in_the_public_cloud(cls, value: str) -> str:
        plain = re.sub(r"[^a-z0-9]", "", value.lower())
        if plain.startswith(("usgov", "usdod", "china", "ussec", "usnat")):
            raise ValueError(
                "this region is of another cloud than Azure's public one, whose addresses the "
                "commands have: Azure Government and Azure in China are not supported"
            )
        return value.lower().replace(" ", "")

    @field_validator("endpoint_identity_id")
    @classmethod
    def _is_used(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value and info.data.get("endpoint_identity") != "user":
            raise ValueError("needs azure.endpoint_identity: user")
        return value


class Settings(_Section):
    """Every setting of the project."""

    environment: str = Field(
        default="dev", description="Which conf/<environment>.yaml is in force."
    )
    purpose: str = Field(default="", description="What this environment is for.")
    platform: PlatformName = Field(default="local", description="Where the steps run.")
    compute: ComputeSettings = ComputeSettings()
    approvals: ApprovalSettings = ApprovalSettings()
    data: DataSettings = DataSettings()
    split: SplitSettings = SplitSettings()
    training: TrainingSettings = TrainingSettings()
    gate: GateSettings = GateSettings()
    endpoint: EndpointSettings = EndpointSettings()
    serving: ServingSettings = ServingSettings()
    smoke_test: SmokeTestSettings = SmokeTestSettings()
    ab_test: AbTestSettings = AbTestSettings()
    release: ReleaseSettings = ReleaseSettings()
    score: ScoreSettings = ScoreSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    drift: DriftSettings = DriftSettings()
    feedback: FeedbackSettings = FeedbackSettings()
    alerts: AlertSettings = AlertSettings()
    retraining: RetrainingSettings = RetrainingSettings()
    signing: SigningSettings = SigningSettings()
    licences: LicencesSettings = LicencesSettings()
    audit: AuditSettings = AuditSettings()
    forget: ForgetSettings = ForgetSettings()
    azure: AzureSettings = AzureSettings()
    params: Any = Field(default=None, description="The use case's own settings (params.py).")
