"""An online endpoint and its deployments as resources of Azure: how they are read and written."""

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlops.errors import ConfigError
from mlops.hints import typed
from mlops.platforms.azure.client import AzureClients
from mlops.platforms.azure.collector import as_it_is
from mlops.platforms.azure.errors import azure_errors, word_of
from mlops.platforms.azure.lease import AzureLease, read_lease
from mlops.platforms.azure.origin import origin_of
from mlops.platforms.base import Deployment, DeploymentShare
from mlops.platforms.lease_rules import Shares
from mlops.progress import Report, silent
from mlops.settings.azure_names import identity_id
from mlops.settings.sections import Auth

ENDPOINT_FILE = "aml/endpoints/endpoint.yml"
FETCHING = "storage-initializer"
"""The container that brings a deployment its model and code before the server starts."""
SUCCEEDED = "succeeded"
AUTH_MODES: Mapping[Auth, str] = {"key": "key", "entra": "aad_token"}
"""What callers send, in Azure's words."""
_ENDED = (SUCCEEDED, "failed", "canceled")
_VERSION = re.compile(r"/versions/(\d+)$|:(\d+)$")


@dataclass(frozen=True)
class View:
    """The endpoint as Azure described it at one moment."""

    entity: Any
    deployments: Mapping[str, Any]

    @property
    def tags(self) -> dict[str, str]:
        """The endpoint's tags."""
        return dict(self.entity.tags or {})

    @property
    def lease(self) -> AzureLease | None:
        """The lease that the tags hold."""
        return read_lease(self.tags)

    @property
    def traffic(self) -> dict[str, int]:
        """The percentage of each deployment, in order of name."""
        shares = self.entity.traffic or {}
        return {name: int(shares.get(name) or 0) for name in sorted(self.deployments)}

    @property
    def mirror(self) -> dict[str, int]:
        """The deployment that gets copies of requests, with its percentage."""
        copies = self.entity.mirror_traffic or {}
        return {name: int(percent) for name, percent in copies.items() if percent}

    @property
    def client_id(self) -> str:
        """The client id of the identity that was given to it; empty where Azure made one."""
        given = getattr(self.entity.identity, "user_assigned_identities", None) or ()
        return next((str(each.client_id) for each in given if each.client_id), "")

    @property
    def described(self) -> dict[str, Deployment]:
        """What is deployed, in order of name."""
        return {name: describe(self.deployments[name]) for name in sorted(self.deployments)}

    @property
    def shares(self) -> Shares:
        """What each deployment serves and its percentage."""
        traffic = self.traffic
        return {
            name: DeploymentShare(each.model_version, traffic[name], each.origin)
            for name, each in self.described.items()
        }

    @property
    def in_progress(self) -> bool:
        """Whether Azure is still creating, changing or removing a deployment."""
        return any(state_of(each) not in _ENDED for each in self.deployments.values())


@dataclass(frozen=True)
class Change:
    """What is to be written; None leaves it as it is."""

    traffic: Mapping[str, int] | None = None
    mirror: Mapping[str, int] | None = None
    tags: Mapping[str, str] | None = None


class EndpointResource:
    """The resource of one endpoint.

    Args:
        clients: of the workspace.
        name: the endpoint's name.
    """

    def __init__(self, clients: AzureClients, name: str) -> None:
        self._clients = clients
        self.name = name

    def read(self) -> View | None:
        """Return the endpoint as it is, or None if there is none."""
        doing = f"reading the endpoint {self.name}"
        client = self._clients.workspace
        entity = self._clients.find(doing, client.online_endpoints.get, self.name)
        if entity is None:
            return None
        with azure_errors(f"listing the deployments of {self.name}"):
            found = list(client.online_deployments.list(self.name))
        return View(entity, {each.name: each for each in found})

    def existing(self) -> View:
        """Return the endpoint as it is.

        Raises:
            ConfigError: it does not exist.
        """
        view = self.read()
        if view is None:
            raise ConfigError(
                f"the endpoint {self.name} does not exist in the workspace "
                f"{self._clients.names.workspace}",
                f"{typed('deploy')} makes it",
            )
        return view

    def create(self, tags: Mapping[str, str]) -> None:
        """Create the endpoint of aml/endpoints/endpoint.yml, without deployments."""
        from azure.ai.ml import load_online_endpoint
        from azure.ai.ml.entities import IdentityConfiguration, ManagedIdentityConfiguration

        with azure_errors(f"reading {ENDPOINT_FILE}"):
            entity: Any = load_online_endpoint(self._clients.settings.project.root / ENDPOINT_FILE)
        entity.name = self.name
        entity.tags = dict(tags)
        entity.auth_mode = AUTH_MODES[self._clients.settings.values.serving.auth]
        identity = identity_id(self._clients.names, self._clients.settings.values.azure)
        if identity is not None:
            entity.identity = IdentityConfiguration(
                type="user_assigned",
                user_assigned_identities=[ManagedIdentityConfiguration(resource_id=identity)],
            )
        self._put(entity)

    def write(self, view: View, change: Change) -> None:
        """Write the endpoint as it was read, with a change.

        Raises:
            Conflict: Azure is at work on it.
        """
        entity = view.entity
        traffic = view.traffic if change.traffic is None else change.traffic
        entity.traffic = {name: share for name, share in traffic.items() if share}
        if change.mirror is not None:
            entity.mirror_traffic = dict(change.mirror)
        if change.tags is not None:
            entity.tags = dict(change.tags)
        self._put(entity)

    def put_deployment(self, entity: Any, report: Report) -> None:
        """Create or replace a deployment, and wait until it runs or failed."""
        doing = f"deploying {entity.name} to {self.name}"
        entity.endpoint_name = self.name
        sent = copy.copy(entity)
        sent.data_collector = as_it_is(entity.data_collector)
        with azure_errors(doing):
            poller = self._clients.workspace.online_deployments.begin_create_or_update(sent)
            self._clients.finish(poller, doing, report)

    def remove_deployment(self, name: str, report: Report) -> None:
        """Remove a deployment, and wait until it is gone."""
        doing = f"removing {name} from {self.name}"
        with azure_errors(doing):
            poller = self._clients.workspace.online_deployments.begin_delete(name, self.name)
            self._clients.finish(poller, doing, report)

    def log(self, deployment: str, lines: int, container: str | None = None) -> str:
        """Return the last lines that a deployment printed.

        Args:
            deployment: its name.
            lines: how many at most.
            container: another container than the scoring server's, such as FETCHING.
        """
        logs = self._clients.workspace.online_deployments.get_logs
        more = {"container_type": container} if container else {}
        with azure_errors(f"reading the log of {deployment}"):
            text = logs(deployment, self.name, lines, **more)
        return "\n".join(str(text).splitlines()[-lines:])

    def key(self) -> str:
        """Return the primary key."""
        with azure_errors(f"reading the key of the endpoint {self.name}"):
            return str(self._clients.workspace.online_endpoints.get_keys(self.name).primary_key)

    def _put(self, entity: Any) -> None:
        doing = f"changing the endpoint {self.name}"
        with azure_errors(doing):
            poller = self._clients.workspace.online_endpoints.begin_create_or_update(entity)
            self._clients.finish(poller, doing, silent)


def describe(found: Any) -> Deployment:
    """Return what a deployment serves, as its tags and its state say."""
    tags = dict(found.tags or {})
    state = state_of(found)
    return Deployment(
        name=str(found.name),
        model_version=version_of(str(found.model)) or _number(tags.get("model_version")) or 0,
        model_sha256=str(tags.get("model_sha256", "")),
        commit=str(tags.get("commit", "")),
        healthy=state == SUCCEEDED,
        detail="" if state == SUCCEEDED else f"Azure says that it is {state}",
        origin=origin_of(found),
    )


def version_of(reference: str) -> int | None:
    """Return the version at the end of a model's id."""
    found = _VERSION.search(reference)
    return int(found[1] or found[2]) if found else None


def _number(tag: str | None) -> int | None:
    """Return the number that a tag holds; people can write anything into one."""
    return int(tag) if tag and tag.isdecimal() else None


def state_of(found: Any) -> str:
    """Return a deployment's state in small letters."""
    return word_of(found.provisioning_state)
