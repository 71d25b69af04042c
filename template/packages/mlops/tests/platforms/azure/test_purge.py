"""Purges of events, as Azure's management API answers of them."""

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from fakes.azure import clients_of
from mlops.errors import ConfigError, PlatformError
from mlops.platforms.azure.client import AzureClients
from mlops.platforms.azure.purge import VERSION, ask_for_purge, is_purged, log_workspace
from mlops.settings.loading import LoadedSettings

CUSTOMER = "5f0c8b7e-0000-4000-8000-00000000000a"
GROUP = "/subscriptions/s/resourceGroups/rg-tiny-dev/providers/Microsoft.OperationalInsights"
WORKSPACE = f"{GROUP}/workspaces/log-tiny"
ARM = "https://management.azure.com"
OPERATION = "purge-970318e7-b859-4edb-8903-83b1b54d0b74"
IDS = ["0f" * 16, "1e" * 16]


def workspace(customer: str = CUSTOMER, name: str = "log-tiny") -> dict[str, Any]:
    return {"id": f"{GROUP}/workspaces/{name}", "properties": {"customerId": customer.upper()}}


def error(code: str, message: str = "it said no") -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


class Azure:
    """What the API answers, and what it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.found: Any = (200, {"value": [workspace("another", "log-b"), workspace()]})
        self.purge: Any = (202, {"operationId": OPERATION})
        self.status: Any = (200, {"status": "pending"})
        self.asked: list[tuple[str, Any]] = []
        monkeypatch.setattr(requests.Session, "get", self._get)
        monkeypatch.setattr(requests.Session, "post", self._post)

    def _get(self, url: str, **options: Any) -> Any:
        assert options["params"] == {"api-version": VERSION}
        self.asked.append((url.removeprefix(ARM), None))
        return _answer(self.status if "/operations/" in url else self.found)

    def _post(self, url: str, **options: Any) -> Any:
        self.asked.append((url.removeprefix(ARM), options["json"]))
        return _answer(self.purge)


def _answer(said: Any) -> Any:
    if isinstance(said, Exception):
        raise said
    status, body = said

    def read() -> Any:
        if body is None:
            raise ValueError
        return body

    ok = status < 400
    return SimpleNamespace(status_code=status, ok=ok, text=json.dumps(body), json=read)


@pytest.fixture
def azure(monkeypatch: pytest.MonkeyPatch) -> Azure:
    return Azure(monkeypatch)


@pytest.fixture
def clients(load: Callable[..., LoadedSettings]) -> AzureClients:
    names = {"azure__subscription_id": "s", "azure__log_analytics_workspace_id": CUSTOMER}
    return clients_of(load(platform="azure", **names))[0]


def test_events_are_named_by_their_ids_alone(azure: Azure, clients: AzureClients) -> None:
    assert ask_for_purge(clients, IDS) == OPERATION
    named = {"column": "Properties", "key": "inference_id", "operator": "in", "value": IDS}
    assert azure.asked == [
        (f"{GROUP}/workspaces", None),
        (f"{WORKSPACE}/purge", {"table": "AppEvents", "filters": [named]}),
    ]


@pytest.mark.parametrize(
    ("answer", "ended"),
    [
        ((200, {"status": "pending"}), False),
        ((200, {"status": "completed"}), True),
        ((404, error("ResourceNotFound")), True),
    ],
)
def test_an_operation_has_ended_or_not(
    azure: Azure, clients: AzureClients, answer: Any, ended: bool
) -> None:
    azure.status = answer
    assert is_purged(clients, OPERATION) is ended
    assert azure.asked[-1][0] == f"{WORKSPACE}/operations/{OPERATION}"


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (
            (403, error("AuthorizationFailed")),
            ConfigError,
            f"who runs this may not purge; give them the role Data Purger on {WORKSPACE}",
        ),
        (
            (429, error("TooManyRequests")),
            PlatformError,
            "50 purges an hour; call again in an hour",
        ),
        ((401, error("InvalidToken")), ConfigError, "not signed in to Azure; sign in"),
        ((400, error("BadRequest", IDS[0])), PlatformError, r"answered 400 \(BadRequest\)"),
        ((500, None), PlatformError, r"answered 500 \(no code\)"),
        ((503, error(IDS[0])), PlatformError, r"answered 503 \(no code\)"),
        ((202, {}), PlatformError, "named no operation"),
        ((202, {"operationId": "../x"}), PlatformError, "named no operation"),
        (requests.ConnectionError("no route"), PlatformError, "Azure cannot be reached"),
    ],
)
def test_why_a_purge_was_not_taken_is_said_without_what_was_sent(
    azure: Azure, clients: AzureClients, answer: Any, kind: type[Exception], said: str
) -> None:
    azure.purge = answer
    with pytest.raises(kind, match=said) as raised:
        ask_for_purge(clients, IDS)
    assert IDS[0] not in str(raised.value)


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        ((403, error("AuthorizationFailed")), ConfigError, "a role is missing"),
        ((200, {"value": []}), PlatformError, "an answer without a status"),
        ((503, error("Busy")), PlatformError, "Azure failed with 503"),
        (requests.ConnectionError("no route"), PlatformError, "Azure cannot be reached"),
    ],
)
def test_a_status_that_is_not_told_is_an_error(
    azure: Azure, clients: AzureClients, answer: Any, kind: type[Exception], said: str
) -> None:
    azure.status = answer
    with pytest.raises(kind, match=said):
        is_purged(clients, OPERATION)


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        ((200, {"value": [workspace("another")]}), ConfigError, r"is not in the resource group rg"),
        ((200, {"other": 1}), PlatformError, "another answer"),
        ((403, error("AuthorizationFailed")), ConfigError, "a role is missing"),
    ],
)
def test_a_workspace_that_is_not_found_is_never_guessed(
    azure: Azure, clients: AzureClients, answer: Any, kind: type[Exception], said: str
) -> None:
    azure.found = answer
    with pytest.raises(kind, match=said):
        ask_for_purge(clients, IDS)
    assert all(body is None for _, body in azure.asked)


def test_a_workspace_elsewhere_is_named_and_must_be_the_one_that_is_searched(
    azure: Azure, load: Callable[..., LoadedSettings]
) -> None:
    place = "/subscriptions/o/resourceGroups/g/providers/Microsoft.OperationalInsights/workspaces/l"
    names = {"azure__subscription_id": "s", "azure__log_analytics_workspace_id": CUSTOMER}
    settings = load(platform="azure", azure__log_analytics_resource_id=place, **names)
    clients = clients_of(settings)[0]
    azure.found = (200, {"id": place, "properties": {"customerId": CUSTOMER}})
    assert log_workspace(clients) == place
    assert azure.asked == [(place, None)]
    azure.found = (200, {"id": place, "properties": {"customerId": "another"}})
    with pytest.raises(ConfigError, match=f"{CUSTOMER} is not {place}"):
        log_workspace(clients)
    with pytest.raises(ConfigError, match="log_analytics_resource_id"):
        load(azure__log_analytics_resource_id="/subscriptions/s/elsewhere")
