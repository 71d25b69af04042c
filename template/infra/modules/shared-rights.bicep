// Reading what this group holds.

param identityNames string[]

// Reader
var readerRoleId = subscriptionResourceId(
  'Microsoft.Authorization/roleDefinitions',
  'acdd72a7-3385-48ef-bd42-f606fba81ae7'
)

resource identities 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = [
  for name in identityNames: {
    name: name
  }
]

resource reading 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (name, index) in identityNames: {
    name: guid(resourceGroup().id, name, readerRoleId)
    properties: {
      principalId: identities[index].properties.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: readerRoleId
    }
  }
]
