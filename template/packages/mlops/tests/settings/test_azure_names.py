"""Names in Azure: derived, or as the settings say."""

from typing import Any

import pytest

from mlops.errors import ConfigError
from mlops.settings.azure_names import azure_names, check_online_name, identity_id, subscription_id
from mlops.settings.sections import AzureSettings


def test_names_follow_from_the_project_and_the_environment() -> None:
    names = azure_names("churn", "prod", AzureSettings())
    assert (names.resource_group, names.workspace) == ("rg-churn-prod", "mlw-churn-prod")
    assert names.compute == "cpu-prod"
    assert (names.registry, names.registry_resource_group) == ("mlr-churn", "rg-churn-shared")


def test_a_name_in_conf_wins() -> None:
    given = AzureSettings(workspace="ours", registry="all", compute="big", resource_group="g")
    names = azure_names("churn", "dev", given)
    assert (names.workspace, names.registry, names.compute) == ("ours", "all", "big")
    assert (names.resource_group, names.registry_resource_group) == ("g", "rg-churn-shared")


def test_the_subscription_is_named_by_conf_or_else_by_a_variable() -> None:
    variables = {"AZURE_SUBSCRIPTION_ID": "from the variable"}
    assert subscription_id(AzureSettings(), variables) == "from the variable"
    assert subscription_id(AzureSettings(subscription_id="conf"), variables) == "conf"
    with pytest.raises(ConfigError, match="set the variable AZURE_SUBSCRIPTION_ID"):
        subscription_id(AzureSettings(), {})


@pytest.mark.parametrize("name", ["", "ab", "Blue", "1blue", "a_b", "blue-", "b" * 33])
def test_a_name_that_azure_does_not_allow_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="3 to 32 small letters"):
        check_online_name("endpoint", name)


def test_a_good_name_is_taken() -> None:
    check_online_name("endpoint", "a" * 27 + "-prod")
    check_online_name("deployment", "blue")


IDENTITY = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity"
OWN = f"{IDENTITY}/userAssignedIdentities/ours"


def test_an_endpoint_gets_the_identity_that_conf_names() -> None:
    def identity(**given: Any) -> str | None:
        settings = AzureSettings(subscription_id="s", registry_resource_group="g", **given)
        return identity_id(azure_names("churn", "prod", settings), settings)

    assert identity() is None
    derived = f"{IDENTITY}/userAssignedIdentities/id-churn-prod-endpoint"
    assert identity(endpoint_identity="user") == derived
    assert identity(endpoint_identity="user", endpoint_identity_id=OWN) == OWN
    with pytest.raises(ValueError, match=r"needs azure\.endpoint_identity: user"):
        identity(endpoint_identity_id=OWN)
    with pytest.raises(ValueError, match="pattern"):
        identity(endpoint_identity="user", endpoint_identity_id="ours")
