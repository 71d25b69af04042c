// The audit log: a storage account of its own, in which what was appended can neither be changed nor
// deleted until its retention is over. Those who write may add, and overwrite nothing.
//
// The policy is not locked here: who has rights on it can shorten or remove it, and then delete. In
// prod a person locks it, which cannot be taken back: docs/audit.md. Azure refuses to delete an
// account with a locked policy, so nobody takes its resource group down either.

import { storageSku, tagsOf } from 'types.bicep'

@minLength(3)
@maxLength(24)
param accountName string
param location string
param tags tagsOf
param privateNetwork bool

@description('Days for which nothing that was appended can be deleted.')
@minValue(1)
@maxValue(146000)
param retentionDays int

@description('A person has locked the policy: it is left alone.')
param policyLocked bool

@description('Who writes the log: principal ids of service principals and managed identities.')
param writerPrincipalIds string[]

@description('The number of the role that they get on the container.')
param writerRoleNumber string

var writerRoleId = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', writerRoleNumber)

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: accountName
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: storageSku(location) }
  properties: {
    // Append blobs under a policy of a container: no hierarchy.
    isHnsEnabled: false
    accessTier: 'Hot'
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    allowCrossTenantReplication: false
    publicNetworkAccess: privateNetwork ? 'Disabled' : 'Enabled'
    networkAcls: {
      defaultAction: privateNetwork ? 'Deny' : 'Allow'
      bypass: 'AzureServices'
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' = {
  parent: account
  name: 'default'
  properties: {
    deleteRetentionPolicy: { enabled: true, days: 14 }
    containerDeleteRetentionPolicy: { enabled: true, days: 14 }
  }
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = {
  parent: blobs
  name: 'audit'
  properties: { publicAccess: 'None' }
}

// Deploying over a locked policy is likely refused: hence the parameter.
resource policy 'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2025-01-01' = if (!policyLocked) {
  parent: container
  name: 'default'
  properties: {
    immutabilityPeriodSinceCreationInDays: retentionDays
    allowProtectedAppendWrites: true
  }
}

resource writing 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for principalId in writerPrincipalIds: {
    name: guid(container.id, principalId, writerRoleId)
    scope: container
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: writerRoleId
    }
  }
]
