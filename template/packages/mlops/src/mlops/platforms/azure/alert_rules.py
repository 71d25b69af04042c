"""The rules of Azure Monitor that infra/ deployed.

Azure itself switches a rule off that failed all of a week, such as one whose table never got a row.
"""

import requests

from mlops.platforms.azure.arm import arm_get
from mlops.platforms.azure.client import AzureClients
from mlops.platforms.azure.errors import explain, failure_of_answer
from mlops.settings.azure_names import alert_rule_prefix, subscription_id

_VERSION = "2023-12-01"


def alert_rules(clients: AzureClients) -> dict[str, bool]:
    """Return the alerts that the environment's resource group has a rule of: is it enabled?

    Raises:
        ConfigError: they may not be read.
        PlatformError: Azure does not tell them for now.
    """
    names, settings = clients.names, clients.settings
    doing = f"reading the alert rules of {names.resource_group}"
    path = (
        f"/subscriptions/{subscription_id(settings.values.azure)}/resourceGroups/"
        f"{names.resource_group}/providers/Microsoft.Insights/scheduledQueryRules"
    )
    answer = arm_get(clients, doing, path, _VERSION)
    if answer.status_code != requests.codes.ok:
        raise explain(failure_of_answer(answer.status_code, answer.text), doing)
    prefix = alert_rule_prefix(settings.model_name, settings.values.environment)
    return {
        str(rule["name"]).removeprefix(prefix): bool(rule["properties"].get("enabled", True))
        for rule in answer.json()["value"]
        if str(rule["name"]).startswith(prefix)
    }
