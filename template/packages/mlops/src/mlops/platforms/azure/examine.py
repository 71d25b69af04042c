"""What is missing in Azure, resource by resource, and what to do about it.

Roles cannot be listed by everybody: they are shown as far as reading each resource shows them.
"""

import os
from collections.abc import Callable, Iterator
from typing import Any

import requests

from mlops.diagnosis import Diagnosis, diagnose
from mlops.errors import ConfigError
from mlops.hints import typed
from mlops.platforms.azure.arm import ARM_SCOPE, arm_get
from mlops.platforms.azure.caller import check_auth
from mlops.platforms.azure.client import AzureClients, require_extra
from mlops.platforms.azure.credentials import sign_in_kind, who_signed_in
from mlops.platforms.azure.errors import azure_errors, explain, failure_of_answer, word_of
from mlops.platforms.azure.log_analytics import SCOPE
from mlops.platforms.azure.observations import query_any
from mlops.platforms.http import OwnSession
from mlops.settings.azure_names import subscription_id
from mlops.settings.loading import LoadedSettings

_SIGNED_IN_AS = {
    "github": "the identity of this GitHub job",
    "azure-devops": "the service connection",
    "default": "whoever is signed in on this machine",
}

_NEEDED_BY_ALL = ("packages", "subscription", "signed in")
_NOT_CHECKED = "the rights to write, the quota of machines, whether images and code can be uploaded"

Check = Callable[[], str]


def examine_azure(settings: LoadedSettings) -> list[Diagnosis]:
    """Check each resource of an environment; a check that fails never stops the others.

    What all the others need ends it: the packages, a subscription, and somebody who is signed in.
    """
    diagnoses: list[Diagnosis] = []
    for name, check in _checks(settings):
        diagnoses.append(diagnose(f"azure: {name}", check, "see docs/azure.md"))
        if name in _NEEDED_BY_ALL and not diagnoses[-1].passed:
            return diagnoses
    remedy = "a first deployment in dev shows it"
    return [*diagnoses, Diagnosis("azure: not checked", False, _NOT_CHECKED, remedy, needed=False)]


def _checks(settings: LoadedSettings) -> Iterator[tuple[str, Check]]:
    clients = AzureClients(settings)
    names, azure = clients.names, settings.values.azure

    def ask(doing: str, read: Callable[[], Any], tell: Callable[[Any], str]) -> Check:
        def check() -> str:
            with azure_errors(doing):
                found = read()
            return tell(found)

        return check

    yield "packages", _packages
    yield "subscription", lambda: subscription_id(azure)
    yield (
        "signed in",
        ask(
            "signing in",
            lambda: clients.tokens.token(ARM_SCOPE),
            lambda token: (
                f"{_SIGNED_IN_AS[sign_in_kind(os.environ)]} "
                f"({who_signed_in(clients.credential, token)})"
            ),
        ),
    )
    group = f"the resource group {names.resource_group}"
    yield (
        "resource group",
        ask(f"reading {group}", lambda: _resource_group(clients), lambda note: f"{group}{note}"),
    )
    yield (
        "workspace",
        ask(
            f"reading the workspace {names.workspace}",
            clients.require_workspace,
            lambda found: f"{found.name} in {found.location}",
        ),
    )
    yield "cluster", lambda: _cluster(clients)
    yield (
        "datastore",
        ask(
            "reading the workspace's default datastore",
            lambda: clients.workspace.datastores.get_default(),
            lambda found: f"{found.name} on the storage account {found.account_name}",
        ),
    )
    yield (
        "registry",
        ask(
            f"listing the models of the registry {names.registry}",
            lambda: list(clients.registry.models.list(name=settings.model_name)),
            lambda found: f"{names.registry}, {len(found)} versions of {settings.model_name}",
        ),
    )
    yield "data", lambda: _data(clients)
    yield "endpoint", lambda: _endpoint(clients)
    yield "log of requests", lambda: _log(clients)


def _packages() -> str:
    require_extra()
    return "azure-ai-ml and azure-identity"


def _cluster(clients: AzureClients) -> str:
    """Read the cluster that trains; outside dev there need not be one."""
    name = clients.names.compute
    doing = f"reading the cluster {name}"
    if clients.settings.values.environment == "dev":
        with azure_errors(doing):
            found = clients.workspace.compute.get(name)
    else:
        found = clients.find(doing, clients.workspace.compute.get, name)
    if found is None:
        return f"there is no {name}, and only training would need it"
    return f"{found.name}: {found.size}, {found.min_instances} to {found.max_instances} machines"


def _resource_group(clients: AzureClients) -> str:
    """Read the resource group; return what is to be noted of it.

    A role on the workspace alone does not show its group, and nothing needs it.
    """
    names = clients.names
    subscription = subscription_id(clients.settings.values.azure)
    doing = f"reading the resource group {names.resource_group}"
    path = f"/subscriptions/{subscription}/resourcegroups/{names.resource_group}"
    answer = arm_get(clients, doing, path, "2021-04-01")
    if answer.status_code == requests.codes.forbidden:
        clients.require_workspace()
        return " is not shown to who is signed in, and need not be: the workspace is"
    if answer.status_code != requests.codes.ok:
        said = failure_of_answer(answer.status_code, answer.text)
        raise explain(said, doing)
    return ""


def _data(clients: AzureClients) -> str:
    asset = clients.settings.values.azure.data_asset
    if not asset:
        return "azure.data_asset is not set: jobs train on the generated sample or on --data-dir"
    name, _, version = asset.partition(":")
    doing = f"reading the data {asset}"
    if clients.find(doing, clients.workspace.data.get, name=name, version=version) is None:
        raise ConfigError(
            f"azure.data_asset: the workspace {clients.names.workspace} has no {asset}",
            f"{typed(f'data register --name {name}')} makes a version",
        )
    return f"{asset}; a job checks what is in it"


def _endpoint(clients: AzureClients) -> str:
    name = clients.settings.endpoint_name
    endpoint = clients.find(
        f"reading the endpoint {name}", clients.workspace.online_endpoints.get, name
    )
    if endpoint is None:
        return f"{name} does not exist yet: {typed('deploy')} makes it"
    check_auth(endpoint, clients.settings.values.serving.auth)
    return f"{name} is {word_of(endpoint.provisioning_state)}; {typed('smoke-test')} asks it"


def _log(clients: AzureClients) -> str:
    workspace = clients.settings.values.azure.log_analytics_workspace_id
    if not workspace:
        return f"not set: no A/B test, which {typed('release')} makes from level 3 on"
    with azure_errors("signing in to Log Analytics"):
        token = clients.tokens.token(SCOPE)
    query_any(OwnSession(), token, workspace)
    return f"{workspace} can be read"
