"""The key that signs versions, which stays in a key vault (docs/supply-chain.md)."""

from typing import Any

from mlops.errors import ConfigError
from mlops.platforms.azure.client import AzureClients
from mlops.platforms.azure.errors import azure_errors

ROLE = "Key Vault Crypto User"


class VaultKey:
    """An EC key P-256 of a key vault; see `RemoteKey`.

    Args:
        clients: who asks.

    Raises:
        ConfigError: conf names no key.
    """

    def __init__(self, clients: AzureClients) -> None:
        address = clients.settings.values.signing.vault_key
        if not address:
            raise ConfigError(
                "signing.by is key_vault, and conf names no key",
                "set signing.vault_key: docs/supply-chain.md",
            )
        self._clients, self._address = clients, address
        self._doing = f"signing with {address} (it takes the role {ROLE})"

    def public_pem(self) -> bytes:
        """Return the public key as PEM.

        Raises:
            ConfigError: it is no EC key P-256, or may not be read.
            PlatformError: the vault does not answer.
        """
        from cryptography.hazmat.primitives.asymmetric import ec

        from mlops.signing.keys import pem_of

        vault, _, rest = self._address.removeprefix("https://").partition("/keys/")
        name, _, version = rest.partition("/")
        with azure_errors(self._doing), self._key_client(f"https://{vault}") as client:
            key = client.get_key(name, version or None).key
        if str(getattr(key.crv, "value", key.crv)) != "P-256":
            raise ConfigError(
                f"{self._address} is no EC key P-256", "make one: docs/supply-chain.md"
            )
        numbers = ec.EllipticCurvePublicNumbers(
            int.from_bytes(key.x), int.from_bytes(key.y), ec.SECP256R1()
        )
        return pem_of(numbers.public_key())

    def sign_digest(self, digest: bytes) -> bytes:
        """Return the signature of a SHA-256 digest: r and s, 32 bytes each.

        Raises:
            ConfigError: it may not be used.
            PlatformError: the vault does not answer.
        """
        with azure_errors(self._doing), self._crypto_client() as client:
            return bytes(client.sign("ES256", digest).signature)

    def _key_client(self, vault: str) -> Any:
        credential = self._clients.credential
        keys = _packages()
        return keys.KeyClient(vault, credential)

    def _crypto_client(self) -> Any:
        credential = self._clients.credential
        _packages()
        from azure.keyvault.keys.crypto import CryptographyClient

        return CryptographyClient(self._address, credential)


def _packages() -> Any:
    try:
        from azure.keyvault import keys
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"signing with a key vault needs packages that are not installed ({error.name})",
            "run `uv sync --group azure`",
        ) from None
    return keys
