"""Data assets: a folder of raw data gets a version, by which a training job names it."""

import hashlib
import re
from pathlib import Path
from typing import Any

from mlops.errors import ConfigError
from mlops.files import file_hashes
from mlops.platforms.azure.client import ACTIVE_VERSIONS, ALL_VERSIONS, AzureClients
from mlops.platforms.azure.errors import azure_errors
from mlops.progress import Report

HASH_TAG = "files.sha256"
_PATH = re.compile(r"azureml://datastores/[A-Za-z0-9_]+/paths(?:/[^/\s*?]+)+/?")


def folder_hash(folder: Path) -> str:
    """Return one hash of the names and contents of a folder's files.

    Raises:
        ConfigError: there is no such folder, or nothing in it.
    """
    hashes = file_hashes(folder)
    if not hashes:
        raise ConfigError(f"--data-dir: {folder} is no folder with files")
    lines = [f"{name} {digest}" for name, digest in hashes.items()]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def register(clients: AzureClients, folder: Path, name: str, report: Report) -> str:
    """Register a folder as the next version of a data asset; return `<name>:<version>`.

    The same files keep the version that they have.

    Raises:
        ConfigError: the folder is empty, or Azure refuses the name.
    """
    digest = folder_hash(folder)
    for number, asset in _versions(clients, name, ACTIVE_VERSIONS).items():
        if (asset.tags or {}).get(HASH_TAG) == digest:
            report(f"these files are version {number} already")
            return f"{name}:{number}"
    number = _next_number(clients, name)
    report(f"uploading {folder} as {name}, version {number}")
    return create(clients, name, number, str(folder), {HASH_TAG: digest})


def register_path(clients: AzureClients, path: str, name: str, report: Report) -> str:
    """Register a folder of a datastore where it lies; return `<name>:<version>`.

    The same folder keeps the version that it has.

    Raises:
        ConfigError: the path names no folder of a datastore, or Azure refuses it.
    """
    check_path(path)
    path = path.rstrip("/")
    # Azure tells the path with subscription, group and workspace before the datastore
    end = path.removeprefix("azureml:/")
    for number, asset in _versions(clients, name, ACTIVE_VERSIONS).items():
        if str(asset.path).rstrip("/").endswith(end):
            report(f"this folder is version {number} already")
            return f"{name}:{number}"
    number = _next_number(clients, name)
    report(f"registering {path} as {name}, version {number}")
    return create(clients, name, number, path, {})


def check_path(path: str) -> None:
    """Check the form of the path of a folder in a datastore.

    Raises:
        ConfigError: it has another form.
    """
    folder = path.partition("/paths/")[2]
    if not _PATH.fullmatch(path) or ".." in folder.split("/"):
        raise ConfigError(
            f"--path: {path!r} must name a folder of a datastore, such as "
            "azureml://datastores/lake/paths/transactions/2026-11"
        )


def create(clients: AzureClients, name: str, number: int, path: str, tags: dict[str, str]) -> str:
    """Make a version of a data asset of a folder; return `<name>:<version>`."""
    from azure.ai.ml.entities import Data

    asset = Data(name=name, version=str(number), type="uri_folder", path=path, tags=tags)
    with azure_errors(f"registering {name}, version {number}"):
        clients.workspace.data.create_or_update(asset)
    return f"{name}:{number}"


def _next_number(clients: AzureClients, name: str) -> int:
    """Return the number after the highest, archived versions included: they keep theirs."""
    return max(_versions(clients, name, ALL_VERSIONS), default=0) + 1


def _versions(clients: AzureClients, name: str, view: str) -> dict[int, Any]:
    found = clients.find(
        f"listing the versions of {name}",
        lambda: list(clients.workspace.data.list(name=name, list_view_type=view)),
    )
    return {int(each.version): each for each in found or [] if str(each.version).isdecimal()}
