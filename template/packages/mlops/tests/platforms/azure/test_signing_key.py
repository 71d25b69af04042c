"""A key of a key vault signs versions; a stand-in answers as the vault's clients do."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from fakes.azure import SdkError, clients_of
from fakes.tiny_version import write_version
from mlops.errors import ConfigError
from mlops.platforms.azure.client import AzureClients
from mlops.platforms.azure.signing_key import VaultKey
from mlops.settings.loading import LoadedSettings
from mlops.signing.folder import Trust, require_untampered
from mlops.signing.keys import pem_of
from mlops.signing.policy import sign_version

Load = Callable[..., LoadedSettings]
ADDRESS = "https://kv-tiny.vault.azure.net/keys/model-signing"


class Vault:
    """A key P-256, as the SDK shows it: x and y of the public key, and r and s of a signature."""

    def __init__(self) -> None:
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.curve: Any = SimpleNamespace(value="P-256")
        self.asked: list[object] = []
        self.error: Exception | None = None

    @contextmanager
    def opened(self, *asked: object) -> Iterator["Vault"]:
        self.asked.extend(each for each in asked if isinstance(each, str))
        yield self

    def get_key(self, name: str, version: str | None) -> Any:
        self.asked += [name, version]
        if self.error:
            raise self.error
        public = self.private.public_key().public_numbers()
        x, y = public.x.to_bytes(32), public.y.to_bytes(32)
        return SimpleNamespace(key=SimpleNamespace(crv=self.curve, x=x, y=y))

    def sign(self, algorithm: str, digest: bytes) -> Any:
        assert (algorithm, len(digest)) == ("ES256", 32)
        der = self.private.sign(digest, ec.ECDSA(Prehashed(SHA256())))
        r, s = decode_dss_signature(der)
        return SimpleNamespace(signature=r.to_bytes(32) + s.to_bytes(32))


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch) -> Vault:
    found = Vault()
    keys = SimpleNamespace(KeyClient=found.opened)
    crypto = SimpleNamespace(CryptographyClient=found.opened)
    monkeypatch.setitem(sys.modules, "azure.keyvault.keys", keys)
    monkeypatch.setitem(sys.modules, "azure.keyvault.keys.crypto", crypto)
    monkeypatch.setattr("azure.keyvault.keys", keys, raising=False)
    return found


@pytest.fixture
def settings(load: Load) -> LoadedSettings:
    azure = {"platform": "azure", "azure__subscription_id": "s"}
    return load(**azure, signing__by="key_vault", signing__vault_key=ADDRESS)


@pytest.fixture
def clients(settings: LoadedSettings) -> AzureClients:
    return clients_of(settings)[0]


def test_it_signs_what_the_public_verifier_accepts(
    vault: Vault, settings: LoadedSettings, clients: AzureClients, tmp_path: Path
) -> None:
    folder = write_version(tmp_path / "version")
    sign_version(folder, settings, lambda: VaultKey(clients))
    assert vault.asked == ["https://kv-tiny.vault.azure.net", "model-signing", None, ADDRESS]
    listed = tmp_path / "release.pem"
    listed.write_bytes(pem_of(vault.private.public_key()))
    assert require_untampered(folder, Trust((listed,))) == "signed by the key release.pem"


def test_a_version_of_the_key_is_asked_for_by_its_name(vault: Vault, load: Load) -> None:
    version = "0123456789abcdef0123456789abcdef"
    azure = {"platform": "azure", "azure__subscription_id": "s", "signing__by": "key_vault"}
    named = load(**azure, signing__vault_key=f"{ADDRESS}/{version}")
    VaultKey(clients_of(named)[0]).public_pem()
    assert vault.asked[1:] == ["model-signing", version]


def test_a_key_of_another_kind_is_refused(vault: Vault, clients: AzureClients) -> None:
    vault.curve = SimpleNamespace(value="P-384")
    with pytest.raises(ConfigError, match=r"is no EC key P-256"):
        VaultKey(clients).public_pem()


def test_the_role_that_it_takes_is_named(vault: Vault, clients: AzureClients) -> None:
    vault.error = SdkError(403, "(Forbidden) no")
    with pytest.raises(ConfigError, match="Key Vault Crypto User"):
        VaultKey(clients).public_pem()


def test_without_an_address_nothing_is_asked(vault: Vault, load: Load) -> None:
    azure = {"platform": "azure", "azure__subscription_id": "s"}
    with pytest.raises(ConfigError, match=r"set signing\.vault_key"):
        VaultKey(clients_of(load(**azure, signing__by="key_vault"))[0])
    assert vault.asked == []
