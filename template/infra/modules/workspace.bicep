// The workspace with its key vault and the registry of its images, and the lake as a datastore.

import { tagsOf } from 'types.bicep'

param name string

@minLength(3)
@maxLength(24)
param vaultName string

@minLength(5)
@maxLength(50)
param containerRegistryName string
param location string
param tags tagsOf

@description('The identity as which Azure ML\'s model monitoring reads and writes where keys are off.')
param monitoringIdentityId string

@description('The storage account of the audit log: a tag tells the commands.')
param auditAccountName string

param workspaceAccountName string
param storageKeys bool
param lakeAccountName string
param insightsName string
param logWorkspaceName string
param containerRegistrySku string
param purgeProtection bool
param privateNetwork bool

@description('The cluster that builds images; empty: Azure ML builds them on serverless compute.')
param imageBuildCompute string

var networkAccess = privateNetwork ? 'Disabled' : 'Enabled'

// The managed network, in which the workspace's machines run, reaches the lake through private
// endpoints of its own. Those to the workspace's storage, vault and images Azure makes by itself.
var ways = map(['blob', 'dfs'], target => {
  name: 'lake-${target}'
  rule: {
    type: 'PrivateEndpoint'
    category: 'UserDefined'
    destination: {
      serviceResourceId: lake.id
      subresourceTarget: target
      sparkEnabled: false
    }
  }
})
var managedNetwork = privateNetwork
  ? {
      isolationMode: 'AllowInternetOutbound'
      outboundRules: toObject(ways, way => way.name, way => way.rule)
    }
  : { isolationMode: 'Disabled' }

resource workspaceStorage 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: workspaceAccountName
}

resource lake 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: lakeAccountName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource logs 'Microsoft.OperationalInsights/workspaces@2025-02-01' existing = {
  name: logWorkspaceName
}

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' = {
  name: vaultName
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

// Who read or changed a secret.
resource vaultAudit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'audit'
  scope: vault
  properties: {
    workspaceId: logs.id
    logs: [{ categoryGroup: 'audit', enabled: true }]
  }
}

resource images 'Microsoft.ContainerRegistry/registries@2025-04-01' = {
  name: containerRegistryName
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

// Its own identity gets its rights from Azure. The second one cannot be taken away again, nor be
// missing where Azure ML's monitoring is to work without keys: so it is there from the beginning.
resource workspace 'Microsoft.MachineLearningServices/workspaces@2025-06-01' = {
  name: name
  location: location
  tags: union(tags, { 'audit-account': auditAccountName })
  kind: 'Default'
  sku: { name: 'Basic', tier: 'Basic' }
  identity: {
    type: 'SystemAssigned,UserAssigned'
    userAssignedIdentities: { '${monitoringIdentityId}': {} }
  }
  properties: {
    friendlyName: name
    storageAccount: workspaceStorage.id
    keyVault: vault.id
    applicationInsights: insights.id
    containerRegistry: images.id
    systemDatastoresAuthMode: storageKeys ? 'AccessKey' : 'Identity'
    publicNetworkAccess: networkAccess
    managedNetwork: managedNetwork
    imageBuildCompute: empty(imageBuildCompute) ? null : imageBuildCompute
    v1LegacyMode: false
  }
}

resource lakeStore 'Microsoft.MachineLearningServices/workspaces/datastores@2025-06-01' = {
  parent: workspace
  name: 'lake'
  properties: {
    datastoreType: 'AzureDataLakeGen2'
    accountName: lakeAccountName
    filesystem: 'lake'
    credentials: { credentialsType: 'None' }
    description: 'The training data. Access is by identity, there is no key.'
  }
}

output principalId string = workspace.identity.principalId
