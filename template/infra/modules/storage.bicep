// Two accounts: the lake holds your data, in folders that can be protected one by one; the other is
// the workspace's own, which Azure ML does not support with such a hierarchy.

param suffix string
param location string
param tags object
param workspaceKeys bool
param privateNetwork bool

var networkAccess = privateNetwork ? 'Disabled' : 'Enabled'
var networkRules = {
  defaultAction: privateNetwork ? 'Deny' : 'Allow'
  bypass: 'AzureServices'
}

resource lake 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: 'lake${suffix}'
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_LRS' }
  properties: {
    isHnsEnabled: true
    accessTier: 'Hot'
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    allowCrossTenantReplication: false
    publicNetworkAccess: networkAccess
    networkAcls: networkRules
  }
}

resource lakeBlobs 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' = {
  parent: lake
  name: 'default'
  properties: {
    deleteRetentionPolicy: { enabled: true, days: 14 }
    containerDeleteRetentionPolicy: { enabled: true, days: 14 }
  }
}

resource lakeContainer 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = {
  parent: lakeBlobs
  name: 'lake'
  properties: { publicAccess: 'None' }
}

resource workspace 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: 'mlw${suffix}'
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_LRS' }
  properties: {
    isHnsEnabled: false
    accessTier: 'Hot'
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    allowBlobPublicAccess: false
    allowSharedKeyAccess: workspaceKeys
    allowCrossTenantReplication: false
    publicNetworkAccess: networkAccess
    networkAcls: networkRules
  }
}

resource workspaceBlobs 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' = {
  parent: workspace
  name: 'default'
  properties: {
    deleteRetentionPolicy: { enabled: true, days: 14 }
    containerDeleteRetentionPolicy: { enabled: true, days: 14 }
  }
}

output lakeAccountId string = lake.id
output lakeAccountName string = lake.name
output lakeContainerName string = lakeContainer.name
output workspaceAccountId string = workspace.id
output workspaceAccountName string = workspace.name
