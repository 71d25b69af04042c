"""The images that jobs and deployments run in: registered once for each content."""

import tempfile
from pathlib import Path
from typing import Any

from mlops.platforms.azure.client import AzureClients
from mlops.platforms.azure.errors import azure_errors
from mlops.platforms.azure.images import DEFINITION, assemble
from mlops.progress import Report

TRAINING, SERVING = "training", "serving"


def environment_version(root: Path, name: str) -> str:
    """Return the version that an environment of the present content has.

    Raises:
        ConfigError: a file that the image needs does not exist.
    """
    with tempfile.TemporaryDirectory() as folder:
        return assemble(root, name, Path(folder) / name)


def environment_id(clients: AzureClients, name: str, report: Report) -> str:
    """Return the id of an environment of the present content, registering it if need be.

    Azure ML builds the image when it is first used, which takes minutes; its version is a hash of
    all that it is built from, so that a change of the project's own code builds none.

    Raises:
        ConfigError: a file that the image needs does not exist.
    """
    from azure.ai.ml import load_environment

    root = clients.settings.project.root
    environments = clients.workspace.environments
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder) / name
        version = assemble(root, name, context)
        doing = f"reading the environment {name}, version {version}"
        if clients.find(doing, environments.get, name, version=version) is None:
            report(f"registering the environment {name}: Azure ML builds its image once")
            with azure_errors(f"registering the environment {name}"):
                definition = root / "aml" / "environments" / name / DEFINITION
                environment: Any = load_environment(definition)
                environment.version = version
                environment.build.path = str(context)
                environments.create_or_update(environment)
    return f"azureml:{name}:{version}"
