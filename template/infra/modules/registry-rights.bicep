// Who may write models to the registry and who may read them. The identities are in this group.

param registryName string
param writers string[]
param readers string[]
param readerRoleId string

// AzureML Registry User: all that concerns models and other assets, not the registry itself.
var writerRoleId = subscriptionResourceId(
  'Microsoft.Authorization/roleDefinitions',
  '1823dd4f-9b8c-4ab6-ab4e-7397a3684615'
)

resource registry 'Microsoft.MachineLearningServices/registries@2025-06-01' existing = {
  name: registryName
}

resource writerIdentities 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = [
  for name in writers: {
    name: name
  }
]

resource readerIdentities 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = [
  for name in readers: {
    name: name
  }
]

resource writing 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (name, index) in writers: {
    name: guid(registry.id, name, writerRoleId)
    scope: registry
    properties: {
      principalId: writerIdentities[index].properties.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: writerRoleId
    }
  }
]

resource reading 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (name, index) in readers: {
    name: guid(registry.id, name, 'reader')
    scope: registry
    properties: {
      principalId: readerIdentities[index].properties.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: readerRoleId
    }
  }
]
