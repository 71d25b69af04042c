"""What a deployment is made of: aml/endpoints/deployment.yml, with what conf and code decide.

Its tags say it again, so that a later command knows whether it would be made otherwise now.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops.artifacts.version_folder import VersionFacts
from mlops.errors import ConfigError
from mlops.files import code_hash
from mlops.hints import typed
from mlops.monitoring.telemetry import (
    APPLICATION_INSIGHTS,
    digest,
    telemetry_of,
    told_features,
)
from mlops.platforms.azure.client import AzureClients
from mlops.platforms.azure.collector import wanted_collector
from mlops.platforms.azure.environments import SERVING, environment_id, environment_version
from mlops.platforms.azure.errors import azure_errors, word_of
from mlops.platforms.azure.origin import asset_id, read_origin
from mlops.platforms.azure.resource import View
from mlops.progress import Report
from mlops.settings.azure_names import workspace_id
from mlops.settings.loading import LoadedSettings
from mlops.settings.sections import Settings

DEPLOYMENT_FILE = "aml/endpoints/deployment.yml"
WORKERS_VARIABLE = "WORKER_COUNT"


def wanted_telemetry(
    settings: LoadedSettings, endpoint: str, deployment: str, facts: VersionFacts, client: str
) -> dict[str, str]:
    """Return the environment by which a deployment knows what events it keeps, and where.

    Args:
        settings: of the environment; without an Application Insights nothing is kept.
        endpoint: the endpoint's name.
        deployment: the deployment's.
        facts: of the version that it serves.
        client: the client id of the identity that sends; empty: the one that Azure made.
    """
    connection = settings.values.azure.insights_connection_string
    if connection is None:
        return {}
    place = {"connection_string": connection, "client_id": client}
    return telemetry_of(settings).told(endpoint, deployment, facts, APPLICATION_INSIGHTS, place)


def wanted_tags(
    root: Path, facts: VersionFacts, values: Settings, telemetry: Mapping[str, str]
) -> dict[str, str]:
    """Return the tags of a deployment that is made now and told this of its events."""
    return {
        "model_version": str(facts.version),
        "model_sha256": facts.model_sha256,
        "commit": facts.commit,
        "code": code_hash(root / "serving"),
        "environment": environment_version(root, SERVING),
        "definition": _definition(root, values),
        "telemetry": digest(telemetry),
    }


def wanted_size(values: Settings) -> tuple[str, int]:
    """Return the kind and the number of a deployment's machines."""
    return values.azure.instance_type, values.endpoint.instances


def is_as_wanted(found: Any, tags: Mapping[str, str], values: Settings) -> bool:
    """Tell whether a deployment is what would be made now.

    A tag that is missing says nothing: other tools drop them when they update a deployment.
    """
    has = dict(found.tags or {})
    kind, number = wanted_size(values)
    size = (word_of(found.instance_type), int(found.instance_count or 0))
    return all(has.get(name) == value for name, value in tags.items()) and (
        size == (word_of(kind), number)
    )


def wanted_deployment(
    clients: AzureClients,
    endpoint: str,
    name: str,
    facts: VersionFacts,
    model: str,
    origin: str,
    client: str,
    report: Report,
) -> Any:
    """Return the deployment of aml/endpoints/deployment.yml with all that conf decides.

    Code, image and kind of machine are those of the origin, if there is one: then no code is
    uploaded and no image registered.

    Args:
        clients: of the workspace.
        endpoint: the endpoint's name.
        name: the deployment's.
        facts: of the version that it serves.
        model: the version's id in Azure.
        origin: what it was made of before; empty for what the project holds now.
        client: the client id of the identity that sends its events, as above.
        report: receives lines about the progress.
    """
    from azure.ai.ml import load_online_deployment

    values, root = clients.settings.values, clients.settings.project.root
    with azure_errors(f"reading {DEPLOYMENT_FILE}"):
        entity: Any = load_online_deployment(root / DEPLOYMENT_FILE)
    entity.name = name
    entity.endpoint_name = endpoint
    entity.model = model
    telemetry = wanted_telemetry(clients.settings, endpoint, name, facts, client)
    entity.tags = wanted_tags(root, facts, values, telemetry)
    entity.environment_variables = {
        **(entity.environment_variables or {}),
        WORKERS_VARIABLE: str(values.serving.workers),
        **facts.told(),
        **telemetry,
    }
    if origin:
        made_of = read_origin(origin)
        workspace = workspace_id(clients.names, values.azure)
        entity.code_configuration.code = asset_id(workspace, "codes", made_of.code)
        entity.environment = asset_id(workspace, "environments", made_of.environment)
        entity.instance_type = made_of.instance_type
        entity.tags |= {"code": made_of.code, "environment": made_of.environment}
    else:
        entity.code_configuration.code = str(root / "serving")
        entity.environment = environment_id(clients, SERVING, report)
        entity.instance_type = values.azure.instance_type
    entity.instance_count = values.endpoint.instances
    milliseconds = int(1000 * values.endpoint.request_timeout_seconds)
    entity.request_settings.request_timeout_ms = milliseconds
    entity.request_settings.max_concurrent_requests_per_instance = values.serving.workers
    entity.data_collector = wanted_collector(
        clients, entity.data_collector, endpoint, name, features=bool(told_features(telemetry))
    )
    return entity


def _definition(root: Path, values: Settings) -> str:
    """Return a hash of the definition of deployments and what conf decides besides its size."""
    text = (root / DEPLOYMENT_FILE).read_bytes()
    decided = f"\0{values.endpoint.request_timeout_seconds:g}\0{values.serving.workers}"
    return hashlib.sha256(text + decided.encode()).hexdigest()[:16]


def is_in_the_way(view: View, wanted: Any) -> bool:
    """Tell whether a deployment has to go first: Azure gives one that exists no other machines.

    Raises:
        ConfigError: it has traffic.
    """
    found = view.deployments.get(wanted.name)
    if found is None or word_of(found.instance_type) == word_of(wanted.instance_type):
        return False
    if share := view.traffic.get(wanted.name):
        raise ConfigError(
            f"{wanted.name} runs on {found.instance_type} and has {share} % of the traffic: "
            f"Azure gives a deployment no other machines ({wanted.instance_type}) while it "
            "exists",
            f"{typed('release')} makes it as the other colour, or {typed('switch-traffic')} "
            "takes its traffic first",
        )
    return True
