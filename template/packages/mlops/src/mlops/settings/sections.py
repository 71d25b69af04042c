"""Settings: defaults in code, `conf/base.yaml`, `conf/<environment>.yaml`, `MLOPS_*` variables.

Later sources win, key by key. The result is typed and frozen, and remembers where each value came
from. A key or variable that no setting has is an error, so that a typo never passes silently.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal, cast

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from .errors import ConfigError
from .project import Project
from .usecase import UseCase, load_use_case
from .yaml_loader import Loader

PREFIX = "MLOPS_"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
ENVIRONMENT_VARIABLE = "MLOPS_ENVIRONMENT"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ComputeSettings(_Section):
    """What training runs on in a cloud, in dev; this machine takes what it has."""

    size: str = Field(default="Standard_DS3_v2", description="Size of the virtual machine.")
    low_priority: bool = Field(
        default=False, description="Take cheaper machines that may be withdrawn (spot)."
    )


class ApprovalSettings(_Section):
    """Who must agree before a version is released to an environment."""

    required: int = Field(
        default=0, ge=0, le=6, description="How many people, besides the one who started it."
    )


class SampleSettings(_Section):
    """The generated data of the source `sample`."""

    size: int = Field(
        default=20_000, ge=50, description="How many entities (customers) to generate."
    )
    seed: int = Field(default=7, description="The same seed gives the same data.")
    drift: float = Field(
        default=0.0, ge=0, le=1, description="0 none, 1 a strong change of behaviour."
    )


class DataSettings(_Section):
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
        description="The newest row may be this old at most; null switches this off.",
    )
    unique_key: tuple[str, ...] = Field(
        default=(),
        description="Columns that identify a row. Empty: repeated rows are only a warning.",
    )
    fraction: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="Share of the entities that are used, the same ones each time; 1 is all.",
    )
    show_values: bool = Field(
        default=True,
        description="Messages and results of the validation quote the data; false: counts only.",
    )
    sample: SampleSettings = SampleSettings()


class SplitSettings(_Section):
    """The holdout: a fixed share of the entities, chosen by a hash of their key."""

    holdout_fraction: float = Field(
        default=0.25, gt=0, lt=1, description="Share of entities held out."
    )
    salt: str = Field(default="holdout", description="Changing it draws another holdout.")


class TrainingSettings(_Section):
    """How the model is fitted and read."""

    seed: int = Field(default=42, description="Seed of everything random in training.")
    decision_threshold: float = Field(
        default=0.5, gt=0, lt=1, description="Probability from which the prediction is 1."
    )


class Thresholds(_Section):
    """The limit of each metric on the holdout; null asks nothing of it."""

    f1: float | None = Field(default=0.75, ge=0, le=1, description="At least.")
    precision: float | None = Field(default=None, ge=0, le=1, description="At least.")
    recall: float | None = Field(default=None, ge=0, le=1, description="At least.")
    accuracy: float | None = Field(default=None, ge=0, le=1, description="At least.")
    roc_auc: float | None = Field(default=0.75, ge=0, le=1, description="At least.")
    average_precision: float | None = Field(default=None, ge=0, le=1, description="At least.")
    brier: float | None = Field(default=None, ge=0, le=1, description="At most.")

    def active(self) -> dict[str, float]:
        """Return the limits that are set, by metric."""
        return {name: limit for name, limit in self.model_dump().items() if limit is not None}


class GateSettings(_Section):
    """What a model must show before it may be registered."""

    thresholds: Thresholds = Thresholds()
    metric: Literal[
        "f1", "precision", "recall", "accuracy", "roc_auc", "average_precision", "brier"
    ] = Field(default="f1", description="The metric compared with baseline and champion.")
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
    parity_tolerance: float = Field(
        default=1e-4,
        gt=0,
        description="Largest difference of a probability, ONNX against scikit-learn.",
    )


class EndpointSettings(_Section):
    """The online endpoint of an environment."""

    name: str | None = Field(default=None, description="null: <project>-<environment>.")
    start_timeout_seconds: float = Field(
        default=60.0, gt=0, description="Time a deployment has to start."
    )
    request_timeout_seconds: float = Field(
        default=30.0, gt=0, description="Time one request may take."
    )
    instances: int = Field(
        default=1, ge=1, description="Servers of a deployment; this machine runs one."
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
        default=0.01, gt=0, lt=1, description="Requests with no answer, or with a status from 500."
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
        default="Standard_DS2_v2", description="Size of the machines of a deployment."
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
        default=300.0,
        gt=0,
        description="After this time the change of a command that died may be undone.",
    )

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
    platform: Literal["local", "azure"] = Field(default="local", description="Where the steps run.")
    use_case: str = Field(default=".use_case", description="The package that holds the use case.")
    compute: ComputeSettings = ComputeSettings()
    approvals: ApprovalSettings = ApprovalSettings()
    data: DataSettings = DataSettings()
    split: SplitSettings = SplitSettings()
    training: TrainingSettings = TrainingSettings()
    gate: GateSettings = GateSettings()
    endpoint: EndpointSettings = EndpointSettings()
    smoke_test: SmokeTestSettings = SmokeTestSettings()
    ab_test: AbTestSettings = AbTestSettings()
    azure: AzureSettings = AzureSettings()
    params: Any = Field(
        default=None, description="The use case's own settings (use_case/params.py)."
    )


@dataclass(frozen=True)
class LoadedSettings:
    """Settings together with the project they belong to and the source of each value."""

    project: Project
    values: Settings
    sources: dict[str, str]

    def source_of(self, key: str) -> str:
        """Return where the value of a dotted key comes from."""
        owners = [k for k in self.sources if key == k or key.startswith(f"{k}.")]
        return self.sources[max(owners, key=len)] if owners else "default"

    @property
    def use_case(self) -> UseCase:
        """The use case that these settings name."""
        return load_use_case(self.values.use_case)

    @property
    def reference_date(self) -> date:
        """The day that counts as today."""
        from datetime import UTC, datetime

        return self.values.data.reference_date or datetime.now(UTC).date()

    @property
    def model_name(self) -> str:
        """The name under which models are registered."""
        return str(self.project.facts["name"])

    @property
    def endpoint_name(self) -> str:
        """The name of this environment's endpoint."""
        return self.values.endpoint.name or f"{self.model_name}-{self.values.environment}"


def load_settings(
    project: Project,
    environment: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    variables: Mapping[str, str] | None = None,
) -> LoadedSettings:
    """Merge all sources into one frozen object.

    Args:
        project: the project whose `conf/` is read.
        environment: which environment; by default `MLOPS_ENVIRONMENT`, else `dev`.
        overrides: values of command-line options by dotted key; they win over all else.
        variables: environment variables; by default those of this process.

    Raises:
        ConfigError: an unknown key, a wrong value, an unreadable file or an unknown variable.
    """
    variables = os.environ if variables is None else variables
    name = environment or variables.get(ENVIRONMENT_VARIABLE) or "dev"
    layers = [
        *_file_layers(project, name),
        *_variable_layers(variables),
        *(({key: value}, "command line") for key, value in (overrides or {}).items()),
        ({"environment": name}, "command line" if environment else _environment_source(variables)),
    ]
    merged: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for flat, source in layers:
        for key, value in flat.items():
            found = _check_key(key, source)
            if value == {} or (value is None and _is_section(found)):
                continue
            _forget_below(merged, sources, key)
            merged[key] = value
            sources[key] = source
    settings = _build(merged, sources)
    return LoadedSettings(project=project, values=settings, sources=sources)


def flatten(settings: Settings) -> dict[str, Any]:
    """Return every effective value by its dotted key."""
    return dict(_flatten(settings.model_dump(mode="json")))


def _file_layers(project: Project, environment: str) -> list[tuple[dict[str, Any], str]]:
    conf = project.root / "conf"
    path = conf / f"{environment}.yaml"
    if environment == "base" or not _NAME.fullmatch(environment) or not path.is_file():
        known = sorted(p.stem for p in conf.glob("*.yaml") if p.stem != "base")
        raise ConfigError(
            f"there is no environment {environment!r}: conf/{environment}.yaml does not exist "
            f"(there is: {', '.join(known) or 'none'}){_brought_by_level(project, environment)}"
        )
    layers = [(_read_yaml(p), f"conf/{p.name}") for p in (conf / "base.yaml", path) if p.is_file()]
    for content, source in layers:
        if "environment" in content:
            raise ConfigError(
                f"{source}: the environment is not set in a file; "
                f"give --environment or {ENVIRONMENT_VARIABLE}"
            )
    return layers


def _brought_by_level(project: Project, environment: str) -> str:
    if environment not in ("test", "prod") or int(project.facts.get("maturity_level", 1)) > 1:
        return ""
    return (
        "; test and prod come with maturity level 2, and this project is at level 1: raise it "
        "with `copier update -d maturity_level=2`"
    )


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        # a safe loader of our own
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=Loader)  # nosec B506
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"conf/{path.name} is not valid YAML: {error}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"conf/{path.name} must hold keys and values, not a {type(content)}")
    return dict(_flatten(content))


def _flatten(content: Mapping[Any, Any], prefix: str = "") -> list[tuple[str, Any]]:
    items: list[tuple[str, Any]] = []
    for key, value in content.items():
        dotted = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            items.extend(_flatten(value, f"{dotted}."))
        else:
            items.append((dotted, value))
    return items


def _variable_layers(variables: Mapping[str, str]) -> list[tuple[dict[str, Any], str]]:
    layers = []
    for variable, text in sorted(variables.items()):
        if not variable.startswith(PREFIX) or variable == ENVIRONMENT_VARIABLE or text == "":
            continue
        key = variable.removeprefix(PREFIX).lower().replace("__", ".")
        if _check_key(key, variable) in (str, str | None):
            layers.append(({key: text}, variable))
            continue
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ConfigError(f"the variable {variable} is not a valid value: {error}") from None
        flat = dict(_flatten(value, f"{key}.")) if isinstance(value, dict) else {key: value}
        layers.append((flat, variable))
    return layers


def _environment_source(variables: Mapping[str, str]) -> str:
    return ENVIRONMENT_VARIABLE if variables.get(ENVIRONMENT_VARIABLE) else "default"


def _check_key(key: str, source: str) -> Any:
    """Return the type of a setting; of one below a free section, the type of that section."""
    model: type[BaseModel] = Settings
    parts = key.split(".")
    for position, part in enumerate(parts):
        field = model.model_fields.get(part)
        if field is None:
            place = ".".join(parts[:position]) or "the top level"
            known = ", ".join(sorted(model.model_fields))
            raise ConfigError(
                f"{source}: unknown setting {key!r} ({place} has no {part!r}; it has: {known})"
            )
        if not _is_section(field.annotation):
            return field.annotation
        model = cast("type[BaseModel]", field.annotation)
    return model


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _forget_below(merged: dict[str, Any], sources: dict[str, str], key: str) -> None:
    """Drop what `key` makes obsolete: values below it, and a plain value above it."""
    parts = key.split(".")
    above = {".".join(parts[:n]) for n in range(1, len(parts))}
    for other in [k for k in merged if k.startswith(f"{key}.") or k in above]:
        del merged[other], sources[other]


def _build(merged: Mapping[str, Any], sources: Mapping[str, str]) -> Settings:
    nested: dict[str, Any] = {}
    for key, value in merged.items():
        *parents, last = key.split(".")
        place = nested
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    try:
        settings = Settings.model_validate(nested)
        params_type = load_use_case(settings.use_case).params_type()
    except ValidationError as error:
        raise ConfigError(_explain(error, sources, prefix="")) from None
    try:
        params = params_type.model_validate(nested.get("params") or {})
    except ValidationError as error:
        raise ConfigError(_explain(error, sources, prefix="params.")) from None
    return settings.model_copy(update={"params": params})


def _explain(error: ValidationError, sources: Mapping[str, str], prefix: str) -> str:
    sentences = []
    for problem in error.errors():
        key = prefix + ".".join(str(part) for part in problem["loc"])
        owner = next((k for k in sources if k == key or key.startswith(f"{k}.")), None)
        source = (
            sources[owner]
            if owner
            else next((s for k, s in sources.items() if k.startswith(f"{key}.")), "the defaults")
        )
        if problem["type"] == "extra_forbidden":
            sentences.append(f"{source}: unknown setting {key!r}")
        else:
            sentences.append(f"{source}: {key} = {problem['input']!r}: {problem['msg']}")
    return "; ".join(sentences)
