"""The audit log on Azure: an append blob a month, and its anchor as a tag of the model.

The storage account is one of its own, which infra/ makes and names in a tag of the workspace. A
line is appended where the writer saw the blob end: Azure refuses a second one there. The anchor is
a tag of the model's container in the workspace: no version changes by it, and who may write there
need not be the one who may delete a blob.
"""

import contextlib
import functools
import re
from collections.abc import Iterator
from typing import Any

import requests
from typing_extensions import override

from mlops.errors import MlopsError, PlatformError
from mlops.platforms.auditing import MONTH, Anchor, AuditStore, NoAuditLog, NotAnchored, Overtaken
from mlops.platforms.azure.arm import arm_get, arm_put
from mlops.platforms.azure.client import AzureClients
from mlops.platforms.azure.errors import (
    NotFound,
    azure_errors,
    explain,
    failure_of,
    failure_of_answer,
    is_sdk_error,
)
from mlops.settings.azure_names import workspace_id

ACCOUNT_TAG = "audit-account"
"""The tag of the workspace by which infra/ names the storage account."""
CONTAINER = "audit"
ANCHOR_TAG = "mlops-audit-anchor"
_VERSION = "2024-10-01"
_FORBIDDEN = 403
_TAKEN = (409, 412)
"""What Azure answers where a blob exists already, or ends elsewhere."""


class AzureAudit(AuditStore):
    """See `AuditStore`.

    Args:
        clients: of the workspace.
    """

    def __init__(self, clients: AzureClients) -> None:
        self._clients = clients
        self._prefix = f"{clients.settings.values.environment}/"

    @override
    def place(self) -> str:
        return f"https://{self._account}.blob.core.windows.net/{CONTAINER}/{self._prefix}"

    @override
    def months(self) -> list[str]:
        with self._explained("listing the audit log"):
            names = list(self._container.list_blob_names(name_starts_with=self._prefix))
        found = [str(name).removeprefix(self._prefix) for name in names]
        return sorted(name for name in found if re.fullmatch(MONTH, name))

    @override
    def read(self, month: str) -> bytes:
        return self._bytes(month)

    @override
    def tail(self, month: str, longest: int) -> tuple[int, bytes]:
        blob = self._blob(month)
        try:
            with self._explained(f"reading the audit log of {month}"):
                length = int(blob.get_blob_properties().size)
        except NoAuditLog:
            raise
        except NotFound:
            return 0, b""
        start = max(0, length - longest)
        return length, self._bytes(month, start) if length > start else b""

    @override
    def append(self, month: str, line: bytes, at: int, anchor: Anchor) -> None:
        if at == 0:
            self._create(month)
        try:
            self._blob(month).append_block(line, length=len(line), appendpos_condition=at)
        except Exception as error:
            # an answer that was lost is asked for again, and meets its own line
            if not _is_taken(error):
                self._raise(error, f"writing to the audit log of {month}")
            if self._bytes(month, at)[: len(line)] != line:
                raise Overtaken(
                    f"another command has written to the audit log of {month}", "try again"
                ) from None
        try:
            self._set_anchor(anchor)
        except MlopsError as error:
            raise NotAnchored(
                f"the anchor of the audit log cannot be set: {error.message}", error.remedy
            ) from None

    @override
    def anchor(self) -> Anchor | None:
        text = self._model().get("tags", {}).get(ANCHOR_TAG)
        if text is None:
            return None
        try:
            return Anchor.read(text)
        except ValueError:
            raise PlatformError(
                f"the anchor of the audit log cannot be read: the tag {ANCHOR_TAG} says {text!r}",
                "docs/audit.md says what to do",
            ) from None

    def _set_anchor(self, anchor: Anchor) -> None:
        known = self._model()
        text = known.get("tags", {}).get(ANCHOR_TAG, "0:")
        if int(text.partition(":")[0]) > anchor.count:
            return
        tags = {**known.get("tags", {}), ANCHOR_TAG: anchor.text()}
        content: dict[str, Any] = {
            "description": known.get("description"),
            "properties": {},
            "isArchived": False,
        }
        body = {"properties": {**content, **_kept(known), "tags": tags}}
        doing = "setting the anchor of the audit log"
        answer = arm_put(self._clients, doing, self._model_id, _VERSION, body)
        if not answer.ok:
            raise explain(failure_of_answer(answer.status_code, answer.text), doing)

    def _model(self) -> dict[str, Any]:
        """Return what the workspace says of the model itself, which need not exist there yet."""
        doing = "reading the anchor of the audit log"
        answer = arm_get(self._clients, doing, self._model_id, _VERSION)
        if answer.status_code == requests.codes.not_found:
            return {}
        if not answer.ok:
            raise explain(failure_of_answer(answer.status_code, answer.text), doing)
        found: dict[str, Any] = answer.json()["properties"]
        return {**found, "tags": found.get("tags") or {}}

    @property
    def _model_id(self) -> str:
        clients = self._clients
        workspace = workspace_id(clients.names, clients.settings.values.azure)
        return f"{workspace}/models/{clients.settings.model_name}"

    def _create(self, month: str) -> None:
        try:
            self._blob(month).create_append_blob(match_condition=if_missing())
        except Exception as error:
            if not _is_taken(error):
                self._raise(error, f"beginning the audit log of {month}")

    def _bytes(self, month: str, start: int = 0) -> bytes:
        try:
            with self._explained(f"reading the audit log of {month}"):
                content: bytes = self._blob(month).download_blob(offset=start or None).readall()
                return content
        except NoAuditLog:
            raise
        except NotFound:
            return b""

    def _blob(self, month: str) -> Any:
        return self._container.get_blob_client(f"{self._prefix}{month}")

    def _raise(self, error: Exception, doing: str) -> None:
        with self._explained(doing):
            raise error

    def _explained(self, doing: str) -> contextlib.AbstractContextManager[None]:
        return _explained(f"{doing} in {self._account}", self._account)

    @functools.cached_property
    def _account(self) -> str:
        named = self._clients.settings.values.azure.audit_account
        if not named:
            tags = getattr(self._clients.require_workspace(), "tags", None) or {}
            named = tags.get(ACCOUNT_TAG)
        if not named:
            raise NoAuditLog(
                f"the workspace {self._clients.names.workspace} names no storage account of an "
                "audit log",
                "deploy infra/ again, which makes one, or name yours with azure.audit_account "
                "(docs/audit.md)",
            )
        return str(named)

    @functools.cached_property
    def _container(self) -> Any:
        from azure.storage.blob import ContainerClient

        url = f"https://{self._account}.blob.core.windows.net"
        return ContainerClient(url, CONTAINER, credential=self._clients.credential)


def if_missing() -> Any:
    """Return the condition on which a blob is made only where there is none, in the SDK's words."""
    from azure.core import MatchConditions

    return MatchConditions.IfMissing


@contextlib.contextmanager
def _explained(doing: str, account: str) -> Iterator[None]:
    """Say what Azure's errors mean; that there is no such container is `NoAuditLog`."""
    try:
        with azure_errors(doing):
            yield
    except MlopsError as error:
        cause = error.__cause__
        failure = failure_of(cause) if cause else None
        if failure and failure.says("ContainerNotFound"):
            raise NoAuditLog(
                f"{doing}: there is no container {CONTAINER}",
                "deploy infra/ again, which makes it (docs/audit.md)",
            ) from None
        if failure and failure.status == _FORBIDDEN:
            raise NoAuditLog(
                f"{doing}: Azure does not allow it ({failure.code or failure.message})",
                f"give who runs this the role of docs/audit.md on the container {CONTAINER} of "
                f"{account}",
            ) from None
        raise


def _is_taken(error: Exception) -> bool:
    """Tell whether another writer was quicker."""
    return is_sdk_error(error) and failure_of(error).status in _TAKEN


def _kept(known: dict[str, Any]) -> dict[str, Any]:
    """Return what of a model's own description a write must say again."""
    return {name: known[name] for name in ("properties", "isArchived") if name in known}
