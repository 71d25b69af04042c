"""The keys that Azure ML's YAML files may have, as far as this project uses such files.

They are those of the SDK's own schemas. What has a shape of its own further down and is not used
here is `Any`.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

DataType = Literal[
    "uri_folder", "uri_file", "mltable", "custom_model", "mlflow_model", "triton_model"
]
ParameterType = Literal["string", "integer", "number", "boolean"]
PortType = Literal[DataType, ParameterType]
Mode = Literal[
    "ro_mount", "rw_mount", "mount", "download", "upload", "direct", "eval_mount", "eval_download"
]
Percentage = Annotated[int, Field(ge=0, le=100)]
MirrorPercentage = Annotated[int, Field(ge=0, le=50)]
EndpointName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{1,30}[A-Za-z0-9]$")]
DeploymentName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,30}[A-Za-z0-9]$")]
Count = Annotated[int, Field(ge=1)]


class Shape(BaseModel):
    """A block of keys; one that is not listed is an error, and nothing is converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _File(Shape):
    schema_: str = Field(alias="$schema")
    description: str | None = None
    tags: dict[str, str] = {}
    id: str | None = None


class _Asset(_File):
    name: str
    version: str | int | None = None
    auto_delete_setting: Any = None


class Port(Shape):
    """An input of a component."""

    type: PortType
    description: str | None = None
    optional: bool = False
    default: str | int | float | bool | None = None
    mode: Mode | None = None
    min: int | float | None = None
    max: int | float | None = None
    enum: list[str] | None = None

    @property
    def required(self) -> bool:
        """Whether a step must bind it."""
        return not self.optional and self.default is None


class OutputPort(Shape):
    """An output of a component."""

    type: PortType
    description: str | None = None
    mode: Mode | None = None


class Component(_Asset):
    """One step's command, with what goes in and comes out."""

    type: Literal["command"]
    display_name: str | None = None
    is_deterministic: bool = True
    inputs: dict[str, Port] = {}
    outputs: dict[str, OutputPort] = {}
    code: str | None = None
    environment: str | dict[str, Any]
    command: str
    resources: Any = None
    distribution: Any = None
    properties: Any = None
    queue_settings: Any = None
    additional_includes: list[str] | None = None


class JobInput(Shape):
    """Data that a pipeline or a step gets."""

    type: DataType
    path: str | None = None
    mode: Mode | None = None
    path_on_compute: str | None = None
    datastore: str | None = None


class JobOutput(Shape):
    """What a pipeline writes, or a step writes for nobody else."""

    type: DataType = "uri_folder"
    path: str | None = None
    mode: Mode | None = None
    name: str | None = None
    version: str | int | None = None


class Step(Shape):
    """One job of a pipeline."""

    type: Literal["command"]
    component: str
    inputs: dict[str, str | int | float | bool | JobInput] = {}
    outputs: dict[str, str | JobOutput] = {}
    name: str | None = None
    display_name: str | None = None
    description: str | None = None
    comment: str | None = None
    tags: dict[str, str] = {}
    properties: Any = None
    compute: str | None = None
    environment: str | dict[str, Any] | None = None
    environment_variables: dict[str, str] | None = None
    code: str | None = None
    command: str | None = None
    resources: Any = None
    distribution: Any = None
    limits: Any = None
    queue_settings: Any = None
    services: Any = None
    identity: Any = None


class PipelineSettings(Shape):
    """Settings of a pipeline as a whole."""

    default_compute: str | None = None
    default_datastore: str | None = None
    continue_on_step_failure: bool | None = None
    force_rerun: bool | None = None


class Pipeline(_File):
    """Steps, and what they hand to one another."""

    type: Literal["pipeline"]
    name: str | None = None
    display_name: str | None = None
    experiment_name: str | None = None
    inputs: dict[str, str | int | float | bool | JobInput] = {}
    outputs: dict[str, JobOutput] = {}
    jobs: dict[str, Step]
    settings: PipelineSettings = PipelineSettings()
    compute: str | None = None
    component: None = None
    properties: Any = None
    identity: Any = None
    services: Any = None


class BuildContext(Shape):
    """The folder that an image is built from."""

    path: str
    dockerfile_path: str = "Dockerfile"


class Route(Shape):
    """One path of a scoring server."""

    path: str = Field(pattern="^/")
    port: int = Field(ge=1, le=65535)


class InferenceConfig(Shape):
    """Where a scoring server answers."""

    liveness_route: Route
    readiness_route: Route
    scoring_route: Route


class Environment(_Asset):
    """What commands or a scoring server run in."""

    build: BuildContext | None = None
    image: str | None = None
    conda_file: str | dict[str, Any] | None = None
    inference_config: InferenceConfig | None = None
    os_type: Literal["linux", "windows"] | None = None
    datastore: str | None = None


class Endpoint(_File):
    """An online endpoint."""

    name: EndpointName
    auth_mode: Literal["key", "aml_token", "aad_token"] = "key"
    public_network_access: Literal["enabled", "disabled"] = "enabled"
    traffic: dict[str, Percentage] = {}
    mirror_traffic: dict[str, MirrorPercentage] = {}
    identity: Any = None
    location: str | None = None
    properties: Any = None
    provisioning_state: str | None = None
    scoring_uri: str | None = None
    openapi_uri: str | None = None


class CodeConfiguration(Shape):
    """The scoring code."""

    code: str
    scoring_script: str


class RequestSettings(Shape):
    """How requests are handed to an instance."""

    request_timeout_ms: int | None = Field(default=None, ge=1, le=180_000)
    max_concurrent_requests_per_instance: Count | None = None
    max_queue_wait_ms: int | None = Field(default=None, ge=0)


class Probe(Shape):
    """How an instance is asked whether it is well."""

    period: Count | None = None
    initial_delay: Count | None = None
    timeout: Count | None = None
    success_threshold: Count | None = None
    failure_threshold: Count | None = None


class Deployment(_File):
    """One deployment behind an endpoint."""

    name: DeploymentName
    endpoint_name: EndpointName
    type: Literal["managed"] = "managed"
    model: str | dict[str, Any] | None = None
    model_mount_path: str | None = None
    code_configuration: CodeConfiguration
    environment: str | dict[str, Any]
    environment_variables: dict[str, str] = {}
    instance_type: str
    instance_count: Count
    app_insights_enabled: bool | None = None
    request_settings: RequestSettings = RequestSettings()
    liveness_probe: Probe = Probe()
    readiness_probe: Probe = Probe()
    scale_settings: Any = None
    properties: Any = None
    data_collector: Any = None
    egress_public_network_access: Literal["enabled", "disabled"] | None = None
    private_network_connection: bool | None = None
    provisioning_state: str | None = None


class CronTrigger(Shape):
    """A time of the day, week or month."""

    type: Literal["cron"]
    expression: str
    time_zone: str = "UTC"
    start_time: Any = None
    end_time: Any = None


class RecurrencePattern(Shape):
    """At which times a recurrence starts."""

    hours: Annotated[int, Field(ge=0, le=23)] | list[Annotated[int, Field(ge=0, le=23)]]
    minutes: Annotated[int, Field(ge=0, le=59)] | list[Annotated[int, Field(ge=0, le=59)]]
    week_days: Any = None
    month_days: Any = None


class RecurrenceTrigger(Shape):
    """Every so many minutes, hours, days, weeks or months."""

    type: Literal["recurrence"]
    frequency: Literal["minute", "hour", "day", "week", "month"]
    interval: Count
    schedule: RecurrencePattern | None = None
    time_zone: str = "UTC"
    start_time: Any = None
    end_time: Any = None


class Schedule(_File):
    """A job that starts by itself."""

    name: str
    display_name: str | None = None
    trigger: Annotated[CronTrigger | RecurrenceTrigger, Field(discriminator="type")]
    create_job: str | dict[str, Any]
    properties: Any = None


SHAPES: dict[str, type[_File]] = {
    "commandComponent": Component,
    "pipelineJob": Pipeline,
    "environment": Environment,
    "managedOnlineEndpoint": Endpoint,
    "managedOnlineDeployment": Deployment,
    "schedule": Schedule,
}
"""By the name in a file's `$schema`, such as …/latest/pipelineJob.schema.json."""
