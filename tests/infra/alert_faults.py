"""Faults in what infra/ makes of alerts: rules, who is told, the workflow that moves traffic."""

COMPILER = "compiler"
MAIN = "main.bicep"
RIGHTS, ROLES, ROLLBACK, ALERTS = (
    f"modules/{name}.bicep" for name in ("rights", "roles", "rollback", "alerts")
)
GROUP, WATCHER, VAULT = (
    f"modules/{name}.bicep" for name in ("rollback-group", "watcher-rights", "alert-vault")
)

ALERT_FAULTS: dict[str, tuple[str, str, str, str, str]] = {
    "an alert's workflow where nobody asked for it": (
        MAIN,
        "var movesTraffic = alertsMoveTraffic && !empty(endpointName)",
        "var movesTraffic = !empty(endpointName)",
        "prod-private",
        "rollback",
    ),
    "an alert's workflow of another endpoint": (
        ROLLBACK,
        "name: endpointName",
        "name: '${endpointName}-2'",
        "prod-later",
        "rollback",
    ),
    "an alert's workflow with two slashes in its address": (
        ROLLBACK,
        "substring(endpoint.id, 1)",
        "endpoint.id",
        "prod-later",
        "rollback",
    ),
    "an alert's workflow that skips a check": (
        "modules/rollback.json",
        "@equals(string(body('Endpoint')), string(body('Again')))",
        "@equals(1, 1)",
        "prod-later",
        "rollback",
    ),
    "an alert's workflow that may deploy": (
        ROLES,
        "'${machineLearning}/workspaces/onlineEndpoints/write'\n          '${machineLearning}"
        "/workspaces/onlineEndpoints/deployments/read'",
        "'${machineLearning}/workspaces/onlineEndpoints/write'\n          '${machineLearning}"
        "/workspaces/onlineEndpoints/deployments/write'",
        "shared",
        "roles",
    ),
    "an alert's workflow with a right on the whole workspace": (
        "modules/rollback-right.bicep",
        "scope: endpoint",
        "scope: workspace",
        "prod-later",
        "rights",
    ),
    "an alarm that calls nobody": (
        MAIN,
        "rollbackGroupName: movesTraffic ? rollbackGroupName : ''",
        "rollbackGroupName: ''",
        "prod-later",
        "alerts",
    ),
    "every alarm moves traffic back": (
        ALERTS,
        "contains(rule.actions, 'rollback') ? rollbackGroups : []",
        "rollbackGroups",
        "prod-later",
        "alerts",
    ),
    "an alarm that calls with another form": (
        GROUP,
        "useCommonAlertSchema: true",
        "useCommonAlertSchema: false",
        "prod-later",
        "told",
    ),
    "an alarm that calls by another trigger": (
        GROUP,
        "name: 'alert'",
        "name: 'manual'",
        "prod-later",
        "told",
    ),
    "an alarm's address in the history of deployments": (
        GROUP,
        "resource group ",
        "output address string = trigger.listCallbackUrl().value\n\nresource group ",
        "prod-later",
        COMPILER,
    ),
    "a cap of the logs that nobody hears of": (
        ALERTS,
        "actionGroups: [people.id]",
        "actionGroups: []",
        "prod",
        "alerts",
    ),
    "a cap of the logs that is over while nothing comes": (
        ALERTS,
        "windowSize: 'P1D'",
        "windowSize: 'PT15M'",
        "prod",
        "alerts",
    ),
    "who watches may not ask of one rule": (
        WATCHER,
        ", ['log-cap-${name}']",
        ", []",
        "prod",
        "rights",
    ),
    "who watches may read the workspace's secrets": (
        MAIN,
        "    alertVaultName: alertVaultName\n    #",
        "    alertVaultName: vaultName\n    #",
        "prod",
        "rights",
    ),
    "who watches may write the addresses": (
        WATCHER,
        "4633458b-17de-408a-b874-0445c86b69e6",
        "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
        "prod",
        "rights",
    ),
    "addresses that the internet reaches in a private network": (
        VAULT,
        "publicNetworkAccess: privateNetwork ? 'Disabled' : 'Enabled'",
        "publicNetworkAccess: 'Enabled'",
        "prod-private",
        "vault_and_images",
    ),
    "addresses that a private network does not reach": (
        MAIN,
        "    alertVaultName: environment == 'prod' ? alertVaultName : ''\n  }",
        "    alertVaultName: ''\n  }",
        "prod-private",
        "private_endpoints",
    ),
    "addresses that are read unseen": (
        VAULT,
        "logs: [{ categoryGroup: 'audit', enabled: true }]",
        "logs: [{ categoryGroup: 'audit', enabled: false }]",
        "prod",
        "logs",
    ),
    "a rule that is off": (
        ALERTS,
        "enabled: true\n      severity: rule",
        "enabled: false\n      severity: rule",
        "prod",
        "alerts",
    ),
    "a rule that looks before there is a table": (
        ALERTS,
        "skipQueryValidation: true",
        "skipQueryValidation: false",
        "prod",
        "alerts",
    ),
    "a rule that tells at every look": (
        ALERTS,
        "autoMitigate: true",
        "autoMitigate: false",
        "prod",
        "alerts",
    ),
    "a rule with the rights of who deployed it": (
        ALERTS,
        """    identity: {
      type: 'UserAssigned'
      userAssignedIdentities: { '${identityId}': {} }
    }
""",
        "",
        "prod",
        "alerts",
    ),
    "a rule of another text than the file's": (
        ALERTS,
        "query: rule.query",
        "query: '${rule.query}| take 10'",
        "prod",
        "alerts",
    ),
    "a limit that conf does not set": (
        ALERTS,
        "any(limits[?rule.setting] ?? json(rule.default))",
        "any(7)",
        "prod",
        "alerts",
    ),
    "a rule over all dimensions together": (
        ALERTS,
        "map(rule.dimensions, column",
        "map(take(rule.dimensions, 1), column",
        "prod",
        "alerts",
    ),
    "rules whose identity cannot read the logs": (
        RIGHTS,
        "  { principalId: monitoringPrincipalId, role: logReader }\n",
        "",
        "prod",
        "rights",
    ),
    "an address of Slack in what is deployed": (
        ALERTS,
        "    emailReceivers: [",
        "    webhookReceivers: [{ name: 's', serviceUri: 'https://hooks.slack.com/x' }]\n"
        "    emailReceivers: [",
        "prod",
        "told",
    ),
}
