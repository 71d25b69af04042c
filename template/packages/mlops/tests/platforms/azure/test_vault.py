"""An address of who is told, read from the key vault: what is said where it cannot be had."""

from collections.abc import Callable
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from fakes.azure import SdkError, clients_of
from mlops.errors import ConfigError, PlatformError
from mlops.platforms.azure import vault
from mlops.platforms.azure.client import AzureClients
from mlops.platforms.azure.vault import kept_secret
from mlops.settings.loading import LoadedSettings

DENIED = (
    "(Forbidden) Caller is not authorized to perform action on resource. Action: "
    "'Microsoft.KeyVault/vaults/secrets/getSecret/action' Inner error: {'code': 'ForbiddenByRbac'}"
)
CLOSED = (
    "(Forbidden) Public network access is disabled and request is not from a trusted service nor "
    "via an approved private link. Inner error: {'code': 'ForbiddenByConnection'}"
)


class Vault:
    """What a vault answers: a value, or an error."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answer: Any = "https://example.com/hook"
        self.asked: list[str] = []
        monkeypatch.setattr(vault, "_client", self._opened)

    @contextmanager
    def _opened(self, _clients: AzureClients, name: str) -> Any:
        self.asked.append(name)
        yield self

    def get_secret(self, name: str) -> Any:
        self.asked.append(name)
        if isinstance(self.answer, Exception):
            raise self.answer
        return SimpleNamespace(value=self.answer)


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Vault:
    return Vault(monkeypatch)


@pytest.fixture
def clients(load: Callable[..., LoadedSettings]) -> AzureClients:
    azure = {"azure__subscription_id": "s", "azure__alert_vault": "kva-one"}
    return clients_of(load(platform="azure", **azure))[0]


def test_a_secret_is_read_by_its_name(found: Vault, clients: AzureClients) -> None:
    assert kept_secret(clients, "alerts-teams-webhook") == "https://example.com/hook"
    assert found.asked == ["kva-one", "alerts-teams-webhook"]
    found.answer = None
    assert kept_secret(clients, "alerts-teams-webhook") == ""


def test_without_a_vault_nothing_is_asked(
    found: Vault, load: Callable[..., LoadedSettings]
) -> None:
    clients, _, _ = clients_of(load(platform="azure", azure__subscription_id="s"))
    assert kept_secret(clients, "alerts-teams-webhook") is None
    assert found.asked == []


@pytest.mark.parametrize(
    ("error", "kind", "message", "remedy"),
    [
        (SdkError(404, "(SecretNotFound)"), ConfigError, "there is none", "Secrets Officer"),
        (SdkError(403, DENIED), ConfigError, "a role is missing", "Key Vault Secrets User on kva"),
        (SdkError(403, CLOSED), ConfigError, "no request from this network", "virtual network"),
        (SdkError(503), PlatformError, "Azure failed with 503", "try again"),
    ],
)
def test_why_it_cannot_be_had_is_said(
    found: Vault,
    clients: AzureClients,
    error: Exception,
    kind: type[ConfigError],
    message: str,
    remedy: str,
) -> None:
    found.answer = error
    with pytest.raises(kind) as raised:
        kept_secret(clients, "alerts-teams-webhook")
    assert raised.value.message.startswith(
        "reading the secret alerts-teams-webhook of the key vault kva-one: "
    )
    assert message in raised.value.message
    assert remedy in raised.value.remedy


def test_a_fault_of_this_program_is_none_of_azure_s(found: Vault, clients: AzureClients) -> None:
    found.answer = KeyError("value")
    with pytest.raises(KeyError):
        kept_secret(clients, "alerts-teams-webhook")


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("kva-abc", True),
        ("k-v", True),
        ("a" * 24, True),
        ("a" * 25, False),
        ("kv", False),
        ("kva-", False),
        ("evil.example.com/", False),
    ],
)
def test_a_vault_is_a_name_of_a_vault(
    load: Callable[..., LoadedSettings], name: str, good: bool
) -> None:
    if good:
        assert load(azure__alert_vault=name).values.azure.alert_vault == name
    else:
        with pytest.raises(ConfigError, match="alert_vault"):
            load(azure__alert_vault=name)
