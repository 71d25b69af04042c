"""Which alerts Azure itself watches, as its management API lists the rules."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from fakes.azure import clients_of
from mlops.errors import ConfigError, PlatformError
from mlops.platforms.azure.alert_rules import alert_rules
from mlops.platforms.azure.client import AzureClients
from mlops.settings.loading import LoadedSettings


def rule(name: str, **properties: Any) -> dict[str, Any]:
    return {"name": name, "properties": properties}


class Azure:
    """What the API answers, and what it was asked."""

    def __init__(self, clients: AzureClients, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clients = clients
        self.answer: Any = {"value": []}
        self.status = 200
        self.asked: list[str] = []
        monkeypatch.setattr(requests.Session, "get", self._get)

    def _get(self, url: str, **options: Any) -> Any:
        self.asked.append(f"{url}?{options['params']['api-version']}")
        if isinstance(self.answer, Exception):
            raise self.answer
        return SimpleNamespace(
            status_code=self.status, text=str(self.answer), json=lambda: self.answer
        )


@pytest.fixture
def azure(load: Callable[..., LoadedSettings], monkeypatch: pytest.MonkeyPatch) -> Azure:
    clients, _, _ = clients_of(load(platform="azure", azure__subscription_id="s"))
    return Azure(clients, monkeypatch)


def test_rules_are_named_by_their_alert(azure: Azure) -> None:
    azure.answer = {
        "value": [
            rule("alert-tiny-dev-latency", enabled=True),
            rule("alert-tiny-dev-error-rate", enabled=False),
            rule("alert-tiny-dev-drift"),
            rule("somebody-else-s", enabled=True),
            rule("alert-tiny-prod-latency", enabled=False),
        ]
    }
    assert alert_rules(azure.clients) == {"latency": True, "error-rate": False, "drift": True}
    (asked,) = azure.asked
    assert asked.endswith(
        "/subscriptions/s/resourceGroups/rg-tiny-dev/providers/Microsoft.Insights/"
        "scheduledQueryRules?2023-12-01"
    )


def test_no_rule_was_deployed(azure: Azure) -> None:
    assert alert_rules(azure.clients) == {}


def test_who_may_not_read_them_is_told_so(azure: Azure) -> None:
    azure.status, azure.answer = 403, "AuthorizationFailed"
    with pytest.raises(
        (ConfigError, PlatformError), match="reading the alert rules of rg-tiny-dev"
    ):
        alert_rules(azure.clients)


def test_azure_does_not_answer(azure: Azure) -> None:
    azure.answer = requests.ConnectionError("no route")
    with pytest.raises(PlatformError, match="Azure cannot be reached"):
        alert_rules(azure.clients)
