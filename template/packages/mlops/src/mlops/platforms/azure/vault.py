"""A secret of the vault that infra/ makes for the addresses of who is told of alerts."""

from typing import Any

from mlops.errors import ConfigError, MlopsError
from mlops.platforms.azure.client import AzureClients
from mlops.platforms.azure.errors import azure_errors

ROLE = "Key Vault Secrets User"
_FORBIDDEN, _NOT_FOUND = 403, 404
_PATIENCE = {
    "retry_total": 3,
    "retry_backoff_max": 10,
    "connection_timeout": 10,
    "read_timeout": 20,
}
"""Less than the client's own, which would let an alarm wait for minutes; times in seconds."""


def kept_secret(clients: AzureClients, name: str) -> str | None:
    """Return a secret; None where azure.alert_vault names no vault.

    Args:
        clients: who asks.
        name: of the secret.

    Raises:
        ConfigError: it is not in the vault, or may not be read.
        PlatformError: the vault does not answer.
    """
    vault = clients.settings.values.azure.alert_vault
    if not vault:
        return None
    doing = f"reading the secret {name} of the key vault {vault}"
    with azure_errors(doing), _client(clients, vault) as client:
        try:
            return str(client.get_secret(name).value or "")
        except Exception as error:
            if refused := _refused(error, doing, vault):
                raise refused from None
            raise


def _refused(error: Exception, doing: str, vault: str) -> MlopsError | None:
    """Return the error that says what to do where the vault answers no."""
    status = getattr(error, "status_code", None)
    if status == _NOT_FOUND:
        return ConfigError(
            f"{doing}: there is none",
            f"have it written by somebody with the role Key Vault Secrets Officer on {vault}",
        )
    if status == _FORBIDDEN and "ForbiddenByRbac" in str(error):
        return ConfigError(
            f"{doing}: a role is missing", f"give who runs this the role {ROLE} on {vault}"
        )
    return None


def _client(clients: AzureClients, vault: str) -> Any:
    credential = clients.credential
    try:
        from azure.keyvault.secrets import SecretClient
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"reading secrets of Azure needs packages that are not installed ({error.name})",
            "run `uv sync --group azure`",
        ) from None
    return SecretClient(f"https://{vault}.vault.azure.net", credential, **_PATIENCE)
