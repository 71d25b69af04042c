// One environment: all that is in its resource group. Endpoints and deployments are not here:
// `mlops deploy` makes them, so that no deployment of this file needs a model, and none puts
// traffic back to what a file says.

targetScope = 'resourceGroup'

@description('Name of the project: part of every name.')
@maxLength(27)
param slug string

@description('Which environment this is.')
@allowed(['dev', 'test', 'prod'])
param environment string

@description('Region of every resource.')
param location string

@description('Size of the machines that train.')
param computeSize string

@description('Train on machines that cost less and may be withdrawn at any moment (spot).')
param computeLowPriority bool

@description('Machines that may train at once. With no job there are none.')
@minValue(1)
param computeMaxNodes int = 2

@description('Premium is needed for a private network.')
@allowed(['Basic', 'Standard', 'Premium'])
param containerRegistrySku string = 'Basic'

@description('Nobody can delete the key vault for good before its 90 days are over.')
param purgeProtection bool

@description('Data access with the keys of the workspace\'s storage account. Without, with identities alone.')
param storageKeys bool = false

@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('Gigabytes of logs a day, after which no more are taken; -1: no limit.')
param logDailyQuotaGb int = 1

@description('Resources are reached from a virtual network alone.')
param privateNetwork bool = false

@description('The range of addresses of that network.')
param addressPrefix string = '10.40.0.0/24'

@description('The endpoint whose requests are logged; it must exist. Empty: none.')
param endpointName string = ''

@description('Money a month in the currency of the subscription. Mail goes out at 80 % and when the month will end over it.')
param budgetAmount int

@description('First day of the present month when the budget is first made, such as 2026-12-01, the same one ever after. Empty: leave the budget alone.')
param budgetStart string = ''

@description('Who gets that mail.')
param contactEmails string[]

@description('Put on every resource.')
param tags object = {}

var allTags = union(tags, { project: slug, environment: environment, managedBy: 'infra/main.bicep' })
var sharedGroup = 'rg-${slug}-shared'

// Names that must be unique in all of Azure are short, and made of this group's id.
var suffix = uniqueString(resourceGroup().id)

resource ci 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: 'id-${slug}-${environment}'
  scope: resourceGroup(sharedGroup)
}

resource rollback 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = if (environment == 'prod') {
  name: 'id-${slug}-prod-rollback'
  scope: resourceGroup(sharedGroup)
}

resource compute 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: 'id-${slug}-${environment}-compute'
  scope: resourceGroup(sharedGroup)
}

resource endpoint 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: 'id-${slug}-${environment}-endpoint'
  scope: resourceGroup(sharedGroup)
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  params: {
    name: '${slug}-${environment}'
    location: location
    tags: allTags
    retentionDays: logRetentionDays
    dailyQuotaGb: logDailyQuotaGb
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  params: {
    suffix: suffix
    location: location
    tags: allTags
    workspaceKeys: storageKeys
    privateNetwork: privateNetwork
  }
}

module workspace 'modules/workspace.bicep' = {
  name: 'workspace'
  params: {
    // At most 33 characters.
    name: 'mlw-${take(slug, 24)}-${environment}'
    suffix: suffix
    location: location
    tags: allTags
    storageAccountId: storage.outputs.workspaceAccountId
    storageKeys: storageKeys
    lakeAccountName: storage.outputs.lakeAccountName
    lakeContainerName: storage.outputs.lakeContainerName
    applicationInsightsId: monitoring.outputs.applicationInsightsId
    containerRegistrySku: privateNetwork ? 'Premium' : containerRegistrySku
    purgeProtection: purgeProtection
    privateNetwork: privateNetwork
  }
}

module cluster 'modules/compute.bicep' = {
  name: 'compute'
  params: {
    workspaceName: workspace.outputs.name
    name: 'cpu-${environment}'
    location: location
    tags: allTags
    identityId: compute.id
    size: computeSize
    lowPriority: computeLowPriority
    maxNodes: computeMaxNodes
    privateNetwork: privateNetwork
  }
}

module rights 'modules/rights.bicep' = {
  name: 'rights'
  params: {
    slug: slug
    environment: environment
    workspaceName: workspace.outputs.name
    containerRegistryName: workspace.outputs.containerRegistryName
    workspaceAccountName: storage.outputs.workspaceAccountName
    lakeAccountName: storage.outputs.lakeAccountName
    logWorkspaceName: monitoring.outputs.logWorkspaceName
    ciPrincipalId: ci.properties.principalId
    rollbackPrincipalId: environment == 'prod' ? rollback!.properties.principalId : ''
    computePrincipalId: compute.properties.principalId
    endpointPrincipalId: endpoint.properties.principalId
  }
}

module network 'modules/network.bicep' = if (privateNetwork) {
  name: 'network'
  params: {
    name: '${slug}-${environment}'
    location: location
    tags: allTags
    addressPrefix: addressPrefix
    workspaceId: workspace.outputs.id
    keyVaultId: workspace.outputs.keyVaultId
    containerRegistryId: workspace.outputs.containerRegistryId
    workspaceAccountId: storage.outputs.workspaceAccountId
    lakeAccountId: storage.outputs.lakeAccountId
  }
}

module endpointLogs 'modules/endpoint-logs.bicep' = if (!empty(endpointName)) {
  name: 'endpoint-logs'
  params: {
    workspaceName: workspace.outputs.name
    endpointName: endpointName
    logWorkspaceId: monitoring.outputs.logWorkspaceId
  }
}

module budget 'modules/budget.bicep' = if (!empty(budgetStart)) {
  name: 'budget'
  params: {
    name: 'budget-${slug}-${environment}'
    amount: budgetAmount
    start: budgetStart
    contactEmails: contactEmails
  }
}

output workspaceName string = workspace.outputs.name

@description('For `azure.log_analytics_workspace_id` in conf: whose requests an A/B test reads.')
output logAnalyticsWorkspaceId string = monitoring.outputs.logWorkspaceCustomerId

@description('Where the training data belong, in the container named lake.')
output lakeAccountName string = storage.outputs.lakeAccountName
