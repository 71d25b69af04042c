"""The rules of Azure Monitor that infra/ deployed: those of alerts, and that of the logs' cap.

Azure itself switches a rule off that failed all of a week, such as one whose table never got a row.
Each is asked for by its name, as who watches may read these rules and no list of them.
"""

from collections.abc import Sequence

import requests

from mlops.errors import PlatformError
from mlops.platforms.azure.arm import arm_get
from mlops.platforms.azure.client import AzureClients
from mlops.platforms.azure.errors import explain, failure_of_answer
from mlops.platforms.watching import RuleState
from mlops.settings.azure_names import alert_rule, log_cap_rule, subscription_id

LOG_CAP = "the logs' daily cap"
"""How the rule is called that is of no alert; no alert can have this id."""
_VERSION = "2023-12-01"
_NO_PLACE = ("ResourceGroupNotFound", "SubscriptionNotFound", "InvalidSubscriptionId")


def alert_rules(clients: AzureClients, alerts: Sequence[str]) -> dict[str, RuleState]:
    """Return how the rules stand of some alerts, and that of the daily cap of the logs.

    Args:
        clients: who asks.
        alerts: the ids of the alerts.

    Raises:
        ConfigError: who is signed in is refused, or there is no such resource group.
        PlatformError: Azure does not tell them for now.
    """
    settings = clients.settings
    of = (settings.model_name, settings.values.environment)
    names = {alert: alert_rule(*of, alert) for alert in alerts} | {LOG_CAP: log_cap_rule(*of)}
    return {what: _state(clients, name) for what, name in names.items()}


def _state(clients: AzureClients, name: str) -> RuleState:
    group = clients.names.resource_group
    doing = f"reading the alert rule {name}"
    path = (
        f"/subscriptions/{subscription_id(clients.settings.values.azure)}/resourceGroups/{group}"
        f"/providers/Microsoft.Insights/scheduledQueryRules/{name}"
    )
    answer = arm_get(clients, doing, path, _VERSION)
    if answer.status_code == requests.codes.ok:
        return RuleState.ON if _enabled(answer, doing) else RuleState.OFF
    failure = failure_of_answer(answer.status_code, answer.text)
    if answer.status_code == requests.codes.forbidden and failure.says("AuthorizationFailed"):
        return RuleState.UNSEEN
    if answer.status_code == requests.codes.not_found and not failure.says(*_NO_PLACE):
        return RuleState.MISSING
    raise explain(failure, doing)


def _enabled(answer: requests.Response, doing: str) -> bool:
    try:
        return answer.json()["properties"]["enabled"] is True
    except (ValueError, KeyError, TypeError) as error:
        raise PlatformError(f"{doing}: Azure gave an answer without a rule: {error!r}") from None
