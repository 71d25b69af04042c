"""All events of one endpoint on Azure: of requests, of `mlops score`, and of what checks found."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import requests

from mlops.artifacts.predictions import Predictions, event_schema
from mlops.errors import ConfigError
from mlops.features import Features
from mlops.platforms.azure import event_log
from mlops.platforms.azure.blobs import WorkspaceBlobs
from mlops.platforms.azure.client import AzureClients
from mlops.platforms.azure.collected import with_features
from mlops.platforms.azure.errors import azure_errors
from mlops.platforms.azure.event_sender import SCOPE as SENDING
from mlops.platforms.azure.event_sender import EventSender
from mlops.platforms.azure.log_analytics import SCOPE, LogTable, query
from mlops.platforms.azure.observations import read_front_log
from mlops.platforms.azure.scored import keep_scored, read_scored
from mlops.window import Window


class AzureEvents:
    """What is kept of one endpoint.

    Args:
        clients: of the workspace.
        endpoint: the endpoint's name.
        session: what calls to Log Analytics are made with.
    """

    def __init__(self, clients: AzureClients, endpoint: str, session: requests.Session) -> None:
        self._clients = clients
        self._endpoint = endpoint
        self._session = session
        self._azure = clients.settings.values.azure
        self._blobs = WorkspaceBlobs(clients)

    def predictions(self, window: Window, features: Features | None) -> Predictions:
        """Return the events of predictions; see `Endpoint.predictions`."""
        rows = event_log.read_requests(self._ask, self._endpoint, window)
        lost = event_log.count_lost(self._ask, self._endpoint, window)
        unread: dict[str, str] = {}
        if features:
            rows, unread = with_features(self._blobs, self._endpoint, rows, features)
        environment = self._clients.settings.values.environment
        scored = read_scored(self._blobs, environment, self._endpoint, window, features)
        tables = [rows.select(list(event_schema(features))).lazy(), scored.rows]
        problems = {**unread, **scored.unread}
        return Predictions(pl.concat(tables), lost, problems, scored.of_scores)

    def keep_scored(self, folder: Path) -> None:
        """Keep the events of a run of `mlops score`; see `Endpoint.keep_scored`."""
        keep_scored(self._blobs, folder)

    def keep(self, checks: Sequence[Mapping[str, Any]]) -> None:
        """Keep what checks found; see `Endpoint.keep_checks`."""
        connection = self._azure.insights_connection_string
        if connection is None:
            raise ConfigError(
                "what checks find is kept nowhere",
                "set azure.insights_connection_string in conf to that of the Application Insights "
                "of this environment (docs/going-live.md)",
            )
        events = event_log.check_events(self._endpoint, checks)
        with azure_errors("signing in to Application Insights"):
            self._clients.tokens.token(SENDING)
        EventSender(connection, self._clients.credential).send(events)

    def checks(self, name: str, window: Window) -> list[dict[str, Any]]:
        """Return what checks found; see `Endpoint.checks`."""
        return event_log.read_checks(self._ask, self._endpoint, name, window)

    def token(self) -> str:
        """Return the token with which Log Analytics is asked."""
        with azure_errors("signing in to Log Analytics"):
            return self._clients.tokens.token(SCOPE)

    def front_log(self, window: Window) -> list[dict[str, Any]]:
        """Return the requests that the front logged; see `Endpoint.front_log`."""
        return read_front_log(self._ask, self._endpoint, window)

    def _ask(self, text: str, table: LogTable = event_log.LOG) -> list[dict[str, Any]]:
        workspace = self._azure.log_analytics_workspace_id
        if workspace is None:
            raise ConfigError(
                "events cannot be read without a Log Analytics workspace",
                "set azure.log_analytics_workspace_id in conf to the id of the one of this "
                "environment (docs/going-live.md)",
            )
        return query(self._session, self.token(), workspace, text, table)
