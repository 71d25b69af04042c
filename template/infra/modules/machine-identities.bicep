// The identities of what runs in an environment: the training cluster and the endpoint.

param slug string
param environment string
param location string
param tags object

// Managed Identity Operator: may let a resource run as the identity.
var operatorRoleId = subscriptionResourceId(
  'Microsoft.Authorization/roleDefinitions',
  'f1a07417-d97a-45cb-824c-7a7467783830'
)

resource compute 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-${slug}-${environment}-compute'
  location: location
  tags: tags
}

resource endpoint 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-${slug}-${environment}-endpoint'
  location: location
  tags: tags
}

resource ci 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: 'id-${slug}-${environment}'
}

resource infra 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: 'id-${slug}-infra'
}

resource infraGivesCompute 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(compute.id, infra.id, operatorRoleId)
  scope: compute
  properties: {
    principalId: infra.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: operatorRoleId
  }
}

resource ciGivesEndpoint 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(endpoint.id, ci.id, operatorRoleId)
  scope: endpoint
  properties: {
    principalId: ci.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: operatorRoleId
  }
}
