// Two accounts: the lake holds your data, in folders that can be protected one by one; the other is
// the workspace's own, which Azure ML does not support with such a hierarchy.

import { storageSku, tagsOf } from 'types.bicep'

param lakeAccountName string
param workspaceAccountName string
param location string
param tags tagsOf
param workspaceKeys bool
param privateNetwork bool

@description('The Azure ML registry that copies versions out of the workspace\'s account; empty: none does.')
param sharesWithRegistryId string

var networkAccess = privateNetwork ? 'Disabled' : 'Enabled'
var networkRules = {
  defaultAction: privateNetwork ? 'Deny' : 'Allow'
  bypass: 'AzureServices'
}

// In a private network Azure refuses to share a version with the registry while the account is
// disabled for the public network: it has to be enabled, deny everybody, and name that registry.
var sharesFromPrivate = privateNetwork && !empty(sharesWithRegistryId)
var workspaceNetworkRules = sharesFromPrivate
  ? union(networkRules, {
      resourceAccessRules: [{ tenantId: tenant().tenantId, resourceId: sharesWithRegistryId }]
    })
  : networkRules

resource lake 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: lakeAccountName
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: storageSku(location) }
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
  name: workspaceAccountName
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: storageSku(location) }
  properties: {
    // Never to be left out: an account that exists would be asked to change, which Azure refuses.
    isHnsEnabled: false
    accessTier: 'Hot'
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    allowBlobPublicAccess: false
    allowSharedKeyAccess: workspaceKeys
    allowCrossTenantReplication: false
    publicNetworkAccess: sharesFromPrivate ? 'Enabled' : networkAccess
    networkAcls: workspaceNetworkRules
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
