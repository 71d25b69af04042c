"""Faults in infra/, each with the check that must notice it, by its name in checks.py.

A fault is a file, the text to replace, the text in its place, and the check.
"""

# Noticed only where the names are as long as they may be.
LONG = {"a workspace's name that is too long"}

COMPUTE, IDENTITY, LOGS = (
    f"modules/{name}.bicep" for name in ("compute", "github-identity", "endpoint-logs")
)
MAIN, SHARED, NETWORK = "main.bicep", "shared.bicep", "modules/network.bicep"
RIGHTS, INFRA_RIGHTS, ROLES = (
    f"modules/{name}.bicep" for name in ("rights", "infra-rights", "roles")
)
STORAGE, WORKSPACE = "modules/storage.bicep", "modules/workspace.bicep"
DEV, PROD, SHARED_VALUES = "dev.bicepparam", "prod.bicepparam", "shared.bicepparam"
APPROVER, OUTBOUND = "modules/connection-approver.bicep", "modules/outbound.bicep"

FAULTS: dict[str, tuple[str, str, str, str]] = {
    # The language
    "a syntax error": (STORAGE, "properties: {", "properties {", "syntax"),
    "a name that is not declared": (MAIN, "compute!.id", "cmopute!.id", "types"),
    "a module that is not there": (MAIN, "budget.bicep", "budgets.bicep", "types"),
    "a parameter that a module has not": (MAIN, " suffix: suffix", " sufix: suffix", "types"),
    "a parameter that is not given": (PROD, "param purgeProtection = true\n", "", "types"),
    "a parameter's value that is not allowed": (PROD, "= 'prod'", "= 'production'", "types"),
    "a parameter that nothing uses": (
        MAIN, "purgeProtection: purgeProtection", "purgeProtection: true", "types",
    ),
    "an output that a module has not": (MAIN, "outputs.keyVaultId", "outputs.vaultId", "types"),
    "a cycle": (MAIN, "compute!.id", "cluster.id", "types"),
    # Azure's types
    "a property that does not exist": (STORAGE, "isHnsEnabled", "hnsEnabled", "types"),
    "a property that is missing": (WORKSPACE, "    tenantId: tenant().tenantId\n", "", "types"),
    "a property that can only be read": (WORKSPACE, " friendlyName:", " workspaceId:", "types"),
    "a text in place of a number": (COMPUTE, "minNodeCount: 0", "minNodeCount: '0'", "types"),
    "a value that does not exist": (COMPUTE, "'LowPriority'", "'Spot'", "types"),
    "a type that does not exist": (WORKSPACE, "KeyVault/vaults", "KeyVault/vault", "types"),
    "a version that does not exist": (WORKSPACE, "vaults@2024-11-01", "vaults@2024-11-02", "types"),
    "a value read that does not exist": (
        "modules/monitoring.bicep", "properties.customerId", "properties.customId", "types",
    ),
    "a workspace's name that is too long": (MAIN, "take(slug, 24)", "slug", "types"),
    # Who signs in
    "no credential by number": (IDENTITY, "in subjects:", "in take(subjects, 1):", "federation"),
    "a misspelt subject": (IDENTITY, "/${repository}@", "/${repository}#", "federation"),
    "no credential for the rollback": (SHARED, "['prod-rollback']", "[]", "federation"),
    "credentials written at once": (IDENTITY, "@batchSize(1)\n", "", "federation"),
    "another issuer": (SHARED_VALUES, "githubusercontent.com", "example.com", "federation"),
    "another audience": (IDENTITY, "AzureADTokenExchange", "AzureAD", "federation"),
    # Who may do what
    "a role on the subscription": (
        RIGHTS, "scope: workspace\n", "scope: subscription()\n", "rights",
    ),
    "a role on the whole group": (RIGHTS, "    scope: workspace\n", "", "rights"),
    "a role that nobody should have": (
        RIGHTS, "f6c7c914-8db3-469d-8ca1-694a8f32e121", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
        "rights",
    ),
    "prod trains": (RIGHTS, "roleId: trains ?", "roleId: environment != 'test' ?", "rights"),
    "prod writes to the registry": (
        SHARED, "user != 'dev-registration' ?", "user != 'prod' ?", "rights",
    ),
    "develop writes to the registry": (
        SHARED, "user != 'dev-registration' ?", "user != 'dev' ?", "rights",
    ),
    "nobody may register": (DEV, "param registers = true\n", "", "rights"),
    "the rollback deploys anything": (
        ROLES, "permissions: [{ actions: operate }]", "permissions: [{ actions: deploy }]",
        "endpoint_roles",
    ),
    "the rollback cannot give the endpoint its identity": (
        SHARED, "(deployer, index) in deployers: {\n    name: 'endpoint-of-",
        "(deployer, index) in environments: {\n    name: 'endpoint-of-", "rights",
    ),
    "the training does not see what serves in prod": (
        MAIN, "trainer!.properties", "ci.properties", "rights",
    ),
    "the training gets the key of prod": (
        ROLES, "onlineEndpoints/read'", "onlineEndpoints/*'", "reading_roles",
    ),
    "an identity made anew has no right": (
        RIGHTS, "guid(logs.id, right.principalId,", "guid(logs.id, 'ci',", "anew",
    ),
    "a name that is not known at the start": (
        WORKSPACE, "name: 'lake'", "name: workspace.identity.principalId", "types",
    ),
    "the workflow assigns any role": (
        INFRA_RIGHTS, "    condition: condition\n", "    description: condition\n", "delegation",
    ),
    "the workflow cannot assign a role that it needs": (
        INFRA_RIGHTS, "    '8311e382-0749-4cb8-b61a-304f252e45ec'\n", "", "delegation",
    ),
    "the workflow gives a person a role": (
        INFRA_RIGHTS, "\\'ServicePrincipal\\'", "\\'User\\'", "delegation",
    ),
    "the plan reads logs": (
        ROLES, "  'Microsoft.OperationalInsights/workspaces/query/*/read'\n", "", "plan_role",
    ),
    "the plan pulls images": (
        ROLES, "  'Microsoft.ContainerRegistry/registries/pull/read'\n", "", "plan_role",
    ),
    "the plan lists models": (
        ROLES, "  '${machineLearning}/workspaces/models/read'\n", "", "plan_role",
    ),
    "the plan reads what a run wrote": (
        ROLES, "  '${machineLearning}/workspaces/experiments/*/read'\n", "", "plan_role",
    ),
    "the plan gets a workspace's secrets": (
        ROLES, "  '${machineLearning}/workspaces/metadata/*/read'\n", "", "plan_role",
    ),
    "the plan cannot look at datastores": (
        ROLES, "workspaces/data/read", "workspaces/data*/read", "plan_role",
    ),
    "the plan writes": (ROLES, "'*/read'", "'*'", "reading_roles"),
    "the operator deletes endpoints": (
        ROLES, "onlineEndpoints/write", "onlineEndpoints/*", "endpoint_roles",
    ),
    "a role for the subscription": (
        SHARED, "concat([resourceGroup().id], groupIds)", "[subscription().id]", "role_scopes",
    ),
    # What is open, and what costs
    "machines for training where nothing trains": (
        PROD, "trains = false", "trains = true", "machines",
    ),
    "as few logs in prod as in dev": (PROD, "QuotaGb = 5", "QuotaGb = 1", "budget"),
    "blobs that anybody reads": (
        STORAGE, "allowBlobPublicAccess: false", "allowBlobPublicAccess: true", "storage",
    ),
    "a container that anybody reads": (STORAGE, "'None'", "'Blob'", "storage"),
    "keys to the lake": (STORAGE, "SharedKeyAccess: false", "SharedKeyAccess: true", "storage"),
    "a vault that can be purged": (
        PROD, "Protection = true", "Protection = false", "vault_and_images",
    ),
    "machines that wait": (COMPUTE, "minNodeCount: 0", "minNodeCount: 1", "machines"),
    "machines that are withdrawn": (
        COMPUTE, "? 'LowPriority' : 'Dedicated'", "? 'Dedicated' : 'LowPriority'", "machines",
    ),
    "an endpoint in the template": (
        LOGS, "onlineEndpoints@2025-06-01' existing", "onlineEndpoints@2025-06-01'", "machines",
    ),
    "nobody's resources": (COMPUTE, "  tags: tags\n", "", "tags"),
    "a vault outside of the private network": (
        WORKSPACE, "publicNetworkAccess: networkAccess\n    networkAcls",
        "publicNetworkAccess: 'Enabled'\n    networkAcls", "closed",
    ),
    "a private endpoint that no name leads to": (
        NETWORK, "zones: ['privatelink.dfs.${storageSuffix}']", "zones: []", "closed",
    ),
    "images that nothing can build": (
        MAIN, "privateNetwork ? builderName : ''", "privateNetwork ? '' : ''", "private_builds",
    ),
    "a lake that training does not reach": (
        OUTBOUND, "['blob', 'dfs']", "['blob']", "way_to_the_lake",
    ),
    "private endpoints that nobody approves": (APPROVER, "scope: lake", "scope: images", "rights"),
    "machines before their network": (
        MAIN, "  dependsOn: [approver, outbound]\n", "", "way_to_the_lake",
    ),
    # What the commands rely on
    "another log": (LOGS, "AmlOnlineEndpointTrafficLog", "AmlOnlineEndpointEventLog", "logs"),
    "another name of the cluster": (MAIN, "'cpu-${environment}'", "'cpu-cluster'", "names"),
}  # fmt: skip
