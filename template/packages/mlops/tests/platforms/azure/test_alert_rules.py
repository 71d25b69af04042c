"""Which alerts Azure itself watches, as its management API tells of each rule."""

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from fakes.azure import clients_of
from mlops.errors import ConfigError, PlatformError
from mlops.platforms.azure.alert_rules import LOG_CAP, alert_rules
from mlops.platforms.azure.client import AzureClients
from mlops.platforms.watching import RuleState
from mlops.settings.loading import LoadedSettings

PLACE = "/subscriptions/s/resourceGroups/rg-tiny-dev/providers/Microsoft.Insights"
DENIED = (
    "The client 'c' with object id 'o' does not have authorization to perform action "
    "'Microsoft.Insights/scheduledQueryRules/read' over scope 'x' or the scope is invalid."
)


class Azure:
    """What the API answers of each rule, and what it was asked."""

    def __init__(self, clients: AzureClients, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clients = clients
        self.answers: dict[str, Any] = {}
        self.asked: list[str] = []
        monkeypatch.setattr(requests.Session, "get", self._get)

    def _get(self, url: str, **options: Any) -> Any:
        self.asked.append(f"{url}?{options['params']['api-version']}")
        answer = self.answers.get(url.rpartition("/")[2], error(404, "ResourceNotFound"))
        if isinstance(answer, Exception):
            raise answer
        status, body = answer
        return SimpleNamespace(status_code=status, text=json.dumps(body), json=lambda: body)


def rule(enabled: object) -> tuple[int, Any]:
    return 200, {"properties": {"enabled": enabled}}


def error(status: int, code: str, message: str = "it said no") -> tuple[int, Any]:
    return status, {"error": {"code": code, "message": message}}


@pytest.fixture
def azure(load: Callable[..., LoadedSettings], monkeypatch: pytest.MonkeyPatch) -> Azure:
    clients, _, _ = clients_of(load(platform="azure", azure__subscription_id="s"))
    return Azure(clients, monkeypatch)


def test_each_rule_is_asked_for_by_its_name_and_the_cap_s_too(azure: Azure) -> None:
    azure.answers = {
        "alert-tiny-dev-latency": rule(enabled=True),
        "alert-tiny-dev-error-rate": rule(enabled=False),
        "log-cap-tiny-dev": rule(enabled=True),
    }
    assert alert_rules(azure.clients, ["latency", "error-rate", "drift"]) == {
        "latency": RuleState.ON,
        "error-rate": RuleState.OFF,
        "drift": RuleState.MISSING,
        LOG_CAP: RuleState.ON,
    }
    start = f"https://management.azure.com{PLACE}/scheduledQueryRules"
    assert azure.asked == [
        f"{start}/{name}?2023-12-01"
        for name in (
            *(f"alert-tiny-dev-{each}" for each in ("latency", "error-rate", "drift")),
            "log-cap-tiny-dev",
        )
    ]


@pytest.mark.parametrize("enabled", [None, "true", 1])
def test_what_does_not_say_that_it_is_on_is_not(azure: Azure, enabled: object) -> None:
    azure.answers = {"alert-tiny-dev-latency": rule(enabled)}
    assert alert_rules(azure.clients, ["latency"])["latency"] is RuleState.OFF


def test_who_may_not_read_one_cannot_tell_it_from_one_that_is_missing(azure: Azure) -> None:
    azure.answers = {"alert-tiny-dev-latency": error(403, "AuthorizationFailed", DENIED)}
    assert alert_rules(azure.clients, ["latency"])["latency"] is RuleState.UNSEEN


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (error(404, "ResourceGroupNotFound"), ConfigError, "alert-tiny-dev-latency"),
        (error(404, "SubscriptionNotFound"), ConfigError, "alert-tiny-dev-latency"),
        (error(401, "InvalidAuthenticationToken"), ConfigError, "not signed in"),
        (error(403, "RequestDisallowedByPolicy"), ConfigError, "a policy"),
        (error(503, "ServerBusy"), PlatformError, "Azure failed with 503"),
        ((200, {"value": []}), PlatformError, "an answer without a rule"),
        (requests.ConnectionError("no route"), PlatformError, "Azure cannot be reached"),
    ],
)
def test_what_tells_nothing_of_a_rule_is_an_error(
    azure: Azure, answer: Any, kind: type[Exception], message: str
) -> None:
    azure.answers = {"alert-tiny-dev-latency": answer}
    with pytest.raises(kind, match=message):
        alert_rules(azure.clients, ["latency"])
