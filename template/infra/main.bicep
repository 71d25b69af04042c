// One environment: all that is in its resource group. Endpoints and deployments are not here:
// `mlops deploy` makes them, so that no deployment of this file needs a model, and none puts
// traffic back to what a file says.
//
// Names are worked out here and handed down, never read from what a module made: else what-if could
// not look into the modules that need them. Hence each `dependsOn`.

targetScope = 'resourceGroup'

import { plainRegion, tagsOf } from 'modules/types.bicep'

@description('Name of the project: part of every name.')
@minLength(1)
@maxLength(27)
param slug string

@description('Which environment this is.')
@allowed(['dev', 'test', 'prod'])
param environment string

@description('Region of every resource. Not to be changed after the first deployment: Azure moves no resource, and the old names stay taken for a while.')
param location string

@description('Jobs of training run here. Without, there is no cluster for them. infra/shared.bicep must say the same.')
param trains bool = false

@description('Versions for all environments are registered here, by an identity that does nothing else. Only in dev, where there is a prod: infra/shared.bicep makes the identity.')
param registers bool = false

@description('The Azure ML registry, as `azure.registry` in conf/ says, and its resource group. infra/shared.bicep must say the same.')
param registryName string = 'mlr-${slug}'

@description('The resource group of that registry.')
param registryResourceGroup string = 'rg-${slug}-shared'

@description('Size of the machines that train. Azure refuses another size for a cluster that exists: delete the cluster in Azure ML studio (Compute, Compute clusters) while no job runs, then deploy again.')
param computeSize string = 'Standard_D4as_v4'

@description('Train on machines that cost less and may be withdrawn at any moment (spot). To change it, delete the cluster first, as for its size.')
param computeLowPriority bool = false

@description('Machines that may train at once. With no job there are none. Of a cluster that exists Azure may leave the number as it is: look at it in the studio.')
@minValue(1)
@maxValue(100)
param computeMaxNodes int = 2

@description('A cluster of one machine builds the images; with no image to build there is none. Without it Azure ML builds them on serverless compute, of a size of its own choice. A private network always has one. Either takes dedicated cores.')
param imageBuilder bool = false

@description('Size of the machine that builds images. To change it, delete the cluster first, as for training.')
param imageBuilderSize string = 'Standard_D4as_v4'

@description('Premium is needed for a private network.')
@allowed(['Basic', 'Standard', 'Premium'])
param containerRegistrySku string = 'Basic'

@description('Nobody can delete the key vault for good before its 90 days are over. Cannot be taken back.')
param purgeProtection bool

@description('Data access with the keys of the workspace\'s storage account. Without, with identities alone.')
param storageKeys bool = false

@description('Azure ML\'s data collector writes features of predictions to the workspace\'s storage, for `mlops drift`; its own model monitoring may read there. Their identities then may write there.')
param dataCollector bool = false

@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('Gigabytes of logs a day, after which no more are taken until the next day; -1: no limit. An A/B test sees no request that was not logged.')
@minValue(-1)
@maxValue(1000)
param logDailyQuotaGb int = 1

@description('Resources are reached from a virtual network alone, and the machines of Azure ML run in a network that it manages. To be decided before the first deployment: Azure refuses to change a workspace either way, so it would have to be made anew.')
param privateNetwork bool = false

@description('The range of addresses of that network: 256 of them, and not those of another network that it will be peered with.')
param addressPrefix string = {
  dev: '10.40.0.0/24'
  test: '10.40.1.0/24'
  prod: '10.40.2.0/24'
}[environment]

@description('The id of the resource group that holds your company\'s private DNS zones, already linked to its networks. Empty: this group gets zones of its own.')
param privateDnsZonesGroupId string = ''

@description('A NAT gateway as the way out for machines in the subnet `runners`. A new virtual network has none: without, a firewall or a peered network has to give one.')
param natGateway bool = false

@description('The endpoint whose requests are logged; it must exist. Empty: none.')
param endpointName string = ''

@description('An alert that fires moves the traffic of that endpoint back to what its tags name, by a workflow of Azure Logic Apps: level 3. For endpoints with an identity that Azure makes (`azure.endpoint_identity: system`).')
param alertsMoveTraffic bool = false

@description('Who may call endpoints with a token of Entra: principal ids of service principals and managed identities, for `serving.auth: entra`. People and groups get the role by hand.')
param callerPrincipalIds string[] = []

@description('Money a month in the currency of the subscription. Mail goes out at 80 % and when the month will end over it; nothing is stopped.')
@minValue(1)
@maxValue(1000000)
param budgetAmount int

@description('First day of the month in which the budget was first made, such as 2026-12-01, and the same one ever after: Azure does not change it. Empty: no budget is made, and one that exists is left alone.')
param budgetStart string = ''

@description('Who gets that mail: at least one address.')
@minLength(1)
param contactEmails string[]

@description('Days for which nothing can be deleted from the audit log, as `audit.retention_days` in conf/ says.')
@minValue(1)
@maxValue(146000)
param auditRetentionDays int = 365

@description('A person has locked the policy of the audit log (docs/audit.md): it is left alone.')
param auditPolicyLocked bool = false

@description('Who writes the audit log may add and overwrite nothing, by a role of the project\'s own. Without, where your company allows no such roles, they get Storage Blob Data Contributor on its container, and the policy alone protects what is there.')
param auditAppendOnly bool = true

@description('What conf/ says of alerts, as JSON: the limits of the rules that are made of observability/alerts.yaml.')
param alertSettings string = '{}'

@description('Put on every resource.')
param tags tagsOf = {}

var allTags = union(tags, { project: slug, environment: environment, managedBy: 'infra/main.bicep' })
var sharedGroup = 'rg-${slug}-shared'
var name = '${slug}-${environment}'
var buildsImages = privateNetwork || imageBuilder

// Names that must be unique in all of Azure, or that Azure keeps for a while after a removal, are
// made of this group's id and the region: a second try in another region meets none of the first.
var suffix = uniqueString(resourceGroup().id, plainRegion(location))
var logWorkspaceName = 'log-${name}-${suffix}'
var lakeAccountName = 'lake${suffix}'
var workspaceAccountName = 'mlw${suffix}'
var auditAccountName = 'audit${suffix}'
var vaultName = 'kv-${suffix}'
var alertVaultName = 'kva-${suffix}'
var containerRegistryName = 'cr${suffix}'
// At most 33 characters.
var workspaceName = 'mlw-${take(slug, 24)}-${environment}'
var builderName = 'build-${environment}'
var rollbackName = 'logic-${name}-rollback'
var rollbackGroupName = 'ag-${name}-rollback'
var auditWriter = auditAppendOnly
  ? guid(subscription().id, slug, 'audit-writer')
  : 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
var movesTraffic = alertsMoveTraffic && !empty(endpointName)

resource ci 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: 'id-${name}'
  scope: resourceGroup(sharedGroup)
}

resource registrar 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = if (registers) {
  name: 'id-${name}-registration'
  scope: resourceGroup(sharedGroup)
}

resource rollback 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = if (environment == 'prod') {
  name: 'id-${slug}-prod-rollback'
  scope: resourceGroup(sharedGroup)
}

resource watcher 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = if (environment == 'prod') {
  name: 'id-${slug}-prod-monitor'
  scope: resourceGroup(sharedGroup)
}

resource trainer 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = if (environment == 'prod') {
  name: 'id-${slug}-dev'
  scope: resourceGroup(sharedGroup)
}

resource compute 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = if (trains) {
  name: 'id-${name}-compute'
  scope: resourceGroup(sharedGroup)
}

resource endpoint 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: 'id-${name}-endpoint'
  scope: resourceGroup(sharedGroup)
}

resource monitor 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: 'id-${name}-monitoring'
  scope: resourceGroup(sharedGroup)
}

resource registry 'Microsoft.MachineLearningServices/registries@2025-06-01' existing = {
  name: registryName
  scope: resourceGroup(registryResourceGroup)
}

module monitoring 'modules/monitoring.bicep' = {
  params: {
    logWorkspaceName: logWorkspaceName
    insightsName: 'appi-${name}'
    location: location
    tags: allTags
    retentionDays: logRetentionDays
    dailyQuotaGb: logDailyQuotaGb
  }
}

module workbook 'modules/workbook.bicep' = {
  params: {
    displayName: name
    logWorkspaceName: logWorkspaceName
    location: location
    tags: allTags
  }
  dependsOn: [monitoring]
}

// After the right of its identity to read the logs, and after what an alarm may start.
module alerts 'modules/alerts.bicep' = {
  params: {
    name: name
    logWorkspaceName: logWorkspaceName
    location: location
    tags: allTags
    contactEmails: contactEmails
    identityId: monitor.id
    settings: alertSettings
    rollbackGroupName: movesTraffic ? rollbackGroupName : ''
  }
  dependsOn: [rights, rollbackGroup]
}

// Only where somebody watches: prod.
module alertVault 'modules/alert-vault.bicep' = if (environment == 'prod') {
  params: {
    name: alertVaultName
    location: location
    tags: allTags
    logWorkspaceName: logWorkspaceName
    purgeProtection: purgeProtection
    privateNetwork: privateNetwork
  }
  dependsOn: [monitoring]
}

module watcherRights 'modules/watcher-rights.bicep' = if (environment == 'prod') {
  params: {
    name: name
    alertVaultName: alertVaultName
    #disable-next-line what-if-short-circuiting // Azure alone knows a principal's id
    principalId: watcher!.properties.principalId
  }
  dependsOn: [alerts, alertVault]
}

module storage 'modules/storage.bicep' = {
  params: {
    lakeAccountName: lakeAccountName
    workspaceAccountName: workspaceAccountName
    location: location
    tags: allTags
    workspaceKeys: storageKeys
    privateNetwork: privateNetwork
    // Only from where versions are made are they shared.
    sharesWithRegistryId: trains ? registry.id : ''
  }
}

// Who judges, registers, releases or watches writes down what it does.
module audit 'modules/audit.bicep' = {
  params: {
    accountName: auditAccountName
    location: location
    tags: allTags
    privateNetwork: privateNetwork
    retentionDays: auditRetentionDays
    policyLocked: auditPolicyLocked
    writerRoleNumber: auditWriter
    writerPrincipalIds: concat(
      [ci.properties.principalId],
      registers ? [registrar!.properties.principalId] : [],
      environment == 'prod' ? [rollback!.properties.principalId, watcher!.properties.principalId] : []
    )
  }
}

module workspace 'modules/workspace.bicep' = {
  params: {
    name: workspaceName
    vaultName: vaultName
    containerRegistryName: containerRegistryName
    location: location
    tags: allTags
    monitoringIdentityId: monitor.id
    auditAccountName: auditAccountName
    workspaceAccountName: workspaceAccountName
    storageKeys: storageKeys
    lakeAccountName: lakeAccountName
    insightsName: 'appi-${name}'
    logWorkspaceName: logWorkspaceName
    containerRegistrySku: privateNetwork ? 'Premium' : containerRegistrySku
    purgeProtection: purgeProtection
    privateNetwork: privateNetwork
    imageBuildCompute: buildsImages ? builderName : ''
  }
  dependsOn: [monitoring, storage]
}

// Azure gives the workspace's own identity its rights to storage and vault by itself, and refuses
// to have them given twice. The right to push the images that it builds is not among them.
module workspacePushes 'modules/image-push.bicep' = {
  params: {
    containerRegistryName: containerRegistryName
    #disable-next-line what-if-short-circuiting // Azure alone knows a principal's id
    principalId: workspace.outputs.principalId
  }
}

module network 'modules/network.bicep' = if (privateNetwork) {
  params: {
    name: name
    location: location
    tags: allTags
    addressPrefix: addressPrefix
    zonesGroupId: privateDnsZonesGroupId
    natGateway: natGateway
    workspaceName: workspaceName
    vaultName: vaultName
    containerRegistryName: containerRegistryName
    workspaceAccountName: workspaceAccountName
    lakeAccountName: lakeAccountName
    auditAccountName: auditAccountName
    alertVaultName: environment == 'prod' ? alertVaultName : ''
  }
  dependsOn: [workspace, alertVault, audit]
}

// What concerns the managed network comes before its first machine, with which Azure makes it.
module connections 'modules/connections.bicep' = if (privateNetwork) {
  params: {
    #disable-next-line what-if-short-circuiting // Azure alone knows a principal's id
    principalId: workspace.outputs.principalId
    networkName: name
    workspaceName: workspaceName
    vaultName: vaultName
    containerRegistryName: containerRegistryName
    workspaceAccountName: workspaceAccountName
    lakeAccountName: lakeAccountName
  }
  dependsOn: [network]
}

module rights 'modules/rights.bicep' = {
  params: {
    slug: slug
    environment: environment
    trains: trains
    registers: registers
    dataCollector: dataCollector
    workspaceName: workspaceName
    containerRegistryName: containerRegistryName
    workspaceAccountName: workspaceAccountName
    lakeAccountName: lakeAccountName
    logWorkspaceName: logWorkspaceName
    insightsName: 'appi-${name}'
    ciPrincipalId: ci.properties.principalId
    registrarPrincipalId: registers ? registrar!.properties.principalId : ''
    rollbackPrincipalId: environment == 'prod' ? rollback!.properties.principalId : ''
    watcherPrincipalId: environment == 'prod' ? watcher!.properties.principalId : ''
    trainerPrincipalId: environment == 'prod' ? trainer!.properties.principalId : ''
    computePrincipalId: trains ? compute!.properties.principalId : ''
    endpointPrincipalId: endpoint.properties.principalId
    monitoringPrincipalId: monitor.properties.principalId
    callerPrincipalIds: callerPrincipalIds
  }
  dependsOn: [workspace]
}

// After its rights: else Azure gives a cluster's identity the right to pull images by itself, and
// ours is then refused.
module cluster 'modules/compute.bicep' = if (trains) {
  params: {
    workspaceName: workspaceName
    name: 'cpu-${environment}'
    location: location
    tags: allTags
    identityId: compute!.id
    size: computeSize
    lowPriority: computeLowPriority
    maxNodes: computeMaxNodes
    privateNetwork: privateNetwork
  }
  dependsOn: [rights, network, connections]
}

// A container registry that is closed to the internet builds no images: a cluster does, also where
// nothing is trained, since endpoints have images, too. One cluster after the other: with the first
// Azure makes the managed network.
module builder 'modules/compute.bicep' = if (buildsImages) {
  params: {
    workspaceName: workspaceName
    name: builderName
    location: location
    tags: allTags
    identityId: ''
    size: imageBuilderSize
    lowPriority: false
    maxNodes: 1
    privateNetwork: privateNetwork
  }
  dependsOn: [rights, network, connections, cluster]
}

module builderRights 'modules/builder-rights.bicep' = if (buildsImages) {
  params: {
    containerRegistryName: containerRegistryName
    workspaceAccountName: workspaceAccountName
    #disable-next-line what-if-short-circuiting // Azure alone knows a principal's id
    principalId: builder!.outputs.principalId
  }
}

module endpointLogs 'modules/endpoint-logs.bicep' = if (!empty(endpointName)) {
  params: {
    workspaceName: workspaceName
    endpointName: endpointName
    logWorkspaceName: logWorkspaceName
  }
  dependsOn: [workspace]
}

module rollbackByAlert 'modules/rollback.bicep' = if (movesTraffic) {
  params: {
    name: rollbackName
    location: location
    tags: allTags
    workspaceName: workspaceName
    endpointName: endpointName
  }
  dependsOn: [workspace]
}

module rollbackRight 'modules/rollback-right.bicep' = if (movesTraffic) {
  params: {
    slug: slug
    workspaceName: workspaceName
    endpointName: endpointName
    #disable-next-line what-if-short-circuiting // Azure alone knows a principal's id
    principalId: rollbackByAlert!.outputs.principalId
  }
}

module rollbackGroup 'modules/rollback-group.bicep' = if (movesTraffic) {
  params: {
    name: rollbackGroupName
    tags: allTags
    workflowName: rollbackName
  }
  dependsOn: [rollbackRight]
}

module budget 'modules/budget.bicep' = if (!empty(budgetStart)) {
  params: {
    name: 'budget-${name}'
    amount: budgetAmount
    start: budgetStart
    contactEmails: contactEmails
  }
}

output workspaceName string = workspaceName

@description('For `azure.log_analytics_workspace_id` in conf: whose requests an A/B test reads, and whose events all that watches the model.')
output logAnalyticsWorkspaceId string = monitoring.outputs.logWorkspaceCustomerId

@description('For `azure.insights_connection_string` in conf: where events of predictions and checks go. Only who signs in may write there.')
output insightsConnectionString string = monitoring.outputs.insightsConnectionString

@description('Where the training data belong, in the container named lake.')
output lakeAccountName string = lakeAccountName

@description('For `azure.alert_vault` in conf: the vault that holds the addresses of who is told of alerts. Empty: none is here.')
output alertVaultName string = environment == 'prod' ? alertVaultName : ''
