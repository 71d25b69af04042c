"""One emulator for a module of tests, and clients of it in this process."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

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
