"""The definitions in aml/, read offline by Azure ML's own SDK, beside the project's own checks.

The machinery's tests find every fault of tests/aml/faults.yaml. Here each is shown to pass
the SDK's loaders and its validation, but for the few that these do refuse.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml import (
    load_component,
    load_environment,
    load_job,
    load_online_deployment,
    load_online_endpoint,
)
from azure.ai.ml._schema._deployment.online.online_deployment import (
    ManagedOnlineDeploymentSchema,
)
from azure.ai.ml._schema._endpoint.online.online_endpoint import ManagedOnlineEndpointSchema
from azure.ai.ml._schema.assets import environment
from azure.ai.ml._schema.component import command_component, input_output
from azure.ai.ml._schema.job import input_output_entry
from azure.ai.ml._schema.pipeline import component_job, pipeline_job, settings
from azure.ai.ml._schema.schedule import schedule, trigger
from azure.ai.ml._utils._asset_utils import get_ignore_file, get_upload_files_from_folder
from azure.ai.ml.constants import TimeZone
from azure.ai.ml.entities._load_functions import load_schedule
from azure.ai.ml.exceptions import ValidationException
from fakes import aml_files
from marshmallow import ValidationError
from mlops.aml import shapes
from mlops.aml.lint import lint
from mlops.aml.time_zones import TIME_ZONES
from mlops.cli.main import mlops

from tests.support import Template

pytestmark = pytest.mark.filterwarnings("ignore:The `context` parameter is deprecated")

PACKAGE = "checked_definitions"


REFUSED_BY_THE_SDK = {
    "required input missing",
    "no component",
    "component that is none",
    "misspelt key of an input",
    "unknown type",
    "no YAML",
    "no keys and values",
    "undeclared input in the command",
    "environment that is no name",
    "no folder to build",
    "missing route",
    "name of an endpoint",
    "misspelt setting of requests",
    "no job",
    "unknown trigger",
}

LOADERS: dict[str, Callable[[Path], Any]] = {
    "components": load_component,
    "environment.yml": load_environment,
    "endpoint.yml": load_online_endpoint,
    "deployment.yml": load_online_deployment,
    "pipelines": load_job,
    "schedules": load_schedule,
}


def read(path: Path) -> Mapping[str, str]:
    """Load a file as the SDK does, and return what its validation says before it sends anything."""
    loader = LOADERS.get(path.name) or LOADERS[path.parent.name]
    entity = loader(path)
    result = entity._validate() if hasattr(entity, "_validate") else None
    return {} if result is None else dict(result.error_messages)


def is_refused(path: Path) -> bool:
    try:
        return bool(read(path))
    # What the SDK raises for a file that it cannot read has no common class.
    except (ValidationError, ValidationException):
        return True


@pytest.fixture(scope="module")
def project(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("definitions") / "project"
    return template.render(folder, package_name=PACKAGE)


def test_every_definition_can_be_loaded(project: Path) -> None:
    files = sorted((project / "aml").rglob("*.yml"))
    assert [path.relative_to(project / "aml").as_posix() for path in files] == [
        "components/evaluate.yml",
        "components/fit.yml",
        "components/prepare.yml",
        "components/score.yml",
        "components/validate.yml",
        "endpoints/deployment.yml",
        "endpoints/endpoint.yml",
        "environments/serving/environment.yml",
        "environments/training/environment.yml",
        "pipelines/score.yml",
        "pipelines/train.yml",
    ]
    for path in files:
        # The cluster is put in at submission.
        assert set(read(path).values()) <= {"Compute not set"}, path


@pytest.mark.parametrize("level", [1, 2])
def test_every_level_has_the_same_definitions(
    project: Path, template: Template, tmp_path: Path, level: int
) -> None:
    other = template.render(tmp_path / "project", maturity_level=level, package_name=PACKAGE)

    def definitions(root: Path) -> dict[str, bytes]:
        paths = [path for path in (root / "aml").rglob("*") if path.is_file()]
        return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}

    assert definitions(other) == definitions(project)


def test_scoring_takes_data_and_a_version_at_submission(project: Path) -> None:
    model = "azureml://registries/mlr-shop/models/shop/versions/3"
    job: Any = load_job(
        project / "aml" / "pipelines" / "score.yml",
        params_override=[
            {"settings.default_compute": "azureml:cpu-prod"},
            {"inputs.environment": "prod"},
            {"inputs.data.path": "azureml:transactions:3"},
            {"inputs.model.path": model},
        ],
    )
    assert job._validate().error_messages == {}
    given = job._to_rest_object().properties.inputs
    assert (given["model"].uri, given["model"].job_input_type) == (model, "custom_model")
    assert given["data"].job_input_type == "uri_folder"


def test_the_pipeline_takes_what_is_put_in_at_submission(project: Path) -> None:
    job: Any = load_job(
        project / "aml" / "pipelines" / "train.yml",
        params_override=[
            {"settings.default_compute": "azureml:cpu-dev"},
            {"inputs.environment": "test"},
            {"inputs.git_commit": "0" * 40},
            {"inputs.git_dirty": False},
            {"inputs.data": {"type": "uri_folder", "path": "azureml:transactions:3"}},
            {"jobs.validate.inputs.data": "${{parent.inputs.data}}"},
        ],
    )
    for step in job.jobs.values():
        step.component.environment = "azureml:training:abc"
    assert job._validate().error_messages == {}
    assert job.jobs["validate"]._to_rest_inputs()["data"]["value"] == "${{parent.inputs.data}}"
    assert job.jobs["fit"]._to_rest_inputs()["git_dirty"]["value"] == "${{parent.inputs.git_dirty}}"


def test_an_environment_takes_the_folder_that_was_put_together(
    project: Path, tmp_path: Path
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch")
    for name in ("training", "serving"):
        found = load_environment(
            project / "aml" / "environments" / name / "environment.yml",
            params_override=[{"version": "abc"}, {"build.path": str(tmp_path)}],
        )
        assert (found.name, found.version) == (name, "abc")
        assert found.build
        assert Path(str(found.build.path)) == tmp_path


def test_a_deployment_takes_what_is_put_in(project: Path) -> None:
    found: Any = load_online_deployment(
        project / "aml" / "endpoints" / "deployment.yml",
        params_override=[
            {"name": "green"},
            {"endpoint_name": "purchase-prediction-prod"},
            {"model": "azureml://registries/r/models/purchase-prediction/versions/3"},
            {"environment": "azureml:serving:abc"},
            {"instance_type": "Standard_D4as_v4"},
            {"instance_count": 2},
            {"request_settings.request_timeout_ms": 30_000},
            {"tags": {"model_version": "3"}},
        ],
    )
    assert (found.name, found.instance_count, found.tags) == ("green", 2, {"model_version": "3"})
    assert found.request_settings.max_concurrent_requests_per_instance == 2


def test_a_job_gets_the_code_and_no_more(project: Path) -> None:
    """By the SDK's own reading of .amlignore."""
    left_out = [".git/HEAD", ".venv/bin/python", ".mlops/state.json", "data/a.csv", "src/x.pyc"]
    left_out += ["packages/mlops/src/mlops/__pycache__/cli.pyc", "packages/mlops/tests/test_x.py"]
    for name in [*left_out, "uv.lock"]:
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x", encoding="utf-8")
    assert {name.split("/")[0] for name in uploaded(project)} == {
        "conf",
        "packages",
        "pyproject.toml",
        "src",
        "uv.lock",
    }
    code = [name for name in uploaded(project) if name.startswith(("src/", "packages/"))]
    suffixes = {Path(name).suffix for name in code}
    assert suffixes == {".css", ".html", ".py", ".md", ".toml", ".typed"}
    assert "packages/mlops/src/mlops/data/source.py" in uploaded(project)
    assert f"src/{PACKAGE}/features.py" in uploaded(project)
    assert not [name for name in uploaded(project) if name.startswith("packages/mlops/tests")]


def test_a_deployment_gets_the_scoring_code_alone(project: Path) -> None:
    cache = project / "serving" / "__pycache__"
    cache.mkdir(exist_ok=True)
    (cache / "score.cpython-311.pyc").write_text("x")
    found = uploaded(project / "serving")
    assert found == [
        ".amlignore",
        "insights.py",
        "mounted.py",
        "requirements.txt",
        "score.py",
        "telemetry.py",
    ]


def uploaded(folder: Path) -> list[str]:
    found = get_upload_files_from_folder(folder, ignore_file=get_ignore_file(folder))
    return sorted(str(name) for _path, name in map(tuple, found))


@dataclass(frozen=True)
class OwnFault:
    """A fault in the project's own pipeline or a component of it."""

    file: str
    old: str
    new: str
    said: str


OWN_FAULTS = {
    "absent input": OwnFault(
        "pipelines/train.yml", "inputs.git_commit", "inputs.commit", "no input 'commit'"
    ),
    "absent output": OwnFault(
        "pipelines/train.yml", "outputs.validated}}", "outputs.valid}}", "no output 'valid'"
    ),
    "wrong step": OwnFault(
        "pipelines/train.yml", "jobs.prepare.outputs", "jobs.fit.outputs", "no output 'prepared'"
    ),
    "absent step": OwnFault("pipelines/train.yml", "jobs.fit.", "jobs.fitt.", "no step 'fitt'"),
    "cycle": OwnFault(
        "pipelines/train.yml", "validate.outputs.validated", "fit.outputs.model", "each waits"
    ),
    "misspelt setting": OwnFault(
        "pipelines/train.yml", "continue_on_step", "continue_on_stop", "unknown key"
    ),
    "misspelt option": OwnFault(
        "components/fit.yml", "--git-dirty", "--git-dirt", "No such option"
    ),
}


@pytest.mark.parametrize("fault", OWN_FAULTS.values(), ids=OWN_FAULTS)
def test_a_fault_of_its_own_files_passes_the_sdk_and_not_the_projects_checks(
    project: Path, tmp_path: Path, fault: OwnFault
) -> None:
    """`mlops aml check` asks for no problem at all."""
    root = tmp_path / "project"
    shutil.copytree(project, root)
    assert lint(root, mlops) == []
    path = root / "aml" / fault.file
    text = path.read_text(encoding="utf-8")
    assert fault.old in text
    path.write_text(text.replace(fault.old, fault.new), encoding="utf-8")
    for file in (path, root / "aml" / "pipelines" / "train.yml"):
        assert set(read(file).values()) <= {"Compute not set"}
    assert fault.said in "; ".join(map(str, lint(root, mlops)))


def test_the_samples_of_the_projects_tests_can_be_loaded(tmp_path: Path) -> None:
    root = aml_files.write_files(tmp_path)
    for path in (root / "aml").rglob("*.yml"):
        assert not is_refused(path), path


@pytest.mark.parametrize("fault", aml_files.FAULTS, ids=lambda fault: str(fault.name))
def test_the_sdk_alone_lets_a_fault_pass(tmp_path: Path, fault: Any) -> None:
    root = aml_files.write_files(tmp_path)
    fault.seed(root)
    read_by_the_sdk = [root / "aml" / fault.file]
    if fault.file.startswith("components/"):
        read_by_the_sdk.append(root / "aml" / "pipelines" / "train.yml")
    refused = any(is_refused(path) for path in read_by_the_sdk)
    assert refused == (fault.name in REFUSED_BY_THE_SDK)


def test_what_the_sdk_refuses_is_a_fault_of_the_list() -> None:
    assert {fault.name for fault in aml_files.FAULTS} >= REFUSED_BY_THE_SDK


def keys_of(schema: Any) -> set[str]:
    """Return the keys that the SDK reads from a file."""
    found = schema(context={"base_path": Path()})
    return {field.data_key or name for name, field in found.load_fields.items()}


def keys_of_shape(shape: str) -> set[str]:
    """Return the keys that the project's checks allow."""
    fields = getattr(shapes, shape).model_fields
    return {field.alias or name for name, field in fields.items()}


# Its schemas let any key of a step pass; its entity then takes these.
NOT_IN_THE_SDK = {"Step": {"name", "display_name", "description", "tags"}, "Pipeline": {"id"}}


@pytest.mark.parametrize(
    ("shape", "schema"),
    [
        ("Component", command_component.CommandComponentSchema),
        ("Pipeline", pipeline_job.PipelineJobSchema),
        ("PipelineSettings", settings.PipelineJobSettingsSchema),
        ("Step", component_job.CommandSchema),
        ("OutputPort", input_output.OutputPortSchema),
        ("JobInput", input_output_entry.DataInputSchema),
        ("JobOutput", input_output_entry.OutputSchema),
        ("Environment", environment.EnvironmentSchema),
        ("BuildContext", environment.BuildContextSchema),
        ("InferenceConfig", environment.InferenceConfigSchema),
        ("Route", environment.RouteSchema),
        ("Endpoint", ManagedOnlineEndpointSchema),
        ("Deployment", ManagedOnlineDeploymentSchema),
        ("Schedule", schedule.JobScheduleSchema),
        ("CronTrigger", trigger.CronTriggerSchema),
        ("RecurrenceTrigger", trigger.RecurrenceTriggerSchema),
        ("RecurrencePattern", trigger.RecurrencePatternSchema),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_project_knows_the_keys_that_the_sdk_knows(shape: str, schema: Any) -> None:
    known = keys_of_shape(shape) - NOT_IN_THE_SDK.get(shape, set())
    assert known - {"$schema"} == keys_of(schema) - {"$schema"}


@pytest.mark.parametrize(
    ("shape", "key"),
    [
        ("CodeConfiguration", "code_configuration"),
        ("RequestSettings", "request_settings"),
        ("Probe", "liveness_probe"),
        ("Probe", "readiness_probe"),
    ],
)
def test_the_project_knows_the_keys_below_a_deployment(shape: str, key: str) -> None:
    schema: Any = ManagedOnlineDeploymentSchema
    field = schema(context={"base_path": Path()}).load_fields[key]
    assert keys_of_shape(shape) == set(field.schema.load_fields)


def test_an_input_has_the_keys_of_a_folder_and_of_a_value() -> None:
    known = set(shapes.Port.model_fields)
    assert known == keys_of(input_output.InputPortSchema) | keys_of(input_output.ParameterSchema)


def test_the_project_knows_the_time_zones_that_the_sdk_knows() -> None:
    assert {zone.value for zone in TimeZone} == TIME_ZONES
