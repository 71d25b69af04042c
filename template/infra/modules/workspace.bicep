// The workspace with its key vault and the registry of its images, and the lake as a datastore.

param name string
@minLength(13)
param suffix string
param location string
param tags object
param storageAccountId string
param storageKeys bool
param lakeAccountName string
param lakeContainerName string
param applicationInsightsId string
param containerRegistrySku string
param purgeProtection bool
param privateNetwork bool

@description('The cluster that builds images; empty: the registry builds them itself.')
param imageBuildCompute string

var networkAccess = privateNetwork ? 'Disabled' : 'Enabled'

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: 'kv-${suffix}'
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    // Azure takes true or nothing: what was once on stays on.
    enablePurgeProtection: purgeProtection ? true : null
    publicNetworkAccess: networkAccess
    networkAcls: {
      defaultAction: privateNetwork ? 'Deny' : 'Allow'
      bypass: 'AzureServices'
    }
  }
}

resource images 'Microsoft.ContainerRegistry/registries@2025-04-01' = {
  name: 'cr${suffix}'
  location: location
  tags: tags
  sku: { name: containerRegistrySku }
  properties: {
    adminUserEnabled: false
    anonymousPullEnabled: false
    publicNetworkAccess: networkAccess
    networkRuleBypassOptions: 'AzureServices'
  }
}

resource workspace 'Microsoft.MachineLearningServices/workspaces@2025-06-01' = {
  name: name
  location: location
  tags: tags
  kind: 'Default'
  sku: { name: 'Basic', tier: 'Basic' }
  identity: { type: 'SystemAssigned' }
  properties: {
    friendlyName: name
    storageAccount: storageAccountId
    keyVault: vault.id
    applicationInsights: applicationInsightsId
    containerRegistry: images.id
    systemDatastoresAuthMode: storageKeys ? 'AccessKey' : 'Identity'
    publicNetworkAccess: networkAccess
    managedNetwork: { isolationMode: privateNetwork ? 'AllowInternetOutbound' : 'Disabled' }
    imageBuildCompute: empty(imageBuildCompute) ? null : imageBuildCompute
    v1LegacyMode: false
  }
}

resource lake 'Microsoft.MachineLearningServices/workspaces/datastores@2025-06-01' = {
  parent: workspace
  name: 'lake'
  properties: {
    datastoreType: 'AzureDataLakeGen2'
    accountName: lakeAccountName
    filesystem: lakeContainerName
    credentials: { credentialsType: 'None' }
    description: 'The training data. Access is by identity, there is no key.'
  }
}

output id string = workspace.id
output name string = workspace.name
output principalId string = workspace.identity.principalId
output keyVaultId string = vault.id
output keyVaultName string = vault.name
output containerRegistryId string = images.id
output containerRegistryName string = images.name
