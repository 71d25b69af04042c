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

@description('Jobs of training run here. Without, there is no cluster for them. infra/shared.bicep must say the same.')
param trains bool = false

@description('Versions for all environments are registered here, by an identity that does nothing else. Only in dev, where there is a prod: infra/shared.bicep makes the identity.')
param registers bool = false

@description('Size of the machines that train. Azure refuses another size for a cluster that exists: delete the cluster in Azure ML studio (Compute, Compute clusters) while no job runs, then deploy again.')
param computeSize string = 'Standard_DS3_v2'

@description('Train on machines that cost less and may be withdrawn at any moment (spot). To change it, delete the cluster first, as for its size.')
param computeLowPriority bool = false

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

@description('Gigabytes of logs a day, after which no more are taken until the next day; -1: no limit. An A/B test sees no request that was not logged.')
param logDailyQuotaGb int = 1

@description('Resources are reached from a virtual network alone, and the machines of Azure ML run in a network that it manages. Azure does not take that back: to leave it, make the workspace anew.')
param privateNetwork bool = false

@description('The range of addresses of that network.')
param addressPrefix string = '10.40.0.0/24'

@description('The endpoint whose requests are logged; it must exist. Empty: none.')
param endpointName string = ''

@description('Money a month in the currency of the subscription. Mail goes out at 80 % and when the month will end over it; nothing is stopped.')
@minValue(1)
param budgetAmount int

@description('First day of the present month when the budget is first made, such as 2026-12-01, the same one ever after. Empty: leave the budget alone.')
param budgetStart string = ''

@description('Who gets that mail: at least one address.')
@minLength(1)
param contactEmails string[]

@description('Put on every resource.')
param tags object = {}

var allTags = union(tags, { project: slug, environment: environment, managedBy: 'infra/main.bicep' })
var sharedGroup = 'rg-${slug}-shared'

// Names that must be unique in all of Azure are short, and made of this group's id.
var suffix = uniqueString(resourceGroup().id)
var builderName = 'build-${environment}'

resource ci 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: 'id-${slug}-${environment}'
  scope: resourceGroup(sharedGroup)
}

resource registrar 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = if (registers) {
  name: 'id-${slug}-${environment}-registration'
  scope: resourceGroup(sharedGroup)
}

resource rollback 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = if (environment == 'prod') {
  name: 'id-${slug}-prod-rollback'
  scope: resourceGroup(sharedGroup)
}

resource trainer 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = if (environment == 'prod') {
  name: 'id-${slug}-dev'
  scope: resourceGroup(sharedGroup)
}

resource compute 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = if (trains) {
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
    imageBuildCompute: privateNetwork ? builderName : ''
  }
}

// Azure gives the workspace's own identity its rights to storage and vault by itself, and refuses
// to have them given twice. The right to push the images that it builds is not among them.
module workspacePushes 'modules/image-push.bicep' = {
  name: 'workspace-pushes'
  params: {
    containerRegistryName: workspace.outputs.containerRegistryName
    principalId: workspace.outputs.principalId
  }
}

// What concerns the managed network comes before its first machine, with which Azure makes it.
module approver 'modules/connection-approver.bicep' = if (privateNetwork) {
  name: 'connection-approver'
  params: {
    principalId: workspace.outputs.principalId
    workspaceName: workspace.outputs.name
    keyVaultName: workspace.outputs.keyVaultName
    containerRegistryName: workspace.outputs.containerRegistryName
    workspaceAccountName: storage.outputs.workspaceAccountName
    lakeAccountName: storage.outputs.lakeAccountName
  }
}

module outbound 'modules/outbound.bicep' = if (privateNetwork) {
  name: 'outbound'
  params: {
    workspaceName: workspace.outputs.name
    lakeAccountId: storage.outputs.lakeAccountId
  }
  dependsOn: [approver]
}

module cluster 'modules/compute.bicep' = if (trains) {
  name: 'compute'
  params: {
    workspaceName: workspace.outputs.name
    name: 'cpu-${environment}'
    location: location
    tags: allTags
    identityId: compute!.id
    size: computeSize
    lowPriority: computeLowPriority
    maxNodes: computeMaxNodes
    privateNetwork: privateNetwork
  }
  dependsOn: [approver, outbound]
}

// A registry that is closed to the internet builds no images: a cluster does, also where nothing is
// trained, since endpoints have images, too.
module builder 'modules/compute.bicep' = if (privateNetwork) {
  name: 'builder'
  params: {
    workspaceName: workspace.outputs.name
    name: builderName
    location: location
    tags: allTags
    identityId: ''
    size: 'Standard_DS3_v2'
    lowPriority: false
    maxNodes: 1
    privateNetwork: privateNetwork
  }
  dependsOn: [approver, outbound, cluster]
}

module builderPushes 'modules/image-push.bicep' = if (privateNetwork) {
  name: 'builder-pushes'
  params: {
    containerRegistryName: workspace.outputs.containerRegistryName
    principalId: builder!.outputs.principalId
  }
}

module rights 'modules/rights.bicep' = {
  name: 'rights'
  params: {
    slug: slug
    environment: environment
    trains: trains
    registers: registers
    workspaceName: workspace.outputs.name
    containerRegistryName: workspace.outputs.containerRegistryName
    workspaceAccountName: storage.outputs.workspaceAccountName
    lakeAccountName: storage.outputs.lakeAccountName
    logWorkspaceName: monitoring.outputs.logWorkspaceName
    ciPrincipalId: ci.properties.principalId
    registrarPrincipalId: registers ? registrar!.properties.principalId : ''
    rollbackPrincipalId: environment == 'prod' ? rollback!.properties.principalId : ''
    trainerPrincipalId: environment == 'prod' ? trainer!.properties.principalId : ''
    computePrincipalId: trains ? compute!.properties.principalId : ''
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
