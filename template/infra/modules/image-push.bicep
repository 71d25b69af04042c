// Who builds images may push them.

param containerRegistryName string
param principalId string

// AcrPush
var pushRoleId = subscriptionResourceId(
  'Microsoft.Authorization/roleDefinitions',
  '8311e382-0749-4cb8-b61a-304f252e45ec'
)

resource images 'Microsoft.ContainerRegistry/registries@2025-04-01' existing = {
  name: containerRegistryName
}

resource pushing 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(images.id, principalId, pushRoleId)
  scope: images
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: pushRoleId
  }
}
