// Reading the identities of this group, to which main.bicep refers.

param infraPrincipalId string
param planPrincipalId string
param planRoleNumber string

// Reader
var readerRoleNumber = 'acdd72a7-3385-48ef-bd42-f606fba81ae7'
var rights = [
  { principalId: infraPrincipalId, role: readerRoleNumber }
  { principalId: planPrincipalId, role: planRoleNumber }
]

resource reading 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for right in rights: {
    name: guid(resourceGroup().id, right.principalId, right.role)
    properties: {
      principalId: right.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', right.role)
    }
  }
]
