"""Faults in what infra/ makes of alerts: rules, who is told, the workflow that moves traffic."""

COMPILER = "compiler"
MAIN = "main.bicep"
RIGHTS, ROLES, ROLLBACK, ALERTS = (
    f"modules/{name}.bicep" for name in ("rights", "roles", "rollback", "alerts")
)

ALERT_FAULTS: dict[str, tuple[str, str, str, str, str]] = {
    "an alert's workflow where nobody asked for it": (
        MAIN,
        "if (alertsMoveTraffic && !empty(endpointName))",
        "if (!empty(endpointName))",
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
    "a rule that is off": (
        ALERTS,
        "enabled: true\n      severity",
        "enabled: false\n      severity",
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
        COMPILER,
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
