"""A person's rows in Azure: the files of the workspace's storage, and the events in its logs."""

import unicodedata
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from typing_extensions import override

from mlops.errors import ConfigError, MlopsError
from mlops.monitoring.event_properties import EVENTS, TIME
from mlops.monitoring.rules.kql import literal
from mlops.platforms.azure import purge
from mlops.platforms.azure.blobs import BESIDE, WorkspaceBlobs
from mlops.platforms.azure.client import AzureClients
from mlops.platforms.azure.collector import ROOT
from mlops.platforms.azure.errors import azure_errors
from mlops.platforms.azure.event_log import LOG
from mlops.platforms.azure.log_analytics import SCOPE, pages, parse_time, query
from mlops.platforms.azure.scored import FOLDER
from mlops.platforms.http import OwnSession
from mlops.platforms.remote_rows import (
    RemoteEvent,
    RemoteFile,
    RemoteFiles,
    RemoteLog,
    RemoteRows,
    Store,
)

BY_HAND = (
    "Azure, jobs: delete the outputs of training and scoring jobs whose data had the key",
    "Azure, data assets: register data without the key, and delete the files of the old versions",
)
"""What nothing here removes, as docs/forget.md says."""
_PREDICTION = "prediction"
_BEFORE_ALL = datetime(2000, 1, 1, tzinfo=UTC)
_LONGEST_WHOLE = 18
"""So many digits every whole number of KQL has room for."""

Ask = Callable[[str], list[dict[str, Any]]]


def remote_rows(clients: AzureClients) -> RemoteRows:
    """Return what is kept of the settings' environment."""
    azure = clients.settings.values.azure
    keeps_events = azure.log_analytics_workspace_id or azure.insights_connection_string
    log = AzureLog(clients) if keeps_events else None
    return RemoteRows(AzureFiles(clients.settings.endpoint_name, WorkspaceBlobs(clients)), log)


class AzureFiles(RemoteFiles):
    """The files of the data collector, and the events of `mlops score`.

    Args:
        endpoint: the environment's own.
        blobs: the workspace's files.
    """

    def __init__(self, endpoint: str, blobs: WorkspaceBlobs) -> None:
        self._endpoint = endpoint
        self._blobs = blobs

    @override
    def listed(self, endpoints: Collection[str]) -> Iterator[RemoteFile]:
        for prefix in self._collected(endpoints):
            for blob in self._blobs.listed(prefix):
                if not blob.name.endswith(BESIDE):
                    yield RemoteFile(blob.name, blob.tag, Store.COLLECTED)
        for blob in self._blobs.listed(f"{FOLDER}/"):
            if blob.name.endswith(".parquet"):
                yield RemoteFile(blob.name, blob.tag, Store.SCORED)

    @override
    def read(self, name: str) -> tuple[bytes, str] | None:
        return self._blobs.read_tagged(name)

    @override
    def replace(self, name: str, tag: str, content: bytes) -> None:
        self._blobs.replace(name, tag, content)

    @override
    def tidy(self, endpoints: Collection[str]) -> None:
        for prefix in self._collected(endpoints):
            self._blobs.remove_left_behind(prefix)

    def _collected(self, endpoints: Collection[str]) -> list[str]:
        return [f"{ROOT}/{each}/" for each in sorted({self._endpoint, *endpoints})]


class AzureLog(RemoteLog):
    """The events of the environment in Log Analytics.

    Args:
        clients: of the workspace.
        ask: runs a query in KQL; None: Log Analytics does.
    """

    def __init__(self, clients: AzureClients, ask: Ask | None = None) -> None:
        self._clients = clients
        self._ask = ask or self._query
        self._session = OwnSession()

    @override
    def events(self, key: str, *, whole: bool) -> list[RemoteEvent]:
        settings = self._clients.settings

        def text(since: datetime, rows: int) -> str:
            return events_query(
                settings.model_name, settings.values.environment, key, since, rows, whole=whole
            )

        try:
            found = [row for page in pages(self._ask, text, _BEFORE_ALL) for row in page]
        except MlopsError as error:
            # what Log Analytics answers may quote the query, and with it the key
            raise type(error)(f"{EVENTS} cannot be searched", error.remedy or "try again") from None
        return list(dict.fromkeys(_event(row) for row in found))

    @override
    def ask_for_purge(self, ids: Sequence[str]) -> str:
        return purge.ask_for_purge(self._clients, ids)

    @override
    def is_purged(self, operation: str) -> bool:
        return purge.is_purged(self._clients, operation)

    def _query(self, text: str) -> list[dict[str, Any]]:
        workspace = self._clients.settings.values.azure.log_analytics_workspace_id
        if workspace is None:
            raise ConfigError(
                "no Log Analytics workspace is named",
                "set azure.log_analytics_workspace_id in conf (docs/going-live.md)",
            )
        with azure_errors("signing in to Log Analytics"):
            token = self._clients.tokens.token(SCOPE)
        return query(self._session, token, workspace, text, LOG)


def events_query(
    model: str, environment: str, key: str, since: datetime, rows: int, *, whole: bool
) -> str:
    """Return the KQL for events of predictions that name a key, in the order of time."""
    said = "tostring(Properties.key)"
    if whole and len(key.lstrip("-")) <= _LONGEST_WHOLE:
        is_key = f"tolong({said}) == {key}"
    else:
        forms = sorted({unicodedata.normalize(form, key) for form in ("NFC", "NFD")})
        is_key = f'trim(@"\\s+", {said}) in ({", ".join(map(literal, forms))})'
    names = {"id": "inference_id", "key": "key", "endpoint": "endpoint"}
    lines = (
        EVENTS,
        f"where Name == {literal(_PREDICTION)}",
        f"where {TIME} >= datetime({since.isoformat()})",
        f"where tostring(Properties.model_name) == {literal(model)}",
        f"where tostring(Properties.environment) == {literal(environment)}",
        f"where {is_key}",
        f"project {TIME}, "
        + ", ".join(f"{name} = tostring(Properties.{what})" for name, what in names.items()),
        f"order by {TIME} asc",
        f"take {rows}",
    )
    return "\n| ".join(lines)


def _event(row: dict[str, Any]) -> RemoteEvent:
    time = parse_time(str(row[TIME])).astimezone(UTC)
    return RemoteEvent(str(row["id"]), str(row["key"]), str(row["endpoint"]), time)
