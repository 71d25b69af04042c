"""One emulator for a module of tests, and clients of it in this process."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.ai.ml import MLClient
from azure.ai.ml.entities import Environment, Model
from azure.identity import DefaultAzureCredential

from .clients import client, deploy, make_endpoint, route
from .emulator import AzureEmulator
from .environments import inference_server


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureEmulator]:
    """An Azure with workspaces dev and test and a registry; this process is led to it."""
    folder = tmp_path_factory.mktemp("azure")
    python = Path(sys.executable)
    with (
        AzureEmulator(folder, training_python=python, serving_python=inference_server()) as azure,
        pytest.MonkeyPatch.context() as patch,
    ):
        azure.add_workspace("mlw-dev", "rg-dev", "cpu-dev")
        azure.add_workspace("mlw-test", "rg-test")
        azure.add_registry("mlr-shared", "rg-shared")
        for name, value in azure.variables.items():
            patch.setenv(name, value)
        yield azure


@pytest.fixture(autouse=True)
def _no_fault_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "azure" in request.fixturenames:
        request.getfixturevalue("azure").heal()


@pytest.fixture(scope="module")
def dev(azure: AzureEmulator) -> MLClient:
    return client(azure)


@pytest.fixture(scope="module")
def test(azure: AzureEmulator) -> MLClient:
    return client(azure, "test")


@pytest.fixture(scope="module")
def registry(azure: AzureEmulator) -> MLClient:
    return MLClient(DefaultAzureCredential(), registry_name="mlr-shared", show_progress=False)


@pytest.fixture(scope="module")
def models(dev: MLClient, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Three versions of a model; the third cannot be loaded."""
    for number, content in (("1", "one"), ("2", "two"), ("3", "broken")):
        folder = tmp_path_factory.mktemp("model") / "version"
        (folder / "more").mkdir(parents=True)
        (folder / "more" / "version.txt").write_text(content)
        dev.models.create_or_update(
            Model(name="model", version=number, path=folder, tags={"run_id": f"run-{number}"})
        )
    return ["1", "2", "3"]


@pytest.fixture(scope="module")
def environments(dev: MLClient, test: MLClient) -> None:
    for each in (dev, test):
        for name in ("training", "serving"):
            each.environments.create_or_update(
                Environment(name=name, version="1", image="mcr.microsoft.com/azureml/base:1")
            )


@pytest.fixture(scope="module")
def served(dev: MLClient, models: list[str], environments: None) -> str:
    """An endpoint with two deployments; blue has all traffic."""
    make_endpoint(dev, "served", tags={"owner": "team"})
    deploy(dev, "served", "blue", tags={"model_version": "1"})
    deploy(dev, "served", "green", "azureml:model:2")
    route(dev, "served", {"blue": 100})
    return "served"
