"""Data assets: a folder of raw data gets a version, by which a training job names it."""

import hashlib
from pathlib import Path

from ..errors import ConfigError
from ..files import file_sha256
from .azure_client import AzureClients
from .azure_errors import azure_errors
from .base import Report

HASH_TAG = "files.sha256"


def folder_hash(folder: Path) -> str:
    """Return one hash of the names and contents of a folder's files.

    Raises:
        ConfigError: there is no such folder, or nothing in it.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if not files:
        raise ConfigError(f"--data-dir: {folder} is no folder with files")
    lines = [f"{path.relative_to(folder).as_posix()} {file_sha256(path)}" for path in files]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def register(clients: AzureClients, folder: Path, name: str, report: Report) -> str:
    """Register a folder as the next version of a data asset; return `<name>:<version>`.

    The same files keep the version that they have.

    Raises:
        ConfigError: the folder is empty, or Azure refuses the name.
    """
    from azure.ai.ml.entities import Data

    digest = folder_hash(folder)
    assets = clients.workspace.data
    known = clients.find(f"listing the versions of {name}", lambda: list(assets.list(name=name)))
    numbers = {int(each.version): each for each in known or [] if str(each.version).isdecimal()}
    for number, each in numbers.items():
        if (each.tags or {}).get(HASH_TAG) == digest:
            report(f"these files are version {number} already")
            return f"{name}:{number}"
    number = max(numbers, default=0) + 1
    report(f"uploading {folder} as {name}, version {number}")
    asset = Data(
        name=name,
        version=str(number),
        type="uri_folder",
        path=str(folder),
        tags={HASH_TAG: digest},
    )
    with azure_errors(f"registering {name}, version {number}"):
        assets.create_or_update(asset)
    return f"{name}:{number}"
