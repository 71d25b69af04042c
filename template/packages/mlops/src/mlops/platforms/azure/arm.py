"""Asking Azure Resource Manager for what Azure ML's SDK does not."""

from collections.abc import Mapping
from typing import Any

import requests

from mlops.errors import PlatformError
from mlops.platforms.azure.client import AzureClients
from mlops.platforms.http import OwnSession

ARM = "https://management.azure.com"
ARM_SCOPE = f"{ARM}/.default"
_TIMEOUT_SECONDS = 30


def arm_get(clients: AzureClients, doing: str, path: str, version: str) -> requests.Response:
    """Return what Azure answers, whatever its status.

    Args:
        clients: who asks.
        doing: how messages call it.
        path: of the resource, from its `/subscriptions/`.
        version: of the API.

    Raises:
        PlatformError: Azure cannot be reached.
    """
    return _ask(clients, doing, "GET", path, version)


def arm_put(
    clients: AzureClients, doing: str, path: str, version: str, body: Mapping[str, Any]
) -> requests.Response:
    """Write a resource as a whole; return what Azure answers, whatever its status.

    Args:
        clients: who asks.
        doing: how messages call it.
        path: of the resource, from its `/subscriptions/`.
        version: of the API.
        body: the resource.

    Raises:
        PlatformError: Azure cannot be reached.
    """
    return _ask(clients, doing, "PUT", path, version, body)


def _ask(
    clients: AzureClients,
    doing: str,
    method: str,
    path: str,
    version: str,
    body: Mapping[str, Any] | None = None,
) -> requests.Response:
    token = clients.tokens.token(ARM_SCOPE)
    try:
        return OwnSession().request(
            method,
            f"{ARM}{path}",
            json=body,
            params={"api-version": version},
            headers={"Authorization": f"Bearer {token}"},
            timeout=_TIMEOUT_SECONDS,
        )
    except requests.RequestException as lost:
        raise PlatformError(
            f"{doing}: Azure cannot be reached ({type(lost).__name__})",
            "check network and proxy, then try again",
        ) from None
