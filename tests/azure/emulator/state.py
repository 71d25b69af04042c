"""What exists in this Azure: resources by their ARM id, and what happened to it."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .errors import AzureError, not_found

PROVIDER = "Microsoft.MachineLearningServices"

Body = dict[str, Any]
Event = tuple[str, str, dict[str, str]]
"""When, which and with what properties: a row of the table AppEvents."""


@dataclass(frozen=True)
class Store:
    """Where a workspace or a registry keeps its files."""

    account: str
    container: str


@dataclass
class TrafficRow:
    """One row of the table AmlOnlineEndpointTrafficLog, and when it can first be read."""

    columns: dict[str, Any]
    visible_at: float = field(default_factory=time.time)


@dataclass
class State:
    """Everything that exists. Ids are compared without regard to case, as ARM does."""

    subscription: str
    tenant: str
    region: str
    groups: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)
    """Ids of registries that another team of the tenant has."""
    resources: dict[str, Body] = field(default_factory=dict)
    stores: dict[str, Store] = field(default_factory=dict)
    traffic_log: list[TrafficRow] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    job_outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    """The URI of each output of each job."""
    client_faults: list[str] = field(default_factory=list)
    """What a client sent that breaks the contract of Azure's API."""

    def group_id(self, group: str) -> str:
        """Return the id of a resource group."""
        return f"/subscriptions/{self.subscription}/resourceGroups/{group}"

    def put(self, resource_id: str, body: Body) -> Body:
        """Create or replace a resource."""
        kind, name = kind_and_name(resource_id)
        old = self.resources.get(resource_id.lower())
        now = datetime.now(UTC).isoformat()
        system = dict(old["systemData"]) if old else {"createdAt": now, "createdBy": "emulator"}
        full = {
            **body,
            "id": old["id"] if old else resource_id,
            "name": name,
            "type": f"{PROVIDER}/{kind}",
            "systemData": system | {"lastModifiedAt": now},
        }
        self.resources[resource_id.lower()] = full
        return full

    def find(self, resource_id: str) -> Body | None:
        """Return a resource if it exists."""
        return self.resources.get(resource_id.lower())

    def get(self, resource_id: str) -> Body:
        """Return a resource.

        Raises:
            AzureError: it does not exist (404).
        """
        found = self.find(resource_id)
        if found is None:
            kind, name = kind_and_name(resource_id)
            raise not_found(f"The Resource '{PROVIDER}/{kind}/{name}'")
        return found

    def children(self, collection_id: str) -> list[Body]:
        """Return what lies directly in a collection, such as `…/workspaces/w/models`."""
        start = collection_id.lower() + "/"
        return [
            body
            for key, body in self.resources.items()
            if key.startswith(start) and "/" not in key[len(start) :]
        ]

    def below(self, resource_id: str) -> Iterator[str]:
        """Yield the keys of a resource and of all that lies in it."""
        start = resource_id.lower()
        for key in list(self.resources):
            if key == start or key.startswith(start + "/"):
                yield key

    def delete(self, resource_id: str) -> None:
        """Remove a resource and all that lies in it."""
        for key in self.below(resource_id):
            del self.resources[key]

    def check_scope(self, subscription: str, group: str) -> None:
        """Refuse a subscription or a resource group that does not exist.

        Raises:
            AzureError: so (404).
        """
        if subscription.lower() != self.subscription.lower():
            raise AzureError(
                404,
                "SubscriptionNotFound",
                f"The subscription '{subscription}' could not be found.",
            )
        if group.lower() not in {name.lower() for name in self.groups}:
            raise AzureError(
                404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found."
            )


def shown(body: Body) -> Body:
    """Return a resource as clients see it: what is in a registry has a name of another form."""
    parts = str(body["id"]).split("/")
    if "registries" in parts and len(parts) > parts.index("registries") + 2:
        return {**body, "id": "azureml://" + "/".join(parts[parts.index("registries") :])}
    return body


def kind_and_name(resource_id: str) -> tuple[str, str]:
    """Return a resource's kind (`workspaces/models/versions`) and its own name.

    Raises:
        AzureError: the id is none of Azure Machine Learning (400).
    """
    start = resource_id.lower().find(PROVIDER.lower())
    if start < 0:
        raise AzureError(400, "InvalidResourceId", f"{resource_id!r} is no resource of Azure ML.")
    parts = resource_id[start:].split("/")[1:]
    return "/".join(parts[0::2]), parts[-1]
