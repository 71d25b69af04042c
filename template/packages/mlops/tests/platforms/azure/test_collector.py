"""What a deployment collects, and that the SDK sends it as it is."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from fakes.azure import SdkError
from mlops.platforms.azure.client import AzureClients
from mlops.platforms.azure.collector import FEATURES, as_it_is, wanted_collector
from mlops.settings.loading import LoadedSettings


class Data:
    """The data assets of a workspace."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}
        self.made: list[str] = []

    def get(self, name: str, version: str) -> Any:
        if f"{name}:{version}" not in self.kept:
            raise SdkError(404)
        return self.kept[f"{name}:{version}"]

    def create_or_update(self, asset: Any) -> None:
        self.kept[f"{asset.name}:{asset.version}"] = asset
        self.made.append(asset.path)


@pytest.fixture
def data() -> Data:
    return Data()


@pytest.fixture
def clients(load: Callable[..., LoadedSettings], data: Data) -> AzureClients:
    found = AzureClients(load(azure__subscription_id="s"))
    workspaces = SimpleNamespace(get=lambda _name: SimpleNamespace())
    vars(found)["workspace"] = SimpleNamespace(data=data, workspaces=workspaces)
    return found


def wanted(clients: AzureClients, given: Any = None, *, features: bool = True) -> Any:
    return wanted_collector(clients, given, "tiny-dev", "blue", features=features)


def test_features_are_collected_below_the_deployment_s_folder(
    clients: AzureClients, data: Data
) -> None:
    found = wanted(clients)._to_rest_object()
    assert list(found.collections) == [FEATURES]
    assert found.collections[FEATURES].data_collection_mode.lower() == "enabled"
    end = "/workspaces/mlw-tiny-dev/data/tiny-dev-blue-features/versions/1"
    assert found.collections[FEATURES].data_id.endswith(end)
    root = "azureml://datastores/workspaceblobstore/paths/modelDataCollector"
    assert data.made == [f"{root}/tiny-dev/blue/features"]


def test_the_asset_is_made_once_so_that_who_may_make_none_can_bring_back_a_deployment(
    clients: AzureClients, data: Data
) -> None:
    wanted(clients)
    wanted(clients)
    assert len(data.made) == 1


def test_what_the_team_s_definition_collects_stays(clients: AzureClients, data: Data) -> None:
    from azure.ai.ml.entities import DataCollector, DeploymentCollection

    def given() -> Any:
        return DataCollector(collections={"model_outputs": DeploymentCollection(enabled="true")})

    assert set(wanted(clients, given()).collections) == {"model_outputs", FEATURES}
    assert set(wanted(clients, given(), features=False).collections) == {"model_outputs"}
    assert len(data.made) == 2


def test_without_anything_to_collect_there_is_no_collector(clients: AzureClients) -> None:
    assert wanted(clients, features=False) is None
    assert as_it_is(None) is None


def test_the_sdk_registers_nothing_and_can_send_it_again(clients: AzureClients) -> None:
    sent = as_it_is(wanted(clients))
    assert sent.collections == {}, "what the SDK would register"
    for _ in range(2):
        assert list(sent._to_rest_object().collections) == [FEATURES]


def test_what_was_read_from_azure_can_be_sent(clients: AzureClients) -> None:
    from azure.ai.ml.entities import DataCollector

    read = DataCollector._from_rest_object(wanted(clients)._to_rest_object())
    (found,) = as_it_is(read)._to_rest_object().collections.values()
    assert found.data_id.endswith("/tiny-dev-blue-features/versions/1")
