// One right on the registry. Names must be known when a deployment begins, so who gets it is a
// parameter: an identity that was made anew gets an assignment of its own.

param registryName string
param principalId string

@description('The number of a role, of Azure\'s or of the project\'s own.')
param roleNumber string

var roleId = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleNumber)

resource registry 'Microsoft.MachineLearningServices/registries@2025-06-01' existing = {
  name: registryName
}

resource right 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(registry.id, principalId, roleId)
  scope: registry
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: roleId
  }
}
