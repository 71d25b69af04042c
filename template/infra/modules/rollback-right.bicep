// What moves traffic back at an alert may read and write one endpoint, and read its deployments.

param slug string
param workspaceName string
param endpointName string
param principalId string

// Of infra/shared.bicep.
var moverRoleId = subscriptionResourceId(
  'Microsoft.Authorization/roleDefinitions',
  guid(subscription().id, slug, 'traffic-mover')
)

resource workspace 'Microsoft.MachineLearningServices/workspaces@2025-06-01' existing = {
  name: workspaceName
}

resource endpoint 'Microsoft.MachineLearningServices/workspaces/onlineEndpoints@2025-06-01' existing = {
  parent: workspace
  name: endpointName
}

resource moving 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(endpoint.id, principalId, moverRoleId)
  scope: endpoint
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: moverRoleId
  }
}
