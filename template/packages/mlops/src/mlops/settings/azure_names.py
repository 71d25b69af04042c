"""What resources are called in Azure: one place, which infra/ and the commands agree on."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from mlops.errors import ConfigError
from mlops.settings.sections import AzureSettings

SUBSCRIPTION_VARIABLE = "AZURE_SUBSCRIPTION_ID"
_ONLINE_NAME = re.compile(r"[a-z](?:[a-z0-9-]{1,30}[a-z0-9])")


@dataclass(frozen=True)
class AzureNames:
    """The names of an environment's resources, and of the registry that all environments share."""

    resource_group: str
    workspace: str
    compute: str
    registry: str
    registry_resource_group: str
    endpoint_identity: str


def azure_names(project: str, environment: str, settings: AzureSettings) -> AzureNames:
    """Return the names that the settings give, or else those that follow from the project's.

    Args:
        project: the project's name, as in pyproject's `[tool.mlops]`.
        environment: dev, test or prod.
        settings: the section `azure`.
    """
    return AzureNames(
        resource_group=settings.resource_group or f"rg-{project}-{environment}",
        # Azure ML takes at most 33 characters.
        workspace=settings.workspace or f"mlw-{project[:24]}-{environment}",
        compute=settings.compute or f"cpu-{environment}",
        registry=settings.registry or f"mlr-{project}",
        registry_resource_group=settings.registry_resource_group or f"rg-{project}-shared",
        endpoint_identity=f"id-{project}-{environment}-endpoint",
    )


def subscription_id(settings: AzureSettings, variables: Mapping[str, str] = os.environ) -> str:
    """Return the subscription's id.

    Raises:
        ConfigError: neither the settings nor the environment name one.
    """
    found = settings.subscription_id or variables.get(SUBSCRIPTION_VARIABLE, "")
    if not found:
        raise ConfigError(
            "no Azure subscription is named",
            f"set the variable {SUBSCRIPTION_VARIABLE} or azure.subscription_id in conf/base.yaml",
        )
    return found


def workspace_id(names: AzureNames, settings: AzureSettings) -> str:
    """Return the id of the workspace.

    Raises:
        ConfigError: neither the settings nor the environment name a subscription.
    """
    return (
        f"/subscriptions/{subscription_id(settings)}/resourceGroups/{names.resource_group}"
        f"/providers/Microsoft.MachineLearningServices/workspaces/{names.workspace}"
    )


def identity_id(names: AzureNames, settings: AzureSettings) -> str | None:
    """Return the id of the identity that a new endpoint gets; None lets Azure make one.

    Raises:
        ConfigError: neither the settings nor the environment name a subscription.
    """
    if settings.endpoint_identity == "system":
        return None
    return settings.endpoint_identity_id or (
        f"/subscriptions/{subscription_id(settings)}"
        f"/resourceGroups/{names.registry_resource_group}"
        f"/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{names.endpoint_identity}"
    )


def alert_rule(project: str, environment: str, alert: str) -> str:
    """Return the name of the rule of an alert, given its id."""
    return f"alert-{project}-{environment}-{alert}"


def log_cap_rule(project: str, environment: str) -> str:
    """Return the name of the rule that tells that the logs take nothing more today."""
    return f"log-cap-{project}-{environment}"


def check_online_name(kind: str, name: str) -> None:
    """Check the name of an endpoint or of a deployment.

    Raises:
        ConfigError: Azure does not allow it.
    """
    if not _ONLINE_NAME.fullmatch(name):
        raise ConfigError(
            f"the name of the {kind}, {name!r}, must start with a letter and hold 3 to 32 small "
            "letters, digits and dashes"
        )
