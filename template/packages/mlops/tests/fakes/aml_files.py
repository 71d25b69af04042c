"""Definitions for Azure ML that are right, and faults that can be seeded into them."""

from dataclasses import dataclass
from pathlib import Path

import click
import yaml

FILES = {
    "aml/components/make.yml": """\
$schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json
type: command
name: make
inputs:
  day: {type: string, enum: [monday, friday]}
  size: {type: integer, min: 1, max: 9}
  exact: {type: boolean, default: false}
  raw: {type: uri_folder, optional: true}
outputs:
  made: {type: uri_folder}
code: ../..
environment: azureml:training@latest
command: >-
  mlops step make --day ${{inputs.day}} --size ${{inputs.size}} --exact ${{inputs.exact}}
  $[[--raw ${{inputs.raw}}]] --output ${{outputs.made}}
""",
    "aml/components/use.yml": """\
$schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json
type: command
name: use
inputs:
  made: {type: uri_folder}
  share: {type: number}
  limit: {type: number}
outputs:
  used: {type: uri_folder}
code: ../..
environment: azureml:training:7
command: >-
  mlops step use --made ${{inputs.made}} --share ${{inputs.share}} --limit ${{inputs.limit}}
  --output ${{outputs.used}}
""",
    "aml/pipelines/train.yml": """\
$schema: https://azuremlschemas.azureedge.net/latest/pipelineJob.schema.json
type: pipeline
inputs:
  day: monday
  size: 3
  raw: {type: uri_folder, path: "azureml:raw:1"}
outputs:
  used: {type: uri_folder}
settings:
  default_compute: azureml:cpu
  continue_on_step_failure: false
jobs:
  make:
    type: command
    component: ../components/make.yml
    inputs:
      day: ${{parent.inputs.day}}
      size: ${{parent.inputs.size}}
      raw: ${{parent.inputs.raw}}
      exact: true
    outputs:
      made: {type: uri_folder, mode: upload}
  use:
    type: command
    component: ../components/use.yml
    inputs:
      made: ${{parent.jobs.make.outputs.made}}
      share: 1
      limit: 0.5
    outputs:
      used: ${{parent.outputs.used}}
""",
    "aml/environments/training/environment.yml": """\
$schema: https://azuremlschemas.azureedge.net/latest/environment.schema.json
name: training
build:
  path: .
""",
    "aml/environments/training/Dockerfile": "FROM scratch\n",
    "aml/environments/serving/environment.yml": """\
$schema: https://azuremlschemas.azureedge.net/latest/environment.schema.json
name: serving
image: registry/image:1
inference_config:
  liveness_route: {path: /, port: 5001}
  readiness_route: {path: /, port: 5001}
  scoring_route: {path: /score, port: 5001}
""",
    "aml/endpoints/endpoint.yml": """\
$schema: https://azuremlschemas.azureedge.net/latest/managedOnlineEndpoint.schema.json
name: endpoint
auth_mode: key
traffic: {blue: 100, green: 0}
mirror_traffic: {green: 20}
""",
    "aml/endpoints/deployment.yml": """\
$schema: https://azuremlschemas.azureedge.net/latest/managedOnlineDeployment.schema.json
name: blue
endpoint_name: endpoint
environment: azureml:serving@latest
code_configuration: {code: ../../serving, scoring_script: score.py}
instance_type: Standard_D2as_v4
instance_count: 1
request_settings: {request_timeout_ms: 30000}
""",
    "aml/schedules/nightly.yml": """\
$schema: https://azuremlschemas.azureedge.net/latest/schedule.schema.json
name: nightly
trigger:
  type: cron
  expression: "30 2 * * 1-5"
  time_zone: W. Europe Standard Time
create_job: ../pipelines/train.yml
""",
    "serving/score.py": "",
}


def write_files(root: Path) -> Path:
    """Write the definitions below a folder."""
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


@click.group()
def commands() -> None:
    """What the components call."""


@commands.group()
def step() -> None:
    """The steps."""


@step.command()
@click.option("--day", required=True)
@click.option("--size", type=click.IntRange(1, 9))
@click.option("--exact", type=bool)
@click.option("--note")
@click.option("--raw", type=click.Path(file_okay=False))
@click.option("--output", type=click.Path(file_okay=False), required=True)
def make(**_options: object) -> None:
    """Make something."""


@step.command()
@click.option("--made", type=click.Path(file_okay=False), required=True)
@click.option("--share", type=click.FloatRange(0, 1))
@click.option("--limit", type=float)
@click.option("--output", type=click.Path(file_okay=False), required=True)
def use(**_options: object) -> None:
    """Use it."""


@dataclass(frozen=True)
class Fault:
    """A change of one file and what must be said about it."""

    name: str
    file: str
    old: str
    new: str
    said: str

    def seed(self, root: Path) -> None:
        """Change the file."""
        path = root / "aml" / self.file
        text = path.read_text(encoding="utf-8")
        assert self.old in text, f"{self.file} has no {self.old!r}"
        path.write_text(text.replace(self.old, self.new, 1), encoding="utf-8")


FAULTS = [
    Fault(**fault)
    for fault in yaml.safe_load(
        (Path(__file__).parents[1] / "aml" / "faults.yaml").read_text(encoding="utf-8")
    )
]
