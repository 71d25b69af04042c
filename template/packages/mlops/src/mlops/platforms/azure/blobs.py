"""The files of a workspace's own storage: the container of its datastore `workspaceblobstore`."""

import contextlib
import functools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from mlops.errors import PlatformError
from mlops.platforms.azure.client import AzureClients
from mlops.platforms.azure.errors import NotFound, azure_errors, failure_of, is_sdk_error
from mlops.platforms.remote_rows import FileChanged

DATASTORE = "workspaceblobstore"
BESIDE = ".forgetting"
"""So ends the name of what is written to take the place of a file that can only be added to."""
_APPENDED, _WHOLE = "AppendBlob", "BlockBlob"
_BLOCK = 4 * 2**20
_MODIFIED = 412
_PAUSE_SECONDS = 0.2


@dataclass(frozen=True)
class Blob:
    """A file; `changed` is when it was written last, `tag` says which content it has (ETag)."""

    name: str
    changed: datetime
    tag: str = ""


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
                yield Blob(str(each.name), each.last_modified, _plain(each.etag))

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

    def read_tagged(self, name: str) -> tuple[bytes, str] | None:
        """Return the content of a file and its tag; None: it is not there.

        Raises:
            FileChanged: it was written to while it was read.
            MlopsError: Azure fails, or does not allow it.
        """
        try:
            with azure_errors(f"reading {name} in the workspace's storage"), _changes_told():
                found = self._container.download_blob(name)
                return found.readall(), _plain(found.properties.etag)
        except NotFound:
            return None

    def replace(self, name: str, tag: str, content: bytes) -> None:
        """Replace a file of a tag, of whichever of the two kinds it is.

        Raises:
            FileChanged: it has another tag by now, or is gone.
            MlopsError: Azure fails, or does not allow it.
        """
        try:
            with azure_errors(f"writing {name} to the workspace's storage"), _changes_told():
                self._replace(name, tag, content)
        except NotFound:
            raise FileChanged from None

    def remove_left_behind(self, prefix: str) -> None:
        """Remove what a command that was killed had written beside files of a prefix.

        Raises:
            MlopsError: Azure fails, or does not allow it.
        """
        for each in [each for each in self.listed(prefix) if each.name.endswith(BESIDE)]:
            with azure_errors(f"removing {each.name} in the workspace's storage"):
                self._container.delete_blob(each.name)

    def _replace(self, name: str, tag: str, content: bytes) -> None:
        blob = self._container.get_blob_client(name)
        known = blob.get_blob_properties(**_if(tag))
        known.content_settings.content_md5 = None  # of what it was
        kept = {"metadata": known.metadata, "content_settings": known.content_settings}
        kind = str(getattr(known.blob_type, "value", known.blob_type))
        if kind == _WHOLE:
            blob.upload_blob(content, overwrite=True, **kept, **_if(tag))
        elif kind == _APPENDED:
            self._copy_over(blob, name, tag, content, kept)
        else:
            raise PlatformError(f"{name} is a {kind}, which no command replaces")

    def _copy_over(
        self, blob: Any, name: str, tag: str, content: bytes, kept: dict[str, Any]
    ) -> None:
        """Write a file that can only be added to beside the one that it then takes the place of."""
        beside = self._container.get_blob_client(f"{name}{BESIDE}")
        beside.create_append_blob(**kept)
        try:
            for start in range(0, len(content), _BLOCK):
                beside.append_block(content[start : start + _BLOCK])
            copied = blob.start_copy_from_url(beside.url, **_if(tag))["copy_status"]
            while copied == "pending":
                time.sleep(_PAUSE_SECONDS)
                copied = blob.get_blob_properties().copy.status
            if copied != "success":
                raise PlatformError(f"{name} was not replaced: Azure says {copied}", "try again")
        finally:
            beside.delete_blob()

    @functools.cached_property
    def _container(self) -> Any:
        from azure.storage.blob import ContainerClient

        with azure_errors(f"reading the datastore {DATASTORE}"):
            store = self._clients.workspace.datastores.get(DATASTORE)
        url = f"{store.protocol}://{store.account_name}.blob.{store.endpoint}"
        return ContainerClient(url, store.container_name, credential=self._clients.credential)


@contextlib.contextmanager
def _changes_told() -> Iterator[None]:
    """Raise FileChanged where Azure says that a file has another tag, or is gone."""
    try:
        yield
    except Exception as error:
        if is_sdk_error(error):
            failure = failure_of(error)
            if failure.status == _MODIFIED and failure.says("ConditionNotMet"):
                raise FileChanged from None
        raise


def _if(tag: str) -> dict[str, Any]:
    """Return the condition on which only a file of a tag is touched, in the SDK's words."""
    from azure.core import MatchConditions

    return {"etag": f'"{tag}"', "match_condition": MatchConditions.IfNotModified}


def _plain(tag: object) -> str:
    """Return a tag as it is said in each answer: a list leaves its quotes out."""
    return str(tag or "").strip('"')
