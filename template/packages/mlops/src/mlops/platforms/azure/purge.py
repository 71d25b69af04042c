"""The purge of events from a Log Analytics workspace, by Azure's management API.

Events are named by their ids alone: the key itself is in no request, and so in no activity log.
Microsoft describes both calls at rest/api/loganalytics/workspace-purge. A purge may take 30 days.
"""

import re
from collections.abc import Sequence
from typing import Any

import requests

from mlops.errors import ConfigError, MlopsError, PlatformError
from mlops.monitoring.event_properties import EVENTS
from mlops.platforms.azure.arm import arm_get, arm_post
from mlops.platforms.azure.client import AzureClients
from mlops.platforms.azure.errors import azure_errors, explain, failure_of_answer
from mlops.settings.azure_names import subscription_id

VERSION = "2025-07-01"
ROLE = "Data Purger"
_KIND = "Microsoft.OperationalInsights/workspaces"
_OPERATION = re.compile(r"[A-Za-z0-9-]{1,100}")
_CODE = re.compile(r"[A-Za-z]{1,60}")
_ENDED = "completed"
_DOING = f"asking for the purge of {EVENTS}"


def ask_for_purge(clients: AzureClients, ids: Sequence[str]) -> str:
    """Ask for the purge of events by their ids; return the name of the operation.

    Raises:
        ConfigError: who is signed in may not, or conf does not say where the events are.
        PlatformError: Azure does not take it for now.
    """
    workspace = log_workspace(clients)
    named = {"column": "Properties", "key": "inference_id", "operator": "in", "value": [*ids]}
    body = {"table": EVENTS, "filters": [named]}
    with azure_errors(_DOING):
        answer = arm_post(clients, _DOING, f"{workspace}/purge", VERSION, body)
    if answer.status_code not in (requests.codes.ok, requests.codes.accepted):
        raise _refused(answer, workspace)
    try:
        operation = str(answer.json()["operationId"])
    except (ValueError, KeyError, TypeError):
        operation = ""
    if not _OPERATION.fullmatch(operation):
        raise PlatformError("Azure took the purge and named no operation", "call again")
    return operation


def is_purged(clients: AzureClients, operation: str) -> bool:
    """Tell whether a purge has ended; also one that Azure does not know any more.

    Raises:
        ConfigError: who is signed in may not ask.
        PlatformError: Azure does not answer for now.
    """
    doing = f"asking how far the purge {operation} is"
    path = f"{log_workspace(clients)}/operations/{operation}"
    with azure_errors(doing):
        answer = arm_get(clients, doing, path, VERSION)
    if answer.status_code == requests.codes.not_found:
        return True
    if not answer.ok:
        raise explain(failure_of_answer(answer.status_code, answer.text), doing)
    try:
        return str(answer.json()["status"]).lower() == _ENDED
    except (ValueError, KeyError, TypeError):
        raise PlatformError(f"{doing}: Azure gave an answer without a status") from None


def log_workspace(clients: AzureClients) -> str:
    """Return the resource id of the Log Analytics workspace of which conf says where to query.

    Raises:
        ConfigError: it is not found, or the one that conf names is another one.
    """
    azure = clients.settings.values.azure
    wanted = (azure.log_analytics_workspace_id or "").lower()
    doing = "looking for the Log Analytics workspace"
    named = azure.log_analytics_resource_id
    subscription, group = subscription_id(azure), clients.names.resource_group
    path = named or f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{_KIND}"
    with azure_errors(doing):
        answer = arm_get(clients, doing, path, VERSION)
    if not answer.ok:
        raise explain(failure_of_answer(answer.status_code, answer.text), doing)
    try:
        content = answer.json()
        found = [content] if named else content["value"]
        ids = [str(each["id"]) for each in found if _customer(each) == wanted]
    except (ValueError, KeyError, TypeError) as error:
        raise PlatformError(f"{doing}: Azure gave another answer ({error!r})") from None
    if not ids:
        where = named or f"the resource group {group}"
        raise ConfigError(
            f"the Log Analytics workspace {wanted} is not {where if named else f'in {where}'}",
            "set azure.log_analytics_resource_id in conf to its resource id",
        )
    return ids[0]


def _customer(workspace: Any) -> str:
    return str(workspace["properties"]["customerId"]).lower()


def _refused(answer: requests.Response, workspace: str) -> MlopsError:
    """Return why a purge was not taken: in words of our own, as Azure's may quote what was sent."""
    status = answer.status_code
    if status == requests.codes.forbidden:
        return ConfigError(
            "who runs this may not purge",
            f"give them the role {ROLE} on {workspace} for the time of the request: a new role "
            "takes some minutes to work",
        )
    if status == requests.codes.too_many_requests:
        return PlatformError("Azure takes 50 purges an hour", "call again in an hour")
    if status == requests.codes.unauthorized:
        return ConfigError("not signed in to Azure", "sign in, then call again")
    return PlatformError(f"Azure answered {status} ({_code(answer)})", "call again")


def _code(answer: requests.Response) -> str:
    """Return the word by which Azure names an error."""
    try:
        code = str(answer.json()["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return "no code"
    return code if _CODE.fullmatch(code) else "no code"
