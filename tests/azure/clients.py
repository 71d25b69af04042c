"""What the tests of the emulator do with Microsoft's own clients."""

import time
from pathlib import Path
from typing import Any

import requests
from azure.ai.ml import MLClient, load_job
from azure.ai.ml.entities import (
    CodeConfiguration,
    ManagedOnlineDeployment,
    ManagedOnlineEndpoint,
)
from azure.identity import (
    DefaultAzureCredential,
)
from fakes.waiting import LONGEST_SECONDS

from .emulator import AzureEmulator

EXAMPLE = Path(__file__).with_name("example")
ENDED = ("Completed", "Failed", "Canceled")


def client(azure: AzureEmulator, environment: str = "dev", **options: Any) -> MLClient:
    """Return a client of a workspace, without retries that would hide what is tested."""
    return MLClient(
        DefaultAzureCredential(),
        azure.state.subscription,
        f"rg-{environment}",
        f"mlw-{environment}",
        show_progress=False,
        **{"retry_total": 0, **options},
    )


def deploy(
    to: MLClient, endpoint: str, name: str, model: str = "azureml:model:1", **more: Any
) -> Any:
    return to.online_deployments.begin_create_or_update(
        ManagedOnlineDeployment(
            name=name,
            endpoint_name=endpoint,
            model=model,
            environment="azureml:serving:1",
            code_configuration=CodeConfiguration(
                code=str(EXAMPLE / "serving"), scoring_script="score.py"
            ),
            **{"instance_type": "Standard_D4as_v4", "instance_count": 1, **more},
        )
    ).result()


def make_endpoint(to: MLClient, name: str, **more: Any) -> Any:
    return to.online_endpoints.begin_create_or_update(
        ManagedOnlineEndpoint(name=name, auth_mode="key", **more)
    ).result()


def route(to: MLClient, endpoint: str, traffic: dict[str, int], **mirror: int) -> Any:
    found = to.online_endpoints.get(endpoint)
    found.traffic, found.mirror_traffic = traffic, mirror
    return to.online_endpoints.begin_create_or_update(found).result()


def score(to: MLClient, endpoint: str, body: Any = None, **headers: str) -> requests.Response:
    key = to.online_endpoints.get_keys(endpoint).primary_key
    url = to.online_endpoints.get(endpoint).scoring_uri
    return requests.post(
        url, json=body or {}, headers={"Authorization": f"Bearer {key}", **headers}, timeout=30
    )


def example() -> Any:
    """Return the example pipeline, as a job that was not submitted yet."""
    return load_job(EXAMPLE / "pipeline.yml")


def run_job(to: MLClient, job: Any) -> Any:
    submitted = to.jobs.create_or_update(job)
    deadline = time.monotonic() + LONGEST_SECONDS
    while (found := to.jobs.get(submitted.name)).status not in ENDED:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found
