"""How long Azure lets the names of what infra/ makes be, by its documentation."""

LONGEST = {
    "Microsoft.Storage/storageAccounts": 24,
    "Microsoft.KeyVault/vaults": 24,
    "Microsoft.ContainerRegistry/registries": 50,
    "Microsoft.MachineLearningServices/workspaces": 33,
    "Microsoft.MachineLearningServices/registries": 32,
    "Microsoft.MachineLearningServices/workspaces/computes": 16,
    "Microsoft.OperationalInsights/workspaces": 63,
    "Microsoft.Insights/components": 260,
    "Microsoft.Insights/actionGroups": 260,
    "Microsoft.Insights/scheduledQueryRules": 260,
    "Microsoft.ManagedIdentity/userAssignedIdentities": 128,
    "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials": 120,
    "Microsoft.Network/privateEndpoints": 64,
    "Microsoft.Network/virtualNetworks": 64,
    "Microsoft.Network/networkSecurityGroups": 80,
    "Microsoft.Network/natGateways": 80,
    "Microsoft.Network/publicIPAddresses": 80,
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks": 80,
    "Microsoft.Consumption/budgets": 63,
}
