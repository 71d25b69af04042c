// The workspace with its key vault and the registry of its images, and the lake as a datastore.

param name string
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

var networkAccess = privateNetwork ? 'Disabled' : 'Enabled'

// AcrPush
var pushRoleId = subscriptionResourceId(
  'Microsoft.Authorization/roleDefinitions',
  '8311e382-0749-4cb8-b61a-304f252e45ec'
)

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

// Azure gives the workspace's own identity its rights to storage and vault by itself, and refuses
// to have them given twice. The right to push the images that it builds is not among them.
resource pushing 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(images.id, workspace.id, pushRoleId)
  scope: images
  properties: {
    principalId: workspace.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: pushRoleId
  }
}

output id string = workspace.id
output name string = workspace.name
output keyVaultId string = vault.id
output containerRegistryId string = images.id
output containerRegistryName string = images.name
