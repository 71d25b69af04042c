"""Asking Azure Resource Manager for what Azure ML's SDK does not."""

from collections.abc import Callable, Mapping
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
    return _asked(doing, lambda: OwnSession().get(f"{ARM}{path}", **_options(clients, version)))


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
    options = {**_options(clients, version), "json": body}
    return _asked(doing, lambda: OwnSession().put(f"{ARM}{path}", **options))


def arm_post(
    clients: AzureClients, doing: str, path: str, version: str, body: Mapping[str, Any]
) -> requests.Response:
    """Ask for an action on a resource; return what Azure answers, whatever its status.

    Args:
        clients: who asks.
        doing: how messages call it.
        path: of the action, from its `/subscriptions/`.
        version: of the API.
        body: what is asked for.

    Raises:
        PlatformError: Azure cannot be reached.
    """
    options = {**_options(clients, version), "json": body}
    return _asked(doing, lambda: OwnSession().post(f"{ARM}{path}", **options))


def _options(clients: AzureClients, version: str) -> dict[str, Any]:
    return {
        "params": {"api-version": version},
        "headers": {"Authorization": f"Bearer {clients.tokens.token(ARM_SCOPE)}"},
        "timeout": _TIMEOUT_SECONDS,
    }


def _asked(doing: str, ask: Callable[[], requests.Response]) -> requests.Response:
    try:
        return ask()
    except requests.RequestException as lost:
        raise PlatformError(
            f"{doing}: Azure cannot be reached ({type(lost).__name__})",
            "check network and proxy, then try again",
        ) from None
