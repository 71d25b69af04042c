// A cluster that builds images reads what they are made of, and pushes them.

param containerRegistryName string
param workspaceAccountName string
param principalId string

// Storage Blob Data Contributor
var blobWriterRoleId = subscriptionResourceId(
  'Microsoft.Authorization/roleDefinitions',
  'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
)

resource workspaceStorage 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: workspaceAccountName
}

module pushes 'image-push.bicep' = {
  params: {
    containerRegistryName: containerRegistryName
    principalId: principalId
  }
}

resource buildContext 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(workspaceStorage.id, principalId, blobWriterRoleId)
  scope: workspaceStorage
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: blobWriterRoleId
  }
}
