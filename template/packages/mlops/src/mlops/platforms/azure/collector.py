"""The data collector of a deployment: it writes what the scoring code hands it to storage.

The SDK would register a data asset for each collection whenever it sends a deployment. Who brings
back an old one may register nothing, and what was read from Azure it cannot send at all. So the
assets are made here, once, and the collector is sent as it is.
"""

import copy
from typing import Any

from mlops.platforms.azure.client import AzureClients
from mlops.platforms.azure.data import create
from mlops.settings.azure_names import workspace_id

FEATURES = "features"
"""The collection of features, as serving/insights.py calls it."""
ROOT = "modelDataCollector"
"""The folder of the workspace's storage in which Azure ML collects."""
_FOLDER = f"azureml://datastores/workspaceblobstore/paths/{ROOT}"
_VERSION = 1


def wanted_collector(
    clients: AzureClients, given: Any, endpoint: str, deployment: str, *, features: bool
) -> Any:
    """Return what a deployment is to collect, or None.

    Args:
        clients: of the workspace.
        given: what its definition says already, or None.
        endpoint: the endpoint's name.
        deployment: the deployment's.
        features: whether features are collected.

    Raises:
        MlopsError: the data asset of a collection cannot be made.
    """
    from azure.ai.ml.entities import DataCollector, DeploymentCollection

    wanted = given or DataCollector(collections={})
    if features:
        wanted.collections[FEATURES] = DeploymentCollection(enabled="true")
    for name, collection in wanted.collections.items():
        collection.data = _asset(clients, f"{endpoint}/{deployment}/{name}")
    return wanted if wanted.collections else None


def as_it_is(collector: Any) -> Any:
    """Return a collector that the SDK sends without registering anything, as often as need be."""
    if collector is None:
        return None
    from azure.ai.ml.entities import DataCollector

    sent: Any = DataCollector(collections={})
    sent._to_rest_object = lambda: copy.deepcopy(collector)._to_rest_object()
    return sent


def _asset(clients: AzureClients, folder: str) -> str:
    """Return the id of the data asset of a collection's folder, which is made where it lacks."""
    name = folder.replace("/", "-")
    doing = f"reading the data {name}"
    data = clients.workspace.data
    if clients.find(doing, data.get, name=name, version=str(_VERSION)) is None:
        create(clients, name, _VERSION, f"{_FOLDER}/{folder}", {})
    workspace = workspace_id(clients.names, clients.settings.values.azure)
    return f"{workspace}/data/{name}/versions/{_VERSION}"
