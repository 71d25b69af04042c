"""The files of a workspace's own storage: the container of its datastore `workspaceblobstore`."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from mlops.platforms.azure.client import AzureClients
from mlops.platforms.azure.errors import azure_errors

DATASTORE = "workspaceblobstore"


@dataclass(frozen=True)
class Blob:
    """A file; `changed` is when it was written last."""

    name: str
    changed: datetime


class WorkspaceBlobs:
    """The container, opened when first needed by who is signed in.

    Args:
        clients: of the workspace.
    """

    def __init__(self, clients: AzureClients) -> None:
        self._clients = clients

    def listed(self, prefix: str) -> Iterator[Blob]:
        """Yield the files whose names begin so, in order.

        Raises:
            MlopsError: Azure fails, or does not allow it.
        """
        with azure_errors(f"listing {prefix} in the workspace's storage"):
            for each in self._container.list_blobs(name_starts_with=prefix):
                yield Blob(str(each.name), each.last_modified)

    def read(self, name: str) -> bytes:
        """Return the content of a file.

        Raises:
            MlopsError: Azure fails, or does not allow it.
        """
        with azure_errors(f"reading {name} in the workspace's storage"):
            content: bytes = self._container.download_blob(name).readall()
            return content

    def write(self, name: str, path: Path) -> None:
        """Write a file, or replace it.

        Raises:
            MlopsError: Azure fails, or does not allow it.
        """
        with (
            azure_errors(f"writing {name} to the workspace's storage"),
            path.open("rb") as content,
        ):
            self._container.upload_blob(name, content, overwrite=True)

    @functools.cached_property
    def _container(self) -> Any:
        from azure.storage.blob import ContainerClient

        with azure_errors(f"reading the datastore {DATASTORE}"):
            store = self._clients.workspace.datastores.get(DATASTORE)
        url = f"{store.protocol}://{store.account_name}.blob.{store.endpoint}"
        return ContainerClient(url, store.container_name, credential=self._clients.credential)
