"""Which of Azure's host names exist here, and what answers for each."""

import fnmatch
from enum import Enum

LOGIN = "login.microsoftonline.com"
ARM = "management.azure.com"
LOG_ANALYTICS = ("api.loganalytics.io", "api.loganalytics.azure.com")
GITHUB = "pipelines.actions.githubusercontent.com"
AZURE_DEVOPS = "dev.azure.com"
VAULTS = "vault.azure.net"

_EMULATED = (
    LOGIN,
    ARM,
    *LOG_ANALYTICS,
    GITHUB,
    AZURE_DEVOPS,
    "*.api.azureml.ms",
    "*.in.applicationinsights.azure.com",
    "*.inference.ml.azure.com",
    f"*.{VAULTS}",
)
_STORED = ("*.blob.core.windows.net",)


class Part(Enum):
    """What answers for a host name."""

    EMULATOR = "emulator"
    AZURITE = "azurite"


def part_of(host: str) -> Part | None:
    """Return what answers for a host name, None if it is none of Azure's."""
    host = host.lower()
    if any(fnmatch.fnmatchcase(host, pattern) for pattern in _STORED):
        return Part.AZURITE
    if any(fnmatch.fnmatchcase(host, pattern) for pattern in _EMULATED):
        return Part.EMULATOR
    return None


def certified(region: str) -> list[str]:
    """Return the names that the certificate of the emulator and of Azurite holds."""
    wide = [name for name in (*_EMULATED, *_STORED) if name != "*.inference.ml.azure.com"]
    return [*wide, f"*.{region}.inference.ml.azure.com", "127.0.0.1"]


def ml_api(region: str) -> str:
    """Return the host of Azure ML's own APIs in a region."""
    return f"{region}.api.azureml.ms"


def ingestion(region: str) -> str:
    """Return the host to which events of a region go."""
    return f"{region}-5.in.applicationinsights.azure.com"


def inference(endpoint: str, region: str) -> str:
    """Return the host of an online endpoint."""
    return f"{endpoint}.{region}.inference.ml.azure.com"


def blobs(account: str) -> str:
    """Return the host of a storage account's blobs."""
    return f"{account}.blob.core.windows.net"
