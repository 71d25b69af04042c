"""The jobs of .github/workflows have the time that the settings let their commands wait."""

import re
from collections.abc import Callable

import pytest
import yaml

from fakes.places import PROJECT
from mlops.settings.loading import load_settings
from mlops.settings.project import find_project
from mlops.settings.sections import Settings

LONGEST_ON_GITHUB = 360
AROUND = 15 * 60
"""Seconds for installing the project and for the short commands of a job."""


def training(values: Settings) -> float:
    return values.azure.training_timeout_seconds


def release(values: Settings) -> float:
    return turn() + rollback(values) + smoke_test(values) + values.ab_test.duration_seconds


def turn() -> float:
    """How long a release waits for another one."""
    text = (PROJECT / ".github" / "workflows" / "deploy.yml").read_text(encoding="utf-8")
    (minutes,) = re.findall(r" --wait (\d+)m ", text)
    return 60 * float(minutes)


def rollback(values: Settings) -> float:
    # a deployment, and the endpoint or its traffic
    return 2 * values.azure.operation_timeout_seconds + smoke_test(values)


def smoke_test(values: Settings) -> float:
    return values.smoke_test.requests * values.endpoint.request_timeout_seconds


WAITS = [
    ("ml-cicd.yml", "train-dev", "dev", training),
    ("deploy.yml", "release", "test", release),
    ("deploy.yml", "release", "prod", release),
    ("rollback.yml", "rollback", "prod", rollback),
]


@pytest.mark.parametrize(
    ("workflow", "job", "environment", "seconds"),
    # the maturity level says which environments there are
    [wait for wait in WAITS if (PROJECT / "conf" / f"{wait[2]}.yaml").is_file()],
)
def test_a_job_is_not_cut_off_while_its_command_waits(
    workflow: str, job: str, environment: str, seconds: Callable[[Settings], float]
) -> None:
    path = PROJECT / ".github" / "workflows" / workflow
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    minutes = content["jobs"][job]["timeout-minutes"]
    values = load_settings(find_project(PROJECT), environment, variables={}).values
    assert 60 * minutes >= seconds(values) + AROUND, f"conf/{environment}.yaml asks for more time"
    assert minutes <= LONGEST_ON_GITHUB


OURS = (
    *("copilot-setup-steps.yml", "deploy.yml", "infra.yml", "ml-cicd.yml", "monitor.yml"),
    *("rollback.yml", "template-update.yml", "weekly.yml"),
)
PIN = re.compile(r"uses:\s*([\w.-]+/[\w./-]+)@(\S+(?:\s+#\s*\S+)?)")


def test_each_action_has_one_version() -> None:
    """Dependabot and updates of the template move the same lines: half of both is neither."""
    folder = PROJECT / ".github"
    files = [*(folder / "workflows" / name for name in OURS), folder / "actions/setup/action.yml"]
    pins: dict[str, set[str]] = {}
    for path in files:
        if path.is_file():
            for action, version in PIN.findall(path.read_text(encoding="utf-8")):
                pins.setdefault(action, set()).add(version)
    assert "actions/checkout" in pins
    several = {action: sorted(found) for action, found in pins.items() if len(found) > 1}
    assert several == {}, "keep the higher version of each, on all lines of that action"
