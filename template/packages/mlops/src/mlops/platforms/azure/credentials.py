"""How commands sign in to Azure: no secret, no command-line tool, and for as long as they run.

A CI's assertion lives for some minutes only: it is asked for anew whenever a token has to be, so
that a job that waits for hours of training stays signed in.
"""

import os
from collections.abc import Mapping
from typing import Any, Literal

import requests

from mlops.errors import ConfigError, PlatformError
from mlops.platforms.http import OwnSession

AUDIENCE = "api://AzureADTokenExchange"
_GITHUB_URL = "ACTIONS_ID_TOKEN_REQUEST_URL"
_GITHUB_TOKEN = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"  # nosec B105  # the name of a variable
_DEVOPS_URL = "SYSTEM_OIDCREQUESTURI"
_DEVOPS_TOKEN = "SYSTEM_ACCESSTOKEN"  # nosec B105  # the name of a variable
_DEVOPS_CONNECTION = "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"
_TIMEOUT_SECONDS = 30.0
_ATTEMPTS = 3

Kind = Literal["github", "azure-devops", "default"]


def sign_in_kind(variables: Mapping[str, str]) -> Kind:
    """Tell which way of signing in the environment variables ask for."""
    if variables.get(_GITHUB_URL) and variables.get("AZURE_CLIENT_ID"):
        return "github"
    if variables.get(_DEVOPS_URL) and variables.get(_DEVOPS_CONNECTION):
        return "azure-devops"
    return "default"


def open_credential(variables: Mapping[str, str] = os.environ) -> Any:
    """Return the credential of azure-identity for the place where this command runs.

    In GitHub Actions the job's own identity, on Azure DevOps the service connection's, elsewhere
    whatever `DefaultAzureCredential` finds: a person who signed in, a managed identity, variables.

    Raises:
        ConfigError: a variable is missing.
    """
    from azure.identity import (
        AzurePipelinesCredential,
        ClientAssertionCredential,
        DefaultAzureCredential,
    )

    kind = sign_in_kind(variables)
    if kind == "github":
        return ClientAssertionCredential(
            _needed(variables, "AZURE_TENANT_ID"),
            _needed(variables, "AZURE_CLIENT_ID"),
            lambda: github_assertion(variables),
        )
    if kind == "azure-devops":
        return AzurePipelinesCredential(
            tenant_id=_needed(variables, "AZURESUBSCRIPTION_TENANT_ID", "AZURE_TENANT_ID"),
            client_id=_needed(variables, "AZURESUBSCRIPTION_CLIENT_ID", "AZURE_CLIENT_ID"),
            service_connection_id=_needed(variables, _DEVOPS_CONNECTION),
            system_access_token=_needed(variables, _DEVOPS_TOKEN),
        )
    return DefaultAzureCredential()


def github_assertion(variables: Mapping[str, str], session: requests.Session | None = None) -> str:
    """Ask GitHub for a fresh assertion of who this job is.

    Raises:
        ConfigError: the job may not ask for one.
        PlatformError: GitHub does not give one.
    """
    url, token = variables.get(_GITHUB_URL), variables.get(_GITHUB_TOKEN)
    if not url or not token:
        raise ConfigError(
            "GitHub gives this job no identity",
            "the job in the workflow needs `permissions: id-token: write`",
        )
    problem = ""
    for _ in range(_ATTEMPTS):
        try:
            answer = (session or OwnSession()).get(
                url,
                params={"audience": AUDIENCE},
                headers={"Authorization": f"Bearer {token}"},
                timeout=_TIMEOUT_SECONDS,
            )
            answer.raise_for_status()
            return str(answer.json()["value"])
        except (requests.RequestException, KeyError, TypeError) as error:
            problem = f"{type(error).__name__}: {error}"
    raise PlatformError(f"GitHub gave this job no assertion to sign in to Azure with: {problem}")


def _needed(variables: Mapping[str, str], *names: str) -> str:
    for name in names:
        if variables.get(name):
            return variables[name]
    raise ConfigError(f"to sign in to Azure the variable {' or '.join(names)} is needed")
